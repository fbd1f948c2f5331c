import random
from dataclasses import replace
from datetime import UTC, datetime
from statistics import fmean, stdev

import pytest

from x25.state.queries.call_pages import CallLine
from x25.state.queries.periods import Totals
from x25.state.queries.spreads import (
    Z95,
    Range,
    difference,
    mean_quality,
    mean_range,
    quality_by_task,
    rates,
    saved_total,
    scores,
)

LINE = CallLine(
    org="acme", call_id="c", created_at=datetime(2025, 1, 1, tzinfo=UTC), status="answered", task_type="qa",
    model_id="v/m", tier="slm", cost_nusd=10, judge_cost_nusd=1, reference_cost_nusd=100, quality_score=0.5,
    quality_source="judge", latency_ms=1.0, escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=True,
)  # fmt: skip


def totals_of(lines):
    """Return the sums over some calls, recomputed."""
    rated = scores(lines)
    return Totals(
        total_calls=len(lines), cost_nusd=sum(one.cost_nusd for one in lines),
        judge_cost_nusd=sum(one.judge_cost_nusd for one in lines),
        reference_cost_nusd=sum(one.reference_cost_nusd for one in lines),
        judged=sum(one.quality_source == "judge" for one in lines), rated=len(rated),
        escalated=sum(one.escalations > 0 for one in lines), fell_back=sum(one.fallbacks > 0 for one in lines),
        failed=sum(one.status == "failed" for one in lines), simulated=sum(one.simulated for one in lines),
        quality=sum(rated), quality_sq=sum(one * one for one in rated),
        saved_sq=sum((one.saved_nusd / 1e9) ** 2 for one in lines),
    )  # fmt: skip


def test_the_interval_of_a_mean_covers_the_truth_in_95_of_100_samples():
    rng, hits = random.Random(1), 0
    for _ in range(2_000):
        found = mean_range([rng.random() for _ in range(60)])
        hits += found.low <= 0.5 <= found.high
    assert hits / 2_000 == pytest.approx(0.95, abs=0.02)


def test_the_interval_of_a_sum_covers_other_weeks_like_it():
    rng, hits = random.Random(2), 0
    for _ in range(500):
        lines = [replace(LINE, reference_cost_nusd=rng.randrange(10_000)) for _ in range(80)]
        found = saved_total(totals_of(lines))
        hits += found.low <= 80 * (4_999.5 - 11) <= found.high
    assert hits / 500 == pytest.approx(0.95, abs=0.03)


def test_too_few_calls_have_no_interval():
    assert saved_total(totals_of([LINE] * 29)) == Range(29.0 * 89)
    assert mean_quality(Totals()) is None
    assert mean_range([1.0, 0.0]) == Range(0.5)
    assert mean_range([]) is None
    assert difference(Range(0.7), Range(0.5, 0.4, 0.6)) == Range(pytest.approx(0.2))
    assert difference(None, Range(1.0)) is None
    found = difference(Range(0.7, 0.6, 0.8), Range(0.5, 0.4, 0.6))
    assert found.high - found.value == pytest.approx(0.02**0.5)


def test_an_interval_from_sums_is_that_from_the_calls():
    rng = random.Random(5)
    lines = [
        replace(LINE, quality_score=rng.random(), reference_cost_nusd=rng.randrange(10**9))
        for _ in range(400)
    ]
    found, values = mean_quality(totals_of(lines)), scores(lines)
    assert (found.value, found.low) == pytest.approx(
        (fmean(values), fmean(values) - Z95 * stdev(values) / 20)
    )
    saved = [one.saved_nusd for one in lines]
    around = saved_total(totals_of(lines))
    assert around.high - around.value == pytest.approx(Z95 * stdev(saved) * 20)


def test_rates_are_shares_of_calls():
    lines = [LINE, replace(LINE, escalations=2, fallbacks=1, quality_source="checks", simulated=False)]
    found = rates(totals_of([*lines, replace(LINE, status="failed"), LINE]))
    assert (found.calls, found.escalated, found.fell_back, found.failed) == (4, 0.25, 0.25, 0.25)
    assert (found.judged, found.simulated) == (0.75, 0.75)
    assert rates(Totals()) is None


def test_quality_is_told_by_kind_of_task():
    lines = [LINE, replace(LINE, quality_score=1.0), replace(LINE, task_type="code", quality_score=0.9)]
    lines.append(replace(LINE, task_type="odd", quality_score=None))
    assert [(one.task_type, one.calls, one.mean.value) for one in quality_by_task(lines)] == [
        ("qa", 2, 0.75), ("code", 1, 0.9),
    ]  # fmt: skip
    assert scores(lines) == [0.5, 1.0, 0.9]
