import numpy as np
import pytest

from x25.routing.prompt.logistic import logit, sigmoid, sigmoids


@pytest.mark.parametrize("prob", [0.02, 0.3, 0.5, 0.9, 0.98])
def test_the_inverse_brings_a_probability_back(prob):
    assert sigmoid(logit(prob)) == pytest.approx(prob)


def test_certainty_is_clipped_where_the_caller_says():
    assert logit(0.0) == pytest.approx(-logit(1.0)) == pytest.approx(-3.8918, abs=1e-4)
    assert sigmoid(logit(0.0, 1e-4)) == pytest.approx(1e-4)


def test_large_numbers_neither_overflow_nor_differ_between_the_two_forms():
    x = np.array([-1000.0, -3.0, 0.0, 2.5, 1000.0])
    assert sigmoids(x) == pytest.approx([sigmoid(value) for value in x.tolist()], abs=1e-12)
