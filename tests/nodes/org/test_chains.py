import pytest

from x25.nodes.org.chains import COUNTS_STEPS, require_counted
from x25.state.errors import InvalidRequest


@pytest.mark.parametrize(("name", "value"), [("max_chain_steps", 3), ("chain_timeout_s", 1.0)])
def test_a_bound_that_nobody_counts_is_refused_by_name(name, value):
    said = {"prompt": "hi", "routing_hints": {"chain_id": "w", name: value}}
    with pytest.raises(InvalidRequest) as refused:
        require_counted(said)
    assert refused.value.field == f"routing_hints.{name}"
    token = COUNTS_STEPS.set(True)
    require_counted(said)
    COUNTS_STEPS.reset(token)


@pytest.mark.parametrize("hints", [None, {}, {"chain_id": "w"}, {"max_chain_steps": None}, "nonsense"])
def test_what_names_no_bound_is_none_of_its_business(hints):
    require_counted({"prompt": "hi", "routing_hints": hints})
