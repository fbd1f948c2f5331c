from typing import get_args, get_type_hints

import pytest

from x25.nodes.escalate import escalate
from x25.state.working_memory import TransitionKind


@pytest.mark.parametrize(
    ("kind", "destination"),
    [
        ("start", "update_posterior"),
        ("escalate", "dispatch"),
        ("fallback", "dispatch"),
        ("stop", "update_posterior"),
    ],
)
async def test_the_newest_transition_names_the_destination(kind, destination):
    for before in get_args(TransitionKind):
        memory = {"transitions": [{"kind": before}, {"kind": kind}]}
        assert await escalate(memory) == destination


def test_the_edge_says_all_its_destinations_in_its_type():
    assert set(get_args(get_type_hints(escalate)["return"])) == {"dispatch", "update_posterior"}
