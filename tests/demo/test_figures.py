from math import sqrt

import numpy as np
import pytest

from x25.demo.figures import by_kind, compare, estimate, stages_passed, tier_mix_over_time


def test_the_interval_covers_the_true_mean_about_95_times_in_100() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        sample = rng.random(60)
        found = estimate(sample, rng.integers(0, 60, size=(500, 60)))
        covered += found.low <= 0.5 <= found.high
    # A percentile bootstrap of 60 covers .94; Binomial(400, .94) is 4 errors off once in 16,000 runs.
    assert abs(covered / 400 - 0.94) < 4 * sqrt(0.94 * 0.06 / 400)


def test_an_estimate_of_equal_values_has_no_width() -> None:
    found = estimate(np.full(5, 2.0), np.zeros((10, 5), dtype=np.int64))
    assert (found.mean, found.low, found.high) == (2.0, 2.0, 2.0)


def test_rows_are_the_arithmetic_of_a_tiny_example(panel, make_routed) -> None:
    routed = [
        make_routed("slm", scores=(1, 1, 1)),
        make_routed("mid", judge_cost_usd=0.001),
        make_routed("frontier", scores=(0, 0, 1)),
        make_routed("slm", scores=(0, 1, 1)),
    ]
    rows = {row["name"]: row for row in compare(routed, panel)}
    assert list(rows) == [
        "x25", "always cheapest (small)", "always mid (middle)", "always frontier (large)", "random",
    ]  # fmt: skip
    x25, cheapest, _, frontier, chance = rows.values()
    assert x25["usd_per_1k"].mean == pytest.approx(1000 * (0.001 + 0.011 + 0.1 + 0.001) / 4)
    assert x25["score"].mean == pytest.approx(75)
    assert x25["points"].mean == pytest.approx(-25)
    assert x25["cut"].mean == pytest.approx(1 - 0.113 / 0.4)
    assert x25["tier_mix"] == {"slm": 0.5, "mid": 0.25, "frontier": 0.25}
    assert (cheapest["usd_per_1k"].mean, cheapest["score"].mean) == (pytest.approx(1), pytest.approx(25))
    assert (frontier["cut"].mean, frontier["cut"].high, frontier["points"].mean) == (0, 0, 0)
    assert chance["usd_per_1k"].mean == pytest.approx(1000 * 0.111 / 3)
    assert chance["score"].mean == pytest.approx(100 * (1 + 3 + 4) / 12)
    assert chance["tier_mix"] == pytest.approx(dict.fromkeys(("slm", "mid", "frontier"), 1 / 3))


def test_intervals_are_the_seeds_and_hold_the_mean(panel, make_routed) -> None:
    rng = np.random.default_rng(3)
    routed = [make_routed("slm", scores=(float(rng.random() < 0.5), 1, 1)) for _ in range(50)]
    first, again, other = (compare(routed, panel, seed)[0]["score"] for seed in (0, 0, 1))
    assert first == again != other
    assert first.low < first.mean < first.high


def test_pairing_cancels_what_prompts_have_in_common(panel, make_routed) -> None:
    routed = [make_routed("frontier", scores=(0, 0, float(number % 2))) for number in range(20)]
    row = compare(routed, panel)[0]
    assert row["score"].high > row["score"].low
    assert (row["points"].low, row["points"].mean, row["points"].high) == (0, 0, 0)


def test_windows_cover_every_call_once_in_order(make_routed) -> None:
    routed = [make_routed("slm", steps=2) for _ in range(7)] + [make_routed("mid") for _ in range(6)]
    windows = tier_mix_over_time(routed)
    assert [window["calls"] for window in windows] == [3, 2, 2, 2, 2, 2]
    assert [window["slm"] for window in windows] == [1, 1, 1, 0, 0, 0]
    assert [window["escalated"] for window in windows] == [1, 1, 1, 0, 0, 0]
    assert [window["score"] for window in windows] == [0, 0, 0, 1, 1, 1]


def test_fewer_calls_than_windows_make_a_window_each(make_routed) -> None:
    assert [window["calls"] for window in tier_mix_over_time([make_routed(), make_routed()])] == [1, 1]


def test_stages_are_listed_once_in_the_order_of_their_coming(make_routed) -> None:
    stages = ("Explore", "Explore", "Exploit", "Explore", "Feedback")
    assert stages_passed([make_routed(stage=stage) for stage in stages]) == ["Explore", "Exploit", "Feedback"]


def test_kinds_are_compared_with_the_frontier_on_the_same_prompts(panel, make_routed) -> None:
    routed = [
        make_routed("slm", kind="sums"),
        make_routed("mid", kind="sums"),
        make_routed("frontier", kind="dates"),
    ]
    dates, sums = by_kind(routed, panel)
    assert (dates["kind"], dates["calls"], dates["score"], dates["frontier_score"]) == ("dates", 1, 1.0, 1.0)
    assert (sums["calls"], sums["score"]) == (2, 0.5)
    assert sums["usd_per_1k"] == pytest.approx(5.5)
    assert sums["frontier_usd_per_1k"] == pytest.approx(100)
