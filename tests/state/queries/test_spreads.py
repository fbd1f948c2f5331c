import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.state.queries.call_pages import CallLine
from x25.state.queries.spreads import (
    Range,
    difference,
    latency_percentiles,
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
        found = saved_total(lines, sum(one.saved_nusd for one in lines), 80)
        hits += found.low <= 80 * (4_999.5 - 11) <= found.high
    assert hits / 500 == pytest.approx(0.95, abs=0.03)


def test_too_few_calls_have_no_interval():
    assert saved_total([LINE] * 29, 7, 29) == Range(7.0)
    assert mean_range([1.0, 0.0]) == Range(0.5)
    assert mean_range([]) is None
    assert difference(Range(0.7), Range(0.5, 0.4, 0.6)) == Range(pytest.approx(0.2))
    assert difference(None, Range(1.0)) is None
    found = difference(Range(0.7, 0.6, 0.8), Range(0.5, 0.4, 0.6))
    assert found.high - found.value == pytest.approx(0.02**0.5)


def test_percentiles_are_of_calls_that_were_timed():
    lines = [replace(LINE, latency_ms=float(n)) for n in range(1, 101)]
    assert latency_percentiles(lines) == {50: 50.0, 90: 90.0, 95: 95.0, 99: 99.0}
    assert latency_percentiles([replace(LINE, status="interrupted")]) == {}
    assert latency_percentiles([LINE]) == {50: 1.0, 90: 1.0, 95: 1.0, 99: 1.0}


def test_rates_are_shares_of_calls():
    lines = [LINE, replace(LINE, escalations=2, fallbacks=1, quality_source="checks", simulated=False)]
    found = rates([*lines, replace(LINE, status="failed"), LINE])
    assert (found.calls, found.escalated, found.fell_back, found.failed) == (4, 0.25, 0.25, 0.25)
    assert (found.judged, found.simulated) == (0.75, 0.75)
    assert rates([]) is None


def test_quality_is_told_by_kind_of_task():
    lines = [LINE, replace(LINE, quality_score=1.0), replace(LINE, task_type="code", quality_score=0.9)]
    lines.append(replace(LINE, task_type="odd", quality_score=None))
    assert [(one.task_type, one.calls, one.mean.value) for one in quality_by_task(lines)] == [
        ("qa", 2, 0.75), ("code", 1, 0.9),
    ]  # fmt: skip
    assert scores(lines) == [0.5, 1.0, 0.9]
