from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from x25.graph.bootstrap import open_services
from x25.graph.recovery import close_interrupted_calls
from x25.state.records import Attempt

NOW = datetime.now(UTC)


def orphan(call_id, *, age_s, attempt_id, **changes):
    attempt = Attempt(
        attempt_id=attempt_id,
        org="acme",
        call_id=call_id,
        step=0,
        kind="answer",
        model_id="sim/tiny-1",
        tier="slm",
        deployment="simulator",
        status="started",
        reserved_nusd=700,
        started_at=NOW - timedelta(seconds=age_s),
    )
    return replace(attempt, **changes)


@pytest.fixture
async def services(settings):
    async with open_services(settings, {}) as opened:
        yield opened


@pytest.fixture
def store(services):
    return services.store


async def test_an_orphan_becomes_an_interrupted_call_with_its_money_and_an_entry(services, store):
    finished = orphan("dead", age_s=901, attempt_id="a0")
    await store.attempts.start(finished)
    await store.attempts.finish(replace(finished, status="finished", cost_nusd=40, cost_source="computed"))
    await store.attempts.start(orphan("dead", age_s=900, attempt_id="j0", kind="judge", reserved_nusd=9))
    await store.attempts.start(orphan("dead", age_s=900, attempt_id="a1", step=1))
    closed = await close_interrupted_calls(services, before=NOW - timedelta(seconds=600))
    assert closed == [("acme", "dead")]
    call = await store.calls.get("acme", "dead")
    assert (call.status, call.cost_nusd, call.judge_cost_nusd, call.model_id) == ("interrupted", 740, 9, None)
    assert call.simulated
    stats = await store.calls.stats("acme")
    assert (stats.cost_nusd, stats.avg_latency_ms) == (740, None)
    assert stats.model_distribution == stats.tier_distribution == {"none": 1}
    (entry,) = await store.audit.tail("acme", 9)
    assert (entry.record["status"], entry.record["cost_nusd"]) == ("interrupted", 740)
    assert call.record_hash == entry.record_hash
    assert (await store.audit.verify("acme")).intact
    assert await close_interrupted_calls(services, before=NOW) == []


async def test_younger_attempts_are_left_alone(services, store):
    await store.attempts.start(orphan("running", age_s=1, attempt_id="a0"))
    await store.attempts.start(orphan("slow", age_s=900, attempt_id="a1"))
    await store.attempts.start(orphan("slow", age_s=1, attempt_id="a2", step=1))
    assert await close_interrupted_calls(services, before=NOW - timedelta(seconds=600)) == []
    assert await store.calls.get("acme", "running") is None
