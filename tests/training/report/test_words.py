import pytest

from x25.training.report import words


@pytest.mark.parametrize(
    ("value", "written"),
    [(2.26, "+2.3"), (-0.74, "−0.7"), (0.0, "0.0"), (-0.04, "0.0"), (0.04, "0.0"), (None, "–")],
)
def test_differences_carry_their_sign_and_are_never_minus_zero(value, written):
    assert words.signed(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.00036551, "$0.000366"),
        (0.0000494, "$0.0000494"),
        (0.002, "$0.00200"),
        (1.5, "$1.50"),
        (1234.5, "$1,234"),
        (0, "$0"),
        (-0.01, "−$0.0100"),
        (None, "–"),
    ],
)
def test_dollars_have_three_significant_digits_and_no_exponent(value, written):
    assert words.usd(value) == written


def test_ticks_have_no_trailing_zeros():
    assert [words.usd_tick(value) for value in (0.0001, 0.02, 1.0)] == ["$0.0001", "$0.02", "$1"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.494, "49 %"), (1.0, "100 %"), (0.997, "99.7 %"), (-0.104, "−10 %"), (-2.2e-16, "0 %"), (None, "–")],
)
def test_what_is_not_all_never_reads_100_per_cent(value, written):
    assert words.percent(value) == written


def test_scores_are_written_out_of_a_hundred():
    assert (words.score(0.7338), words.score(None)) == ("73.4", "–")


def test_intervals_are_written_with_their_ends():
    assert words.between((-0.66, 3.9)) == "−0.7 to +3.9"
    assert words.percent_between((0.46, 0.519)) == "46 to 52"
    assert words.between(None) == words.percent_between(None) == "–"


def test_counts_have_their_thousands_apart():
    assert (words.count(12345), words.count(None)) == ("12,345", "–")


def test_a_plain_number_has_a_real_minus():
    assert (words.plain(-1.5, 1), words.plain(-0.001, 2)) == ("−1.5", "0.00")


def test_the_lowest_and_the_highest_share_are_written_once_where_they_read_alike():
    assert words.percent_range([0.44, 0.6, 0.5]) == "44 to 60 %"
    assert words.percent_range([0.441, 0.444]) == "44 %"
    assert words.percent_range([]) == "–"


def test_a_mean_stands_with_its_deviation_both_times_a_factor():
    assert words.spread(0.58, 0.03, 100.0) == "+58.0 ± 3.0"
    assert words.spread(1.7, None) == "+1.7 ± –"
    assert words.spread(None, 0.1) == "–"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-0.12345, "−0.1235"),
        ([1, None, 2.5], "1 · – · 2.5"),
        ({"a": 1}, "a 1"),
        (True, "True"),
        ("text", "text"),
    ],
)
def test_a_figure_of_any_kind_can_be_written(value, written):
    assert words.figure(value) == written
