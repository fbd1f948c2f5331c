import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.state.errors import InvalidRequest, NotFound
from x25.state.improvements import ABANDONED_AFTER

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_second_request_gets_the_job_under_way_and_other_options_are_refused(store):
    first, is_new = await store.improvements.ask("acme", {"a": 1}, NOW)
    again, is_new_again = await store.improvements.ask("acme", {"a": 1}, NOW)
    assert (is_new, is_new_again, again) == (True, False, first)
    with pytest.raises(InvalidRequest, match="under way with other options"):
        await store.improvements.ask("acme", {"a": 2}, NOW)
    other, _ = await store.improvements.ask("other", {"a": 2}, NOW)
    assert other.job_id != first.job_id


async def test_many_requests_at_once_make_one_job(store):
    asked = await asyncio.gather(*(store.improvements.ask("acme", {}, NOW) for _ in range(10)))
    assert len({job.job_id for job, _ in asked}) == 1
    assert sum(is_new for _, is_new in asked) == 1


async def test_a_job_is_claimed_once_and_again_when_its_worker_has_died(store):
    job, _ = await store.improvements.ask("acme", {}, NOW)
    claims = await asyncio.gather(*(store.improvements.claim(NOW) for _ in range(5)))
    assert [one.job_id for one in claims if one is not None] == [job.job_id]
    late = NOW + ABANDONED_AFTER
    await store.improvements.note(job, late, "reading calls", 5, 10)
    assert await store.improvements.claim(late + ABANDONED_AFTER) is None, "it was seen"
    again = await store.improvements.claim(late + ABANDONED_AFTER + timedelta(seconds=1))
    assert (again.job_id, again.done) == (job.job_id, 0)


async def test_the_first_end_counts_and_frees_the_org_for_another_job(store):
    job, _ = await store.improvements.ask("acme", {}, NOW)
    await store.improvements.claim(NOW)
    assert await store.improvements.finish(job, NOW, result={"folder": "f"})
    assert not await store.improvements.finish(job, NOW, detail="late")
    assert not await store.improvements.note(job, NOW, "late", 1, 1)
    ended = await store.improvements.get("acme", job.job_id)
    assert (ended.status, ended.result, ended.detail) == ("done", {"folder": "f"}, None)
    _, is_new = await store.improvements.ask("acme", {"other": True}, NOW + timedelta(seconds=1))
    assert is_new
    assert [one.status for one in await store.improvements.newest("acme")] == ["queued", "done"]


async def test_a_job_that_is_put_back_waits_again(store):
    job, _ = await store.improvements.ask("acme", {}, NOW)
    await store.improvements.claim(NOW)
    await store.improvements.put_back(job)
    assert (await store.improvements.claim(NOW)).job_id == job.job_id


async def test_only_a_job_that_ended_can_be_forgotten_and_only_by_its_org(store):
    job, _ = await store.improvements.ask("acme", {}, NOW)
    assert not await store.improvements.forget("acme", job.job_id)
    await store.improvements.finish(job, NOW, detail="no")
    assert not await store.improvements.forget("other", job.job_id)
    with pytest.raises(NotFound, match="org 'other' has no job"):
        await store.improvements.get("other", job.job_id)
    assert await store.improvements.forget("acme", job.job_id)
    assert await store.improvements.newest("acme") == []


async def test_opting_out_twice_is_once_and_can_be_taken_back(store):
    for when in (NOW, NOW + timedelta(days=1)):
        await store.improvements.opt_out("acme", when)
    assert await store.improvements.opted_out_since("acme") == NOW + timedelta(days=1)
    assert await store.improvements.opted_out_since("other") is None
    await store.improvements.opt_out("acme", None)
    assert await store.improvements.opted_out_since("acme") is None


async def test_calls_are_rated_strictly_above_the_least_and_of_one_org(store, make_call):
    for number, score in enumerate((0.7, 0.71, None)):
        call = make_call(call_id=f"c{number}", quality_score=score, prompt="kept" if number else None)
        await store.calls.record(call, {"kind": "call"})
    await store.calls.record(make_call(call_id="x", org="other", quality_score=1.0), {"kind": "call"})
    await store.calls.record(make_call(call_id="f", status="failed", quality_score=1.0), {"kind": "call"})
    (rated,) = await store.improvements.rated("acme", 0.7)
    assert (rated.call_id, rated.has_prompt, rated.is_looked_at, rated.right) == ("c1", True, True, None)
    assert await store.improvements.prompts_kept("acme") == 2
    assert await store.improvements.mean_difficulty("acme") == pytest.approx(0.5)
    assert await store.improvements.mean_difficulty("nobody") == 0.0
    many = [*(f"unknown-{number}" for number in range(1_100)), "c0", "c1", "x"]
    assert await store.improvements.wordless("acme", many) == {"c0"}
    assert await store.improvements.wordless("acme", ()) == set()
