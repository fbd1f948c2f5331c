import pytest

from x25.bench.figures import (
    NOT_MEASURED,
    Spread,
    added,
    cell,
    exponent,
    over_rounds,
    percentiles,
    ratios,
    slope,
)


def test_rounds_are_summed_up_by_median_and_range():
    assert over_rounds([5.0, 1.0, 2.0]) == Spread(median=2.0, low=1.0, high=5.0)
    with pytest.raises(ValueError, match="at least one round"):
        over_rounds([])


def test_percentiles_are_interpolated():
    assert percentiles(range(101)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([1.0, 2.0])["p50"] == 1.5


def test_what_is_added_is_the_difference_percentile_by_percentile():
    direct = [1.0] * 100
    through = [3.0] * 96 + [53.0] * 4
    assert added(direct, through) == {"p50": 2.0, "p95": 2.0, "p99": 52.0}


def test_ratios_are_taken_round_by_round():
    # A round in which the whole machine was half as fast says the same as the others.
    assert ratios([10.0, 20.0, 10.0], [40.0, 80.0, 20.0]) == Spread(median=0.25, low=0.25, high=0.5)
    assert ratios([1.0], [0.0]).median == float("inf")
    with pytest.raises(ValueError, match="got 1 and 2"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_is_that_power(power):
    sizes = [10, 1_000, 100_000]
    assert exponent(sizes, [3.0 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


def test_a_cost_that_every_size_has_hides_growth_at_small_sizes_only():
    sizes = [1, 10, 100, 1_000]
    values = [50.0 + size for size in sizes]
    assert exponent(sizes, values) < exponent(sizes[-2:], values[-2:]) < 1.0


@pytest.mark.parametrize(("sizes", "values"), [([10], [1.0]), ([10, 10], [1.0, 2.0]), ([1, 2], [1.0])])
def test_a_curve_needs_two_sizes(sizes, values):
    with pytest.raises(ValueError, match="at two sizes or more"):
        exponent(sizes, values)


def test_a_curve_has_no_zeros():
    with pytest.raises(ValueError, match="above 0"):
        exponent([1, 2], [0.0, 1.0])


def test_a_slope_is_a_rise_for_each_unit():
    assert slope([0, 10, 20], [5.0, 25.0, 45.0]) == pytest.approx(2.0)
    assert slope([7], [5.0]) == 0.0


def test_a_cell_shows_the_median_over_the_range():
    assert cell({"median": 4.256, "low": 4.0, "high": 5.5}) == "4.26\n(4.00 to 5.50)"
    assert cell({"median": 1234.5, "low": 1234.5, "high": 1234.5}) == "1,234"
    assert cell({"median": 42.04, "low": 42.0, "high": 42.1}) == "42.0\n(42.0 to 42.1)"
    assert cell({"median": 1234.5, "low": 1.0, "high": 2000.0}, 2) == "1,234.50\n(1.00 to 2,000.00)"
    assert cell(None) == NOT_MEASURED
