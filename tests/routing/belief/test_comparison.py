from math import log

import numpy as np
import pytest

from x25.routing.belief.comparison import (
    Interval,
    MoneySums,
    Single,
    best_single,
    choice_dependence,
    gain_over,
    mean_interval,
    right_share_interval,
    saved_share_interval,
)


def sums_of(paid, reference) -> MoneySums:
    squares = (paid**2).sum(), (reference**2).sum(), (paid * reference).sum()
    return MoneySums(len(paid), paid.sum(), reference.sum(), *squares)


def test_the_interval_of_a_mean_is_the_textbooks():
    values = np.array([0.0, 1.0, 1.0, 1.0])
    found = mean_interval(4, values.sum(), (values**2).sum())
    half = 1.959963984540054 * values.std(ddof=1) / 2.0
    assert (found.value, found.low, found.high) == pytest.approx((0.75, 0.75 - half, 0.75 + half))
    assert mean_interval(0, 0.0, 0.0) is None
    assert mean_interval(1, 0.5, 0.25) == Interval(0.5)


def test_the_interval_of_the_share_of_right_answers_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(600):
        probs = rng.beta(4.0, 1.0, 150)
        found = right_share_interval(150, float(probs.sum()))
        held += (
            found.low <= (rng.random(150) < probs).mean() <= found.high
        )  # of these prompts: narrower than of any
        assert found.value == pytest.approx(probs.mean())
    assert held / 600 > 0.95
    assert right_share_interval(0, 0.0) is None
    assert right_share_interval(1, 0.7) == Interval(0.7)
    assert right_share_interval(9, 9.0) == Interval(1.0, 1.0, 1.0)


def test_the_interval_of_the_saved_share_holds_the_truth_as_often_as_it_says():
    rng, truth, held = np.random.default_rng(5), 0.75, 0
    for _ in range(1_000):
        reference = rng.gamma(2.0, 5.0, 200)
        paid = 0.25 * reference * rng.gamma(4.0, 0.25, 200)
        found = saved_share_interval(sums_of(paid, reference))
        held += found.low <= truth <= found.high
    assert 0.925 <= held / 1_000 <= 0.975


def test_nothing_saved_is_told_where_the_reference_costs_nothing_and_no_interval_of_one_call():
    assert saved_share_interval(MoneySums(3, 1.0, 0.0, 1.0, 0.0, 0.0)) is None
    assert saved_share_interval(MoneySums(1, 1.0, 4.0, 1.0, 16.0, 4.0)) == Interval(0.75)
    equal = saved_share_interval(MoneySums(2, 2.0, 8.0, 2.0, 32.0, 8.0))
    assert (equal.value, equal.low, equal.high) == pytest.approx((0.75, 0.75, 0.75))


def test_a_choice_that_the_kind_of_task_decides_depends_on_it_wholly_and_one_it_does_not_not_at_all():
    assert choice_dependence({("qa", "a"): 5_000, ("code", "b"): 5_000}) == pytest.approx(1.0, abs=1e-3)
    assert choice_dependence({(cell, model): 500 for cell in ("qa", "code") for model in ("a", "b")}) == 0.0
    assert choice_dependence({("qa", "a"): 5, ("code", "a"): 5}) == 0.0
    assert choice_dependence({("qa", "a"): 5, ("qa", "b"): 5}) == 0.0
    assert choice_dependence({}) is None


def test_chance_alone_shows_no_dependence_however_few_the_calls():
    rng, found = np.random.default_rng(1), []
    for _ in range(300):
        counts = {}
        for _ in range(40):
            key = (f"cell{rng.integers(6)}", f"model{rng.integers(4)}")
            counts[key] = counts.get(key, 0) + 1
        found.append(choice_dependence(counts))
    assert np.mean(found) < 0.05


def test_half_of_the_information_is_half_of_the_measure():
    counts = {("qa", "a"): 900, ("qa", "b"): 100, ("code", "a"): 100, ("code", "b"): 900}
    entropy = -(0.9 * log(0.9) + 0.1 * log(0.1))
    assert choice_dependence(counts) == pytest.approx(1.0 - entropy / log(2.0), abs=1e-3)


SINGLES = [Single("a", 1.0, 0.5, 0.01), Single("b", 2.0, 0.8, 0.01), Single("c", 9.0, 0.9, 0.01)]


@pytest.mark.parametrize(("budget_usd", "best"), [(0.5, None), (1.0, "a"), (2.5, "b"), (9.0, "c")])
def test_the_best_model_is_the_best_of_those_the_money_buys(budget_usd, best):
    found = best_single(SINGLES, budget_usd)
    assert (None if found is None else found.model_id) == best


def test_of_equally_good_models_the_cheaper_one_is_the_rival():
    assert best_single([Single("x", 2.0, 0.5, 0.0), Single("y", 1.0, 0.5, 0.0)], 5.0).model_id == "y"


def test_a_gain_is_as_uncertain_as_both_its_parts():
    gain = gain_over(Interval(0.9, 0.87, 0.93), Single("a", 1.0, 0.5, (0.04 / 1.959963984540054) ** 2))
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.4, 0.35, 0.45))
    assert gain_over(Interval(0.9), SINGLES[0]) == Interval(0.4)
