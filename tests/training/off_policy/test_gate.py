import pytest

from x25.training.off_policy.estimates import Estimate
from x25.training.off_policy.evaluation import Valuation
from x25.training.off_policy.gate import Gate, rule


def valued(quality=(0.0, -0.005, 0.005), ratio=(0.9, 0.85, 0.95), refused=None):
    differences = {"quality": Estimate(*quality, 200.0, 3.0), "cost_ratio": Estimate(*ratio, 300.0, 3.0)}
    return Valuation("p", "", 1_000, {}, 1.0, 0.0, {}, {}, 1.0, refused, differences=differences)


@pytest.mark.parametrize(
    ("quality", "passes", "words"),
    [
        ((0.0, -0.005, 0.005), True, "is at least -0.010"),
        ((-0.05, -0.06, -0.04), False, "is below -0.010"),
        ((0.0, -0.03, 0.03), False, "may be below -0.010; about 9,000 calls like these would settle it"),
        ((-0.02, -0.03, 0.03), False, "may be below -0.010"),
    ],
)
def test_quality_passes_only_with_its_whole_interval(quality, passes, words):
    ruling = rule(valued(quality), Gate(min_quality_diff=-0.01))
    assert ruling.is_passed is passes
    assert ruling.reason.endswith(words)


@pytest.mark.parametrize(
    ("ratio", "passes", "words"),
    [
        ((0.9, 0.85, 0.95), True, "is at most x1.000"),
        ((1.2, 1.1, 1.3), False, "is above x1.000"),
        ((0.95, 0.85, 1.05), False, "may be above x1.000"),
    ],
)
def test_cost_passes_only_with_its_whole_interval(ratio, passes, words):
    ruling = rule(valued(ratio=ratio), Gate(max_ratio=1.0))
    assert ruling.is_passed is passes
    assert words in ruling.reason


def test_every_bound_must_hold_and_the_one_that_does_not_is_named():
    ruling = rule(valued(ratio=(1.2, 1.1, 1.3)), Gate(-0.01, 1.0))
    assert not ruling.is_passed
    assert "cost" in ruling.reason
    assert "quality" not in ruling.reason


def test_what_the_log_cannot_say_does_not_pass():
    ruling = rule(valued(refused="too few"), Gate(-0.5))
    assert (ruling.is_passed, ruling.reason) == (False, "not passed: too few")
