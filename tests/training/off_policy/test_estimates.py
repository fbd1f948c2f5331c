import numpy as np
import pytest

from x25.training.off_policy.estimates import (
    ESTIMATORS,
    Sample,
    difference,
    effective_size,
    estimate,
    ratio,
    t_quantile,
)

ONES = np.ones(4)


def sample(weights=ONES, outcomes=(1.0, 0.0, 1.0, 1.0), sightings=ONES, expected=0.5, of_asked=0.5):
    arrays = [np.asarray(one, dtype=np.float64) for one in (weights, outcomes, sightings)]
    return Sample(*arrays, np.full(4, expected), np.full(4, of_asked))


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_even_weights_give_the_mean(estimator):
    found = estimate(sample(), estimator)
    assert found.value == pytest.approx(0.75)
    assert found.low < 0.75 < found.high
    assert (found.effective_sample_size, found.largest_weight) == (4.0, 1.0)


def test_weights_make_what_was_asked_seldom_count_more():
    heavy = sample(weights=(4.0, 0.0, 0.0, 0.0))
    assert estimate(heavy, "ips").value == pytest.approx(1.0)
    assert estimate(heavy, "snips").value == pytest.approx(1.0)
    assert estimate(heavy, "dr").value == pytest.approx(0.5 + 4 * 0.5 / 4)
    assert estimate(heavy, "ips").effective_sample_size == 1.0


def test_where_the_log_says_nothing_the_doubly_robust_estimate_is_the_model():
    nothing = sample(weights=np.zeros(4), expected=0.8)
    assert estimate(nothing, "dr").value == pytest.approx(0.8)
    assert estimate(nothing, "snips").value == 0.0
    assert estimate(nothing, "dr").effective_sample_size == 0.0


def test_a_difference_of_the_same_policy_with_an_exact_model_is_nothing():
    exact = Sample(ONES, np.array([1.0, 0.0, 1.0, 1.0]), ONES, np.full(4, 0.5), np.full(4, 0.5))
    found = difference(exact, "dr")
    assert (found.value, found.low, found.high) == pytest.approx((0.0, 0.0, 0.0))
    assert ratio(exact, "dr").value == pytest.approx(1.0)


def test_answers_that_were_seldom_looked_at_make_the_log_worth_less():
    assert estimate(sample(sightings=(10.0, 0.0, 0.0, 1.0)), "dr").effective_sample_size == pytest.approx(
        121 / 101
    )
    assert effective_size(np.array([1.0, 1.0, 2.0])) == pytest.approx(16 / 6)


def test_students_quantiles_are_those_of_the_tables():
    for degrees, quantile in ((3, 3.182), (5, 2.571), (10, 2.228), (49, 2.010), (1000, 1.962)):
        assert t_quantile(degrees) == pytest.approx(quantile, rel=0.01)


def test_an_unknown_estimator_and_an_empty_log_are_refused():
    with pytest.raises(ValueError, match="ips, snips, dr"):
        estimate(sample(), "magic")
    empty = Sample(*(np.zeros(0) for _ in range(5)))
    with pytest.raises(ValueError, match="at least one call"):
        estimate(empty, "ips")
    with pytest.raises(ValueError, match="above 0"):
        ratio(sample(outcomes=np.zeros(4)), "dr")
