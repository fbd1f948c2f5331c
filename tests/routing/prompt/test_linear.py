import base64
import json

import numpy as np
import pytest

from x25.routing.prompt.linear import MOST_DEVIATIONS, NOVELTY_SHRINKAGE, LinearHead, standardise
from x25.state.errors import ConfigError

# Leverage of an input z (standardised, centred) is .25 |z|^2; .5 is typical.
HEAD = LinearHead(
    mean=np.array([1.0, 10.0]),
    scale=np.array([2.0, 5.0]),
    centre=np.array([0.0, 0.5]),
    coef=np.array([0.3, -0.2]),
    level=1.0,
    low=-1.0,
    high=2.0,
    alpha=100.0,
    factor=np.eye(2, dtype=np.float32) * 0.5,
    typical=0.5,
    sigma=(0.09, 0.14),
)


def test_no_input_counts_for_more_than_four_deviations():
    values = standardise(np.array([[1e9, -1e9], [3.0, 0.0]]), HEAD.mean, HEAD.scale)
    assert values.tolist() == [[MOST_DEVIATIONS, -MOST_DEVIATIONS], [1.0, -2.0]]


def test_an_estimate_of_a_typical_input_is_the_linear_one():
    # z = (1, 1), minus the centre (1, .5): leverage .3125, below what is typical.
    assert HEAD.novelty([3.0, 15.0]) == 0.0
    assert HEAD.predict([3.0, 15.0]) == pytest.approx(1.0 + 0.3 * 1.0 - 0.2 * 0.5)


def test_an_input_unlike_training_fades_to_the_level():
    # z = (3, .5), minus the centre (3, 0): leverage 2.25 = 4.5 times the typical one.
    unlike = [7.0, 12.5]
    assert HEAD.novelty(unlike) == pytest.approx(3.5)
    assert HEAD.predict(unlike) == pytest.approx(1.0 + 0.9 / (1.0 + NOVELTY_SHRINKAGE * 3.5))


def test_estimates_stay_in_the_range_of_training():
    bold = LinearHead.from_dict(
        HEAD.to_dict() | {"coef": [50.0, 0.0], "factor_f2": _packed(np.zeros((2, 2)))}
    )
    assert bold.predict([3.0, 10.0]) == 2.0
    assert bold.predict([-3.0, 10.0]) == -1.0


def test_the_intercept_is_the_estimate_where_all_inputs_stand_at_their_mean():
    assert HEAD.intercept == pytest.approx(1.0 - 0.5 * -0.2)
    assert HEAD.predict(HEAD.mean) == pytest.approx(HEAD.intercept)


def test_the_deviation_grows_with_the_leverage():
    # At the centre nothing is uncertain but the residual; two deviations away leverage is 1.
    assert HEAD.estimate([1.0, 12.5])[1] == pytest.approx(0.3)
    assert HEAD.estimate([5.0, 12.5])[1] == pytest.approx(np.sqrt(0.09 + 0.14))


def test_rows_and_single_inputs_are_estimated_alike():
    rows = np.array([[3.0, 15.0], [7.0, 12.5], [-20.0, 80.0]])
    for ask in (HEAD.predict, HEAD.novelty, lambda rows: HEAD.estimate(rows)[1]):
        assert ask(rows).shape == (3,)
        assert ask(rows[1]).shape == ()
        assert ask(rows) == pytest.approx([float(ask(row)) for row in rows])


def test_a_head_survives_being_written_to_a_file():
    rng = np.random.default_rng(3)
    factor = np.linalg.cholesky(np.linalg.inv(np.cov(rng.normal(size=(5, 40))) * 40 + np.eye(5)))
    head = LinearHead(
        mean=rng.normal(size=5), scale=rng.uniform(0.1, 3.0, 5), centre=rng.normal(size=5) / 10,
        coef=rng.normal(size=5), level=0.123456789, low=-3.0, high=3.0, alpha=300.0,
        factor=factor.astype(np.float32), typical=0.1, sigma=(0.5, 0.25),
    )  # fmt: skip
    kept = LinearHead.from_dict(json.loads(json.dumps(head.to_dict())))
    rows = rng.normal(size=(50, 5)) * 2
    # The factor is kept in half precision: 11 bits.
    assert kept.predict(rows) == pytest.approx(head.predict(rows), rel=2e-3, abs=2e-3)
    assert kept.estimate(rows)[1] == pytest.approx(head.estimate(rows)[1], rel=2e-3)
    assert kept.coef == pytest.approx(head.coef, rel=1e-6)
    assert (kept.level, kept.sigma, kept.alpha) == (0.123456789, (0.5, 0.25), 300.0)
    # Written again, nothing is lost any more.
    assert kept.to_dict() == LinearHead.from_dict(kept.to_dict()).to_dict()


def _packed(factor):
    return base64.b64encode(factor.astype("<f2").tobytes()).decode()


@pytest.mark.parametrize(
    "broken",
    [
        {"mean": [0.0]},
        {"centre": [0.0, 0.0, 0.0]},
        {"coef": 0.3},
        {"coef": [0.3, float("nan")]},
        {"coef": ["steep", 0.1]},
        {"scale": [1.0, 0.0]},
        {"scale": [1.0, -1.0]},
        {"factor_f2": _packed(np.eye(3))},
        {"factor_f2": _packed(np.full((2, 2), np.nan))},
        {"factor_f2": base64.b64encode(b"odd").decode()},
        {"level": float("inf")},
        {"level": None},
        {"low": 3.0},
        {"typical": 0.0},
        {"sigma": [-0.1, 0.0]},
        {"sigma": [0.1, float("inf")]},
        {"sigma": [0.1]},
    ],
)
def test_parameters_of_wrong_shape_or_range_are_refused(broken):
    with pytest.raises(ConfigError, match="a fitted head holds"):
        LinearHead.from_dict(HEAD.to_dict() | broken)


def test_missing_parameters_are_named():
    given = HEAD.to_dict()
    del given["factor_f2"], given["alpha"]
    with pytest.raises(ConfigError, match="lacks alpha, factor_f2"):
        LinearHead.from_dict(given)
