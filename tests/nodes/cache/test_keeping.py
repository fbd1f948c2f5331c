from dataclasses import replace

import pytest

from x25.nodes.answer.best import best_answer
from x25.nodes.cache.keeping import keep_answer, why_not_kept
from x25.state.hits import CacheKeys
from x25.state.org_wishes import OrgWishes

KEYS = CacheKeys("a" * 64)


@pytest.fixture
async def call(walk):
    return await walk("update_posterior", router="sim/small-2")


def changed(best, verdict=None, **changes):
    return replace(best, verdict=replace(best.verdict, **(verdict or {})), **changes)


async def test_a_whole_answer_is_kept(call):
    assert why_not_kept(call, best_answer(call)) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"finish_reason": "length"}, "ended early"),
        ({"finish_reason": "content_filter"}, "ended early"),
        ({"is_cut_by_limit": True}, "ended early"),
        ({"message": {"role": "assistant", "content": " "}}, "empty"),
        ({"message": {"role": "assistant", "content": None, "refusal": "no"}}, "refusal"),
        ({"message": None}, "no answer"),
        ({"is_inherited": True}, "another call"),
        ({"verdict": {"failed_check": "not_refused"}}, "failed a check"),
        ({"verdict": {"source": "judge", "score": 0.4}}, "judge"),
        ({"verdict": {"source": "judge", "score": None}}, "judge"),
    ],
)
async def test_what_is_not_whole_and_good_is_not(call, changes, why):
    assert why in why_not_kept(call, changed(best_answer(call), **changes))


async def test_an_answer_below_the_callers_bar_or_the_orgs_is_not(call):
    best = changed(best_answer(call), {"source": "judge", "score": 0.8})
    assert why_not_kept(call, best) is None
    assert "judge" in why_not_kept(replace(call, policy={"quality_bar": 0.9}), best)
    wishes = replace(call, opening=replace(call.opening, wishes=OrgWishes(quality_bar=0.9)))
    assert "judge" in why_not_kept(wishes, best)


async def test_a_call_of_a_tool_is_a_whole_answer(call):
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function"}]}
    assert why_not_kept(call, changed(best_answer(call), message=message, finish_reason="tool_calls")) is None


async def test_no_answer_is_not_kept(call):
    assert why_not_kept(call, None) == "no answer came"


async def test_what_becomes_of_it_is_told_and_those_who_wait_are(call, services, walk):
    row_call = await walk("audit", router="sim/small-2", call_id="k1", org="acme")
    row = await services.store.calls.get("acme", "k1")
    flights = services.caches.flights
    assert await keep_answer(row_call, row, best_answer(row_call), services) is None
    asked = replace(row_call, opening=replace(row_call.opening, cache=KEYS))
    await flights.join("acme", KEYS.exact, "k1", 1.0)
    told = await keep_answer(asked, row, best_answer(asked), services)
    assert told == {"hit": False, "type": None, "kept": True, "reason": None}
    assert len(flights) == 0
    hindered = replace(asked, opening=replace(asked.opening, cache=replace(KEYS, hindrance="because")))
    told = await keep_answer(hindered, row, best_answer(asked), services)
    assert told == {"hit": False, "type": None, "kept": False, "reason": "because"}
