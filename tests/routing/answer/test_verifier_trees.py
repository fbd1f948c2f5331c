import json

import numpy as np
import pytest

from x25.routing.answer.verifier_trees import LogisticHead, TreesHead, head_from_dict
from x25.state.errors import ConfigError


def logistic():
    return LogisticHead(np.array([1.0, 2.0]), np.array([2.0, 1.0]), np.array([0.5, -1.0]), 0.25)


def stump():
    """One tree: first input at most 0.5 → -1, else +2; second input decides a second tree."""
    return TreesHead(
        roots=np.array([0, 3]),
        feature=np.array([0, -1, -1, 1, -1, -1]),
        value=np.array([0.5, -1.0, 2.0, 3.0, 10.0, 20.0]),
        left=np.array([1, 0, 0, 4, 0, 0]),
        right=np.array([2, 0, 0, 5, 0, 0]),
        baseline=0.1,
        inputs=2,
    )


def test_logistic_head_weighs_standardised_inputs():
    assert logistic().logit([3.0, 2.0]) == pytest.approx(0.25 + 0.5 * 1.0)


def test_logistic_head_is_not_swayed_by_one_extreme_input():
    assert logistic().logit([1e9, 2.0]) == pytest.approx(0.25 + 0.5 * 4.0)


def test_a_threshold_itself_goes_left():
    assert stump().logit([0.5, 3.0]) == pytest.approx(0.1 - 1.0 + 10.0)
    assert stump().logit([0.51, 3.01]) == pytest.approx(0.1 + 2.0 + 20.0)


@pytest.mark.parametrize("head", [logistic(), stump()], ids=["logistic", "trees"])
def test_rows_at_once_equal_rows_one_by_one(head):
    rows = np.random.default_rng(1).normal(1.0, 2.0, (50, 2))
    assert head.logits(rows) == pytest.approx([head.logit(row.tolist()) for row in rows])


@pytest.mark.parametrize("head", [logistic(), stump()], ids=["logistic", "trees"])
def test_a_head_survives_json(head):
    again = head_from_dict(json.loads(json.dumps(head.to_dict())))
    assert type(again) is type(head)
    assert again.inputs == head.inputs == 2
    assert again.logit([0.7, 2.9]) == head.logit([0.7, 2.9])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "forest"}, "head must be 'logistic' or 'trees', got 'forest'"),
        ({"left": [0, 0, 0, 4, 0, 0]}, "nodes do not form trees"),
        ({"right": [2, 0, 0, 99, 0, 0]}, "nodes do not form trees"),
        ({"feature": [2, -1, -1, 1, -1, -1]}, "nodes do not form trees"),
        ({"roots": [0, 6]}, "nodes do not form trees"),
        ({"value": [0.5]}, "differ in length"),
        ({"value": [0.5, float("nan"), 2, 3, 10, 20]}, "'value' is of wrong shape or not finite"),
        ({"baseline": "x"}, "'baseline' is missing or holds no numbers"),
    ],
)
def test_unsound_trees_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        head_from_dict({**stump().to_dict(), **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": [0.0, 1.0]}, "do not fit each other"),
        ({"coef": [1.0]}, "do not fit each other"),
        ({"mean": None}, "'mean' is"),
    ],
)
def test_unsound_regressions_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        head_from_dict({**logistic().to_dict(), **change})
