from typing import get_args, get_type_hints

from x25.nodes.escalate import escalate


async def test_the_move_names_the_destination():
    assert await escalate({"move": "escalate"}) == "dispatch"
    assert await escalate({"move": "stop"}) == "update_posterior"


def test_the_edge_says_all_its_destinations_in_its_type():
    assert set(get_args(get_type_hints(escalate)["return"])) == {"dispatch", "update_posterior"}
