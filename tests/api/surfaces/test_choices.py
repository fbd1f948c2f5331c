import asyncio

import pytest

from x25.api.surfaces.choices import (
    Calls,
    all_replies,
    choices_wanted,
    options_of_choice,
    receipt_of_all,
    shared,
    summed,
    summed_usage,
)
from x25.state.errors import InvalidRequest

REPLY = {
    "cost_usd": 0.1, "judge_cost_usd": 0.0, "cost_saved_usd": None, "latency_ms": 10.0, "usage": {"prompt_tokens": 3},
    "call_id": "c1", "explain": {},
}  # fmt: skip


def test_n_is_taken_out_of_the_options():
    options = {"n": 3, "seed": 1}
    assert choices_wanted(options) == 3
    assert options == {"seed": 1}
    assert choices_wanted({}) == choices_wanted({"n": None}) == 1


@pytest.mark.parametrize("n", [0, 9, True, 1.5, "2", [2]])
def test_any_other_n_is_refused(n):
    with pytest.raises(InvalidRequest) as refused:
        choices_wanted({"n": n})
    assert refused.value.field == "n"


def test_with_a_seed_each_answer_has_the_next_one():
    assert [options_of_choice({"seed": 5}, at)["seed"] for at in range(3)] == [5, 6, 7]
    assert options_of_choice({"temperature": 1}, 2) == {"temperature": 1}
    assert options_of_choice({"seed": "x"}, 2) == {"seed": "x"}  # the call itself refuses it


def test_a_cost_cap_is_divided_and_no_cache_is_used():
    assert shared({"policy": {"max_cost_per_call_usd": 0.3, "max_tier": "mid"}}, 3) == {
        "policy": {"max_cost_per_call_usd": pytest.approx(0.1), "max_tier": "mid"}, "cache": "off",
    }  # fmt: skip
    assert shared({"cache": {"use": "off"}}, 2) == {"cache": "off"}
    assert shared({"mode": "proxy"}, 2) == {"mode": "proxy", "cache": "off"}
    assert shared({"policy": "nonsense"}, 2) == {"policy": "nonsense", "cache": "off"}


@pytest.mark.parametrize(
    ("steering", "field"),
    [
        ({"call_id": "mine"}, "x25.call_id"),
        ({"cache": "near"}, "x25.cache"),
        ({"cache": {"use": "exact"}}, "x25.cache"),
        ({"mode": "cache"}, "x25.mode"),
        ({"mode": "full"}, "x25.mode"),
        ({"routing_hints": {"chain_timeout_s": 3}}, "routing_hints.chain_timeout_s"),
    ],
)
def test_what_is_one_calls_is_refused_by_name(steering, field):
    with pytest.raises(InvalidRequest) as refused:
        shared(steering, 2)
    assert refused.value.field == field


def test_costs_and_tokens_are_summed_and_the_slowest_counts():
    other = {**REPLY, "cost_usd": 0.2, "latency_ms": 30.0, "call_id": "c2"}
    whole = summed([REPLY, other])
    assert (whole["cost_usd"], whole["latency_ms"]) == (pytest.approx(0.3), 30.0)
    told = receipt_of_all([REPLY, other])
    assert [one["call_id"] for one in told["choices"]] == ["c1", "c2"]
    assert told["cost_usd"] == pytest.approx(0.3)
    usages = [{"total_tokens": 3, "details": {"cached_tokens": 1}}, {"total_tokens": 4, "estimated": True}]
    assert summed_usage(usages) == {"total_tokens": 7, "details": {"cached_tokens": 1}, "estimated": True}


@pytest.mark.parametrize("unknown", [{}, None])
def test_where_the_tokens_of_one_answer_are_unknown_no_part_is_told_for_the_whole(unknown):
    assert summed_usage([{"total_tokens": 3}, unknown]) is None
    assert summed([REPLY, {**REPLY, "usage": {}}])["usage"] == {}


async def test_all_calls_have_ended_before_a_failure_is_told():
    ended = []

    async def call(seconds, error=None):
        await asyncio.sleep(seconds)
        ended.append(seconds)
        if error is not None:
            raise error
        return REPLY

    calls = Calls()
    for told in (call(0.01), call(0.0, ValueError("no"))):
        calls.add(asyncio.create_task(told))
    with pytest.raises(ValueError, match="no"):
        await all_replies(calls)
    assert ended == [0.0, 0.01]


async def test_of_several_failures_the_first_in_time_is_told():
    async def fail(seconds, word):
        await asyncio.sleep(seconds)
        raise ValueError(word)

    calls = Calls()
    for seconds, word in ((0.02, "because of the other"), (0.0, "cause"), (0.03, "late")):
        calls.add(asyncio.create_task(fail(seconds, word)))
    calls.check()  # none so far
    with pytest.raises(ValueError, match="cause"):
        await all_replies(calls)
    with pytest.raises(ValueError, match="cause"):
        calls.check()
