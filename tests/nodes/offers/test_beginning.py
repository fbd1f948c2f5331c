from dataclasses import replace

import pytest

from x25.graph.routers import load_routers
from x25.nodes.offers.beginning import beginning_of
from x25.routing.plan.affinity import Author

BY_CLASS = load_routers()["xantly-classic"]
HARD = "Prove that the square root of 2 is irrational."


@pytest.fixture
def begun(walk, services):
    """Return a function that returns whom a call begins with under the published tiers."""

    async def begin(prompt="Hi there!", author=None, *, router=BY_CLASS, tiers=None, **request):
        call = await walk("estimate_difficulty", prompt=prompt, **request)
        situation = await services.situations.of(call, services)
        arms = [arm for arm in situation.offers().arms if tiers is None or arm.tier in tiers]
        return beginning_of(call, router, arms, author)

    return begin


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [("Hi there!", "slm"), ("Write a Python function that sorts a list.", "mid"), (HARD, "frontier")],
)
async def test_the_class_of_a_request_names_the_tier_and_the_reason_says_so(begun, prompt, tier):
    found = await begun(prompt)
    assert found.start.tiers == (tier,)
    assert found.why.startswith("class ")
    assert found.why.endswith(f": {tier}")


async def test_other_routers_begin_anywhere(begun):
    found = await begun(HARD, router=replace(BY_CLASS, first_tier="any"))
    assert (found.start.tiers, found.why) == ((), None)


@pytest.mark.parametrize(
    ("said", "tier"),
    [("trivial", "slm"), ("standard", "mid"), ("complex", "frontier"), ("expert", "frontier")],
)
async def test_a_caller_who_says_how_complex_it_is_is_believed(begun, said, tier):
    for prompt in ("Hi there!", HARD):
        found = await begun(prompt, routing_hints={"task_complexity": said})
        assert found.start.tiers == (tier,)
        assert f"task_complexity: {said}" in found.why


async def test_an_overriding_model_is_asked_whatever_the_class(begun):
    found = await begun(HARD, routing_override={"model": "sim/tiny-1"})
    assert (found.start.model_id, found.start.tiers) == ("sim/tiny-1", ())


@pytest.mark.parametrize(
    ("hints", "tiers"),
    [
        ({"mode": "fast"}, ("slm", "slm", "slm")),
        ({"mode": "cost_optimized"}, ("slm", "slm", "mid")),
        ({"preference_dial": 0.0}, ("slm", "slm", "mid")),
        ({"mode": "balanced"}, ("slm", "mid", "frontier")),
        ({"preference_dial": 0.5}, ("slm", "mid", "frontier")),
        ({"mode": "quality"}, ("mid", "frontier", "frontier")),
        ({"prefer_quality": True}, ("mid", "frontier", "frontier")),
        ({"preference_dial": 1.0}, ("mid", "frontier", "frontier")),
    ],
)
async def test_what_is_optimised_for_moves_the_tier(begun, hints, tiers):
    prompts = ("Hi there!", "Write a Python function that sorts a list.", HARD)
    assert tuple([(await begun(one, routing_hints=hints)).start.tiers[0] for one in prompts]) == tiers


async def test_a_conversation_is_gone_on_with_by_nobody_weaker_unless_it_is_mixed(begun):
    author = Author("sim/large-5", "frontier")
    found = await begun("Hi there!", author)
    assert found.start.tiers == ("frontier",)
    assert "the conversation builds on frontier" in found.why
    assert (await begun("Hi there!", author, routing_hints={"chain_routing": "mixed"})).start.tiers == (
        "slm",
    )
    assert (await begun("Hi there!", author, routing_hints={"chain_routing": "sticky"})).start.tiers == ()


@pytest.mark.parametrize(("there", "tier"), [({"slm", "mid"}, "mid"), ({"slm"}, "slm"), (set(), None)])
async def test_where_nobody_of_the_tier_may_be_asked_the_nearest_one_takes_its_place(begun, there, tier):
    found = await begun(HARD, tiers=there)
    assert found.start.tiers == (() if tier is None else (tier,))
    assert tier is None or f"nobody of frontier may be asked: {tier}" in found.why


async def test_an_overriding_model_that_is_known_not_to_be_fit_gives_way_to_the_others(walk, services):
    call = await walk("estimate_difficulty", prompt="Hi there!", routing_override={"model": "sim/tiny-1"})
    situation = await services.situations.of(call, services)
    arms = situation.offers().arms
    found = beginning_of(call, situation.router, arms, None, {"sim/tiny-1": "it refuses temperature"})
    assert (found.start.model_id, found.why) == (None, "sim/tiny-1 is passed over: it refuses temperature")
    assert beginning_of(call, situation.router, arms, None).start.model_id == "sim/tiny-1"
