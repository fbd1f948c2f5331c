from datetime import UTC, datetime

import pytest

from x25.state.audit.decisions import LoggedDecision
from x25.state.errors import ChainBroken

DECISION = LoggedDecision(
    "d1", "acme", datetime(2026, 1, 1, tzinfo=UTC), "auto", "qa", "qa", expected_quality=0.75, cost_nusd=12,
    latency_ms=30.0, propensity=0.5, facts={"selected": ["v/m"], "candidates": []}, user_id="ada", prompt="hello",
)  # fmt: skip


async def test_one_row_and_one_entry_are_written_and_no_call_is_counted(store):
    entry = await store.decisions.record(DECISION, {"kind": "decision"})
    (logged,) = (await store.history.recent("acme")).rows
    assert (logged.row.facts, logged.row.prompt, logged.record_hash) == (
        DECISION.facts, "hello", entry.record_hash,
    )  # fmt: skip
    assert await store.orgs.call_count("acme") == 0
    assert (await store.calls.stats("acme")).total_calls == 0
    assert (await store.audit.verify("acme")).total_records == 1


async def test_a_decision_that_cannot_be_chained_is_not_logged(store):
    await store.decisions.record(DECISION, {"kind": "decision"})
    await store.transact(lambda one: one.exec_driver_sql("UPDATE orgs SET chain_length = 0").close())
    with pytest.raises(ChainBroken):
        await store.decisions.record(DECISION, {"kind": "decision"})
    assert (await store.history.recent("acme")).total == 1
