from datetime import date

import pytest

from x25.state.queries.periods import (
    Period,
    Totals,
    by_day,
    by_model,
    by_tier,
    cost_drivers,
    forecast,
    total,
)
from x25.state.queries.rollups import DaySum


def day_sum(day, model="v/a", tier="slm", **more):
    figures = dict.fromkeys(Totals.__dataclass_fields__, 0)
    return DaySum(date.fromisoformat(day), model, tier, **{**figures, **more})


SUMS = [
    day_sum(
        "2025-01-30",
        total_calls=2,
        cost_nusd=10,
        judge_cost_nusd=1,
        reference_cost_nusd=100,
        rated=2,
        quality=1.5,
    ),
    day_sum("2025-02-01", total_calls=1, cost_nusd=30, reference_cost_nusd=40, timed=1, latency_ms=7.0),
    day_sum("2025-02-01", "v/b", "mid", total_calls=5, cost_nusd=20, judge_cost_nusd=5, judged=2),
    day_sum("2025-02-01", "none", "none", total_calls=3),
]


def test_a_period_knows_its_length_and_the_one_before():
    week = Period.ending(date(2025, 2, 7), 7)
    assert (week.first, week.length) == (date(2025, 2, 1), 7)
    assert week.before == Period(date(2025, 1, 25), date(2025, 1, 31))
    for first, last in [(date(2025, 2, 2), date(2025, 2, 1)), (date(2023, 1, 1), date(2025, 1, 1))]:
        with pytest.raises(ValueError, match="1 to 366 days"):
            Period(first, last)


def test_totals_count_the_judge_and_have_no_mean_of_nothing():
    sums = total(SUMS)
    assert (sums.total_calls, sums.paid_nusd, sums.saved_nusd) == (11, 66, 74)
    assert sums.saved_share == pytest.approx(74 / 140)
    assert (sums.mean_quality, sums.mean_latency_ms, sums.judged_share) == (0.75, 7.0, pytest.approx(2 / 11))
    nothing = total([])
    assert (nothing.saved_share, nothing.mean_quality, nothing.mean_latency_ms, nothing.judged_share) == (
        None,
    ) * 4


def test_days_without_calls_are_there_and_zero():
    points = by_day(SUMS, Period(date(2025, 1, 30), date(2025, 2, 2)))
    assert [(one.day.day, one.totals.total_calls, one.totals.saved_nusd) for one in points] == [
        (30, 2, 89), (31, 0, 0), (1, 9, -15), (2, 0, 0),
    ]  # fmt: skip


def test_shares_sum_to_all_calls_and_drivers_are_dearest_first():
    assert [(one.name, one.totals.total_calls) for one in by_model(SUMS)] == [
        ("v/b", 5),
        ("none", 3),
        ("v/a", 3),
    ]
    assert [(one.name, one.totals.total_calls) for one in by_tier(SUMS)] == [
        ("mid", 5),
        ("none", 3),
        ("slm", 3),
    ]
    assert [(one.name, one.totals.paid_nusd) for one in cost_drivers(SUMS)] == [("v/a", 41), ("v/b", 25)]


def test_a_forecast_adds_the_remaining_days_at_the_rate_of_the_last_seven():
    sums = [day_sum(f"2025-02-0{n}", total_calls=1, cost_nusd=10 * n) for n in range(1, 9)]
    found = forecast(sums, date(2025, 2, 8))
    assert (found.spent_nusd, found.days_left) == (360, 20)
    assert (found.month_end_nusd, found.low_nusd, found.high_nusd) == (
        360 + 40 * 20,
        360 + 200,
        360 + 70 * 20,
    )


def test_a_forecast_begins_with_the_first_day_there_is():
    found = forecast([day_sum("2025-02-08", total_calls=1, cost_nusd=10)], date(2025, 2, 8))
    assert (found.spent_nusd, found.month_end_nusd) == (10, 10 + 10 * 20)
    later = forecast([day_sum("2025-02-07", total_calls=1, cost_nusd=4)], date(2025, 2, 8))
    assert (later.spent_nusd, later.month_end_nusd) == (4, 4 + 4 * 20)
    assert forecast([], date(2025, 2, 28)).month_end_nusd == 0
