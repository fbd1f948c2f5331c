import numpy as np
import pytest

from x25.training.data.metrics import auc
from x25.training.evaluation.verified_fit import judge_scores

pytestmark = pytest.mark.train


def test_assessments_of_both_sides_tell_right_from_wrong(verified_fit):
    for assessed in (verified_fit.train, verified_fit.test):
        assert assessed.evidence.shape == assessed.bins.shape == assessed.side.correct.shape
        assert auc(assessed.evidence.ravel(), assessed.side.correct.ravel()) > 0.7
    assert all(verified_fit.verdicts.verifier.tiers[model].is_trusted for model in verified_fit.panel.models)


def test_a_judge_errs_with_the_verifier_as_much_as_it_is_told_and_is_as_strong(verified_fit):
    rng = np.random.default_rng(6)
    right = verified_fit.train.side.correct
    for shared in (0.0, 0.5):
        scores = np.mean(
            [
                auc(judge_scores(verified_fit.train, 0.85, rng, shared).ravel(), right.ravel())
                for _ in range(9)
            ]
        )
        assert scores == pytest.approx(0.85, abs=0.03)
    alike = [
        np.corrcoef(
            judge_scores(verified_fit.train, 0.85, rng, shared)[right > 0.5],
            verified_fit.train.evidence[right > 0.5],
        )[0, 1]
        for shared in (0.0, 0.5)
    ]
    assert abs(alike[0]) < 0.15
    assert alike[1] > 0.4
