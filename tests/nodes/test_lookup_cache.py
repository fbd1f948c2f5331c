from dataclasses import replace
from datetime import UTC

import pytest
from langchain_core.language_models import FakeListChatModel

from x25.graph.build import build_cascade
from x25.nodes.lookup_cache import lookup_cache, new_call_id
from x25.routing.plan.configs import RouterConfig
from x25.state.ceilings import Ceilings, Imposed
from x25.state.errors import InvalidRequest
from x25.state.org_wishes import AS_THE_GATEWAY
from x25.state.types import TIERS, Context, DoorContext


def test_call_ids_sort_by_time_and_never_repeat():
    ids = [new_call_id(ms) for ms in (0, 1, 255, 256, 10**12, 10**13)]
    assert sorted(ids) == ids
    assert {len(one) for one in ids} == {28}
    assert len({new_call_id(5) for _ in range(1000)}) == 1000


async def test_defaults_are_filled_in_and_the_memory_is_opened(services):
    opened = await lookup_cache({"prompt": "hi"}, services, Context())
    assert opened["messages"] == [{"role": "user", "content": "hi"}]
    assert (opened["org"], opened["router"], opened["policy"]) == ("default", "auto", {})
    assert sum(opened["optimize_for"].values()) == pytest.approx(1)
    assert [opened[key] for key in ("transitions", "answers", "learned")] == [(), (), ()]
    opening = opened["opening"]
    assert opening.started_at.tzinfo is UTC
    assert (opening.hint, opening.memory_hit, opening.explain) == (None, False, True)


@pytest.mark.parametrize(
    ("asked", "router", "expected"), [(2, 2, 2), (0, 2, 0), (9, 5, 5), (3, 1, 1), (-1, 2, 0)]
)
async def test_the_smallest_bound_on_escalations_counts(services, asked, router, expected):
    routers = {"auto": RouterConfig(name="auto", max_escalations=router)}
    opened = await lookup_cache(
        {"prompt": "hi"}, replace(services, routers=routers), Context(max_escalations=asked)
    )
    assert opened["opening"].max_escalations == expected


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "hi", "router": "best"}, "router"),
        ({"prompt": "hi", "org": "A B"}, "org"),
        ({"prompt": "hi", "call_id": "a/b"}, "call_id"),
        ({"prompt": "hi", "hint": "poetry"}, "hint"),
        ({"prompt": "hi", "policy": {"max_tier": "huge"}}, "policy.max_tier"),
        ({"prompt": "hi", "options": {"max_tokens": 0}}, "options.max_tokens"),
        ({"messages": [{"role": "x"}]}, "messages[0].role"),
        (
            {
                "prompt": "hi",
                "options": {"tools": [{"function": {"name": "f", "parameters": {"type": "x"}}}]},
            },
            "options.tools[0].function.parameters",
        ),
    ],
)
async def test_a_wrong_request_is_refused_naming_the_field(services, request_, field):
    with pytest.raises(InvalidRequest) as refused:
        await lookup_cache(request_, services, Context())
    assert refused.value.field == field


async def test_a_request_longer_than_the_limit_is_refused(services):
    short = replace(services, limits=replace(services.limits, max_prompt_chars=100))
    with pytest.raises(InvalidRequest, match="at most 100 are accepted"):
        await lookup_cache({"prompt": "x" * 100}, short, Context())


ASKED_AT_THE_GRAPHS_DOOR = [
    ({"hnt": "qa"}, "hnt"),
    ({"tools": [1]}, "tools"),
    ({"opening": {}}, "opening"),
    ({"messages": [("user", "or this")]}, "prompt"),
    ({"options": {"seed": float("nan")}}, "options.seed"),
    ({"options": {"temperature": {1}}}, "options.temperature"),
    ({"options": {"models": ["a"]}}, "options.models"),
    ({"options": {"n": 2}}, "options.n"),
    ({"router": ""}, "router"),
    ({"org": ""}, "org"),
    ({"call_id": ""}, "call_id"),
    ({"policy": []}, "policy"),
    ({"policy": ""}, "policy"),
    ({"policy": {"allowed_providers": ["\ud800"]}}, "policy.allowed_providers[0]"),
    ({"optimize_for": ""}, "optimize_for"),
    ({"optimize_for": "cheap-first"}, "optimize_for"),
]


@pytest.mark.parametrize(("part", "field"), ASKED_AT_THE_GRAPHS_DOOR, ids=lambda value: ascii(value)[:50])
async def test_nothing_that_a_graph_is_given_is_dropped_in_silence(part, field):
    models = {tier: FakeListChatModel(responses=["an answer"]) for tier in TIERS}
    with pytest.raises(InvalidRequest) as caught:
        await build_cascade(models).compile().ainvoke({"prompt": "this", **part})
    assert caught.value.field == field


async def test_a_call_carries_what_its_org_set_and_its_key_may_spend(walk, services):
    settings = {
        "optimize_for": "cost-first",
        "judge": "none",
        "privacy": "hashes",
        "budgets": {"usd_per_day": 2.0},
    }
    await services.store.org_settings.change("acme", lambda _: settings, "")
    of_key = Imposed("key", Ceilings(month_nusd=5), "k1")
    call = await walk("lookup_cache", org="acme", context=DoorContext(imposed=(of_key,)))
    assert call.opening.imposed == (Imposed("org", Ceilings(day_nusd=2 * 10**9)), of_key)
    assert (call.opening.wishes.judge, call.opening.wishes.privacy) == ("none", "hashes")
    assert round(call.optimize_for["cost"], 3) == 0.7
    named = await walk("lookup_cache", org="acme", optimize_for="quality-first")
    assert round(named.optimize_for["quality"], 3) == 0.8
    other = await walk("lookup_cache", org="beta")
    assert (other.opening.imposed, other.opening.wishes) == ((), AS_THE_GATEWAY)
