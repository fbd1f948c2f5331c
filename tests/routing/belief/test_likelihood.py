import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.likelihood import (
    FAILED_CHECK,
    PASSED_CHECKS,
    learning_weight,
    likelihood,
    posterior,
)
from x25.state.observations import Observation

FAILED = Observation("failed_check", None, 0.0, None, 1.0, True)
UNSEEN = Observation("unseen", None, None, None, 0.0, False)
SCORED = [Observation("scored", bin_seen, 0.5, "v/judge", 1.0, True) for bin_seen in range(5)]


def test_what_may_be_seen_of_an_answer_has_probability_one():
    seen = np.array([likelihood(one, DEFAULT_TABLE) for one in (FAILED, *SCORED)])
    assert seen.sum(axis=0) == pytest.approx([1.0, 1.0])


def test_a_check_says_the_same_whoever_judges_and_an_unjudged_answer_passed_them():
    assert likelihood(FAILED, None) == likelihood(FAILED, DEFAULT_TABLE) == FAILED_CHECK
    assert likelihood(UNSEEN, DEFAULT_TABLE) == likelihood(SCORED[0], None) == PASSED_CHECKS


def test_beliefs_fall_on_a_failed_check_and_average_to_what_was_believed():
    seen = [likelihood(one, DEFAULT_TABLE) for one in (FAILED, *SCORED)]
    after = [posterior(0.7, one) for one in seen]
    assert after[0] < 0.1
    assert sum(chance * (0.7 * one[0] + 0.3 * one[1]) for chance, one in zip(after, seen, strict=True)) == (
        pytest.approx(0.7)
    )


@pytest.mark.parametrize("is_right", [True, False])
def test_a_weight_is_unbiased_on_answers_that_pass_and_a_failed_check_says_wrong(is_right):
    shares = DEFAULT_TABLE.right if is_right else DEFAULT_TABLE.wrong
    mean = sum(share * learning_weight(one, DEFAULT_TABLE) for share, one in zip(shares, SCORED, strict=True))
    assert mean == pytest.approx(float(is_right))
    assert learning_weight(FAILED, DEFAULT_TABLE) == 0.0
