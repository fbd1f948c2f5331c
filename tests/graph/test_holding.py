import pytest

from x25.state.errors import ChainEnded, InvalidRequest, NoEligibleModel

ASKED = {"prompt": "What is 17 * 23?", "org": "lab"}


def hints(**more):
    return {**ASKED, "routing_hints": {"chain_id": "w1", **more}}


async def test_a_chain_ends_after_its_steps_and_its_callers_are_told_before_anything_is_bought(
    cascade, bills
):
    for _ in range(2):
        await cascade.route(hints(max_chain_steps=2))
    with pytest.raises(ChainEnded) as ended:
        await cascade.route({**hints(max_chain_steps=2), "call_id": "third"})
    assert ended.value.field == "routing_hints.max_chain_steps"
    assert bills("third", "lab") == []
    again = await cascade.route({**hints(max_chain_steps=3), "call_id": "third"})  # the id was given back
    assert again["call_id"] == "third"


async def test_a_call_that_is_refused_is_no_step(cascade):
    for wrong in ({"policy": {"allowed_providers": ["nobody"]}}, {"hint": "nonsense"}):
        with pytest.raises(InvalidRequest):
            await cascade.route({**hints(max_chain_steps=1), **wrong})
    await cascade.route(hints(max_chain_steps=1))


async def test_bounds_need_the_name_of_a_chain(cascade):
    for bound, value in (("max_chain_steps", 3), ("chain_timeout_s", 5.0)):
        with pytest.raises(InvalidRequest) as refused:
            await cascade.route({**ASKED, "routing_hints": {bound: value}})
        assert refused.value.field == f"routing_hints.{bound}"
    for bound, value in (
        ("max_chain_steps", 0),
        ("max_chain_steps", 1.5),
        ("chain_timeout_s", 0),
        ("chain_timeout_s", "x"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            await cascade.route(hints(**{bound: value}))
        assert refused.value.field == f"routing_hints.{bound}"


async def test_nobody_left_to_ask_is_no_step_either(cascade):
    with pytest.raises(NoEligibleModel):
        await cascade.route({**hints(max_chain_steps=1), "policy": {"max_cost_per_call_usd": 1e-12}})
    await cascade.route(hints(max_chain_steps=1))
