import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from x25.state.latency_buckets import ERROR, bucket_of, percentiles_ms
from x25.state.queries.rollups import every_day

FIRST = datetime(2025, 1, 30, 23, 59, tzinfo=UTC)


@pytest.fixture
async def logged(store, make_call):
    """Log sixty random calls of two orgs over five days."""
    rng = random.Random(3)
    calls = []
    for n in range(60):
        model, tier = rng.choice([("v/small", "slm"), ("v/big", "frontier"), (None, None)])
        source = rng.choice(["judge", "estimate", "none"]) if model else "none"
        calls.append(make_call(
            call_id=f"c{n}", org=rng.choice(["acme", "beta"]), created_at=FIRST + timedelta(hours=2 * n),
            model_id=model, tier=tier, task_cell=rng.choice(["qa", "code"]), cost_nusd=rng.randrange(10**12),
            judge_cost_nusd=rng.randrange(10**6), reference_cost_nusd=rng.randrange(10**12),
            quality_score=None if source == "none" else rng.random(), quality_source=source,
            latency_ms=rng.random() * 1e4, status=rng.choice(["answered", "failed", "interrupted"]),
            escalations=rng.choice([0, 0, 2]), fallbacks=rng.choice([0, 1]), simulated=rng.random() < 0.5,
            decision={"tokens": rng.choice([None, [rng.randrange(900), 5, rng.randrange(90)]])}
            | rng.choice([{}, {"right_prob": rng.random()}]),
        ))  # fmt: skip
        await store.calls.record(calls[-1], {"n": n})
    await store.calls.record(calls[0], {"n": 0})
    return calls


async def test_orgs_equal_a_recomputation_from_the_log(store, logged):
    first, last = date(2025, 1, 31), date(2025, 2, 2)
    found = {one.org: one for one in await store.rollups.orgs(first, last)}
    assert set(found) == {"acme", "beta"}
    for org, one in found.items():
        mine = [call for call in logged if call.org == org and first <= call.created_at.date() <= last]
        assert one.total_calls == len(mine)
        assert one.paid_nusd == sum(call.paid_nusd for call in mine)
        assert one.saved_nusd == sum(call.saved_nusd for call in mine)
    assert await store.rollups.orgs(date(2024, 1, 1), date(2024, 1, 2)) == []


async def test_days_equal_a_recomputation_from_the_log(store, logged):
    for org in ("acme", "beta", None):
        mine = [call for call in logged if org in (None, call.org)]
        found = await store.rollups.days(org, date(2025, 1, 31), date(2025, 2, 2))
        groups = defaultdict(list)
        for call in mine:
            if date(2025, 1, 31) <= call.created_at.date() <= date(2025, 2, 2):
                groups[call.created_at.date(), call.model_id or "none", call.tier or "none"].append(call)
        assert {(one.day, one.model_id, one.tier) for one in found} == groups.keys()
        for one in found:
            calls = groups[one.day, one.model_id, one.tier]
            assert one.total_calls == len(calls)
            assert one.cost_nusd == sum(call.cost_nusd for call in calls)
            assert one.saved_nusd == sum(call.saved_nusd for call in calls)
            assert one.judged == sum(call.quality_source == "judge" for call in calls)
            assert one.quality == pytest.approx(sum(call.quality_score or 0.0 for call in calls))
            timed = [call.latency_ms for call in calls if call.status != "interrupted"]
            assert (one.timed, one.latency_ms) == (len(timed), pytest.approx(sum(timed)))
            assert one.escalated == sum(call.escalations > 0 for call in calls)
            assert one.fell_back == sum(call.fallbacks > 0 for call in calls)
            assert one.failed == sum(call.status == "failed" for call in calls)
            assert one.simulated == sum(call.simulated for call in calls)
            assert one.quality_sq == pytest.approx(sum((call.quality_score or 0.0) ** 2 for call in calls))
            assert one.saved_sq == pytest.approx(sum((call.saved_nusd / 1e9) ** 2 for call in calls))
            right = [call.decision["right_prob"] for call in calls if "right_prob" in call.decision]
            assert (one.believed, one.right_prob) == (len(right), pytest.approx(sum(right)))


async def test_latencies_equal_a_recomputation_from_the_log(store, logged):
    first, last = date(2025, 1, 31), date(2025, 2, 2)
    for narrowed in ({}, {"model_id": "v/small"}, {"tier": "frontier"}, {"model_id": "none"}):
        for org in ("acme", None):
            timed = sorted(
                call.latency_ms for call in logged
                if org in (None, call.org) and call.status != "interrupted" and first <= call.created_at.date() <= last
                and narrowed.get("model_id") in (None, call.model_id or "none")
                and narrowed.get("tier") in (None, call.tier or "none")
            )  # fmt: skip
            counts = await store.rollups.latencies(org, first, last, **narrowed)
            assert counts == Counter(bucket_of(one) for one in timed)
            found = percentiles_ms(counts)
            assert found.keys() == ({50, 90, 95, 99} if timed else set())
            for percent, latency_ms in found.items():
                exact_ms = timed[-(-percent * len(timed) // 100) - 1]
                assert latency_ms == pytest.approx(exact_ms, rel=ERROR + 1e-9)


async def test_choices_equal_a_recomputation_from_the_log(store, logged):
    for org in ("acme", None):
        groups = defaultdict(list)
        for call in logged:
            if org in (None, call.org):
                groups[call.task_cell, call.model_id or "none"].append(call)
        found = await store.rollups.choices(org)
        assert [(one.task_cell, one.model_id) for one in found] == sorted(groups)
        for one in found:
            calls = groups[one.task_cell, one.model_id]
            counted = [call for call in calls if call.decision["tokens"]]
            assert (one.total_calls, one.counted_calls) == (len(calls), len(counted))
            assert one.prompt_tokens == sum(call.decision["tokens"][0] for call in counted)
            assert one.completion_tokens == sum(call.decision["tokens"][2] for call in counted)
            assert one.counted_paid_nusd == sum(call.paid_nusd for call in counted)
            assert one.paid_sq == pytest.approx(sum((call.paid_nusd / 1e9) ** 2 for call in calls))
            assert one.paid_reference == pytest.approx(
                sum(call.paid_nusd / 1e9 * call.reference_cost_nusd / 1e9 for call in calls)
            )


async def test_days_and_sums_over_all_time_agree(store, logged):
    stats, days = await store.calls.stats("acme"), await store.rollups.days("acme", date.min, date.max)
    assert (
        sum(one.total_calls for one in days)
        == stats.total_calls
        == len([c for c in logged if c.org == "acme"])
    )
    assert sum(one.saved_nusd for one in days) == stats.saved_nusd


async def test_an_org_without_calls_has_no_days(store):
    assert await store.rollups.days("nobody", date.min, date.max) == []
    assert await store.rollups.choices("nobody") == []


def test_every_day_is_named_across_a_month():
    assert [day.day for day in every_day(date(2024, 2, 28), date(2024, 3, 1))] == [28, 29, 1]
