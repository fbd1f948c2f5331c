from datetime import UTC, datetime

import pytest

from x25.state.queries.spreads import Range
from x25.terminal.formats import (
    change,
    counted,
    dollars,
    duration,
    moment,
    number,
    percent,
    point_change,
    points,
    share_range,
    uptime,
    usd,
    usd_range,
)


@pytest.mark.parametrize(
    ("nusd", "shown"),
    [
        (0, "$0.00"), (1_234_567_891_000, "$1,234.57"), (10_000_000_000, "$10.00"), (999_000_000, "$0.999"),
        (12_345_678, "$0.0123"), (-297_000, "−$0.000297"), (1, "$0.000000001"), (150, "$0.000000150"),
    ],
)  # fmt: skip
def test_dollars_have_no_more_digits_than_they_are_worth(nusd, shown):
    assert usd(nusd) == shown
    assert dollars(nusd / 1e9) == shown


def test_figures_wear_their_units():
    assert (number(1234567), number(-5)) == ("1,234,567", "−5")
    assert (percent(0.1234), percent(None), percent(-0.5, 0)) == ("12.3 %", "–", "−50 %")
    assert (points(0.012), points(-0.1)) == ("+1.2 points", "−10.0 points")
    assert (duration(12.4), duration(1500), duration(None)) == ("12 ms", "1.5 s", "–")
    assert [uptime(one) for one in (61, 3_700, 90_061)] == ["1 min", "1 h 1 min", "1 d 1 h"]


def test_intervals_are_told_where_they_are_known():
    assert usd_range(Range(1.0)) == share_range(Range(1.0)) == ""
    assert usd_range(Range(0.0, -1e9, 1e9)) == "−$1.000 to $1.000"
    assert share_range(Range(0.9, 0.8, 1.2)) == "80.0 % to 100.0 %"


def test_a_moment_carries_its_zone():
    assert 'datetime="2025-01-01T00:00:00+00:00"' in moment(datetime(2025, 1, 1, tzinfo=UTC))


def test_amounts_change_by_shares_and_shares_by_points():
    assert (change(70, 50), change(30, 50), change(1, 0), change(None, 5)) == ("+40 %", "−40 %", "–", "–")
    assert (point_change(0.688, 0.67), point_change(0.7, 0.75)) == ("+1.8 points", "−5.0 points")
    assert (point_change(0.1, 0.0), point_change(0.1, None)) == ("+10.0 points", "–")


def test_one_of_something_is_told_in_the_singular():
    assert [counted(n, "call") for n in (0, 1, 1_425)] == ["0 calls", "1 call", "1,425 calls"]
