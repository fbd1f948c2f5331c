import numpy as np
import pytest

from x25.state.savings import paid, saved, saved_share


def test_savings_are_the_reference_less_answers_less_judge():
    assert saved(1_000, paid(700, 50)) == 250
    assert saved(1_000, paid(700, 400)) == -100


def test_nano_dollars_stay_whole():
    assert saved(10**17 + 3, paid(10**17, 1)) == 2


def test_the_share_is_of_the_reference_and_falls_with_the_judge():
    assert saved_share(1.0, paid(0.72, 0.0)) == pytest.approx(0.28)
    assert saved_share(1.0, paid(0.72, 0.237)) == pytest.approx(0.043)


def test_arrays_are_compared_element_by_element():
    shares = saved_share(np.array([1.0, 2.0]), paid(np.array([0.5, 2.0]), np.array([0.25, 1.0])))
    assert shares == pytest.approx([0.25, -0.5])
