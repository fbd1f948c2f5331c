import pytest

from x25.state.errors import StoreError


async def test_row_and_entry_are_written_together_or_not_at_all(store, make_call):
    await store.transact(lambda connection: connection.exec_driver_sql("DROP TABLE calls").close())
    with pytest.raises(StoreError, match="no such table: calls"):
        await store.calls.record(make_call(), {})
    assert await store.orgs.list() == []


async def test_every_quality_there_is_is_averaged(store, make_call):
    for source, score in (("judge", 0.2), ("checks", 0.0), ("estimate", 1.0), ("none", None)):
        await store.calls.record(make_call(call_id=source, quality_source=source, quality_score=score), {})
    assert (await store.calls.stats("acme")).avg_quality == pytest.approx(0.4)


async def test_average_of_nothing_is_null(store, make_call):
    await store.calls.record(make_call(quality_source="none", quality_score=None), {})
    assert (await store.calls.stats("acme")).avg_quality is None
    assert (await store.calls.stats("nobody")).avg_latency_ms is None


async def test_failed_call_counts_as_one_without_a_model(store, make_call):
    await store.calls.record(make_call(status="failed", model_id=None, provider=None, tier=None), {})
    stats = await store.calls.stats("acme")
    assert (stats.total_calls, stats.model_distribution, stats.tier_distribution) == (
        1,
        {"none": 1},
        {"none": 1},
    )


async def test_dearer_than_the_reference_is_a_negative_saving(store, make_call):
    await store.calls.record(make_call(cost_nusd=1_000, judge_cost_nusd=50, reference_cost_nusd=400), {})
    assert (await store.calls.stats("acme")).saved_nusd == -650


async def test_the_judge_turns_a_gain_into_a_loss(store, make_call):
    await store.calls.record(make_call(cost_nusd=700, judge_cost_nusd=400, reference_cost_nusd=1_000), {})
    assert (await store.calls.stats("acme")).saved_nusd == -100


async def test_unknown_call_is_none(store):
    assert await store.calls.get("acme", "c1") is None
    assert await store.calls.list("acme", 5) == []


async def test_interrupted_call_says_nothing_of_latency(store, make_call):
    await store.calls.record(make_call(call_id="c1", latency_ms=80.0), {})
    await store.calls.record(make_call(call_id="c2", status="interrupted", latency_ms=0.0), {})
    stats = await store.calls.stats("acme")
    assert (stats.total_calls, stats.avg_latency_ms) == (2, 80.0)
