import numpy as np
import pytest

from x25.routing.belief.corrected_quality import LEAST_LABELS, ScoredLabel, corrected_quality
from x25.routing.belief.quality_bound import SampledLabel


def labelled(rights, scores, probs=None):
    probs = [0.1] * len(rights) if probs is None else probs
    return [
        ScoredLabel(SampledLabel(float(r), float(p)), float(s))
        for r, s, p in zip(rights, scores, probs, strict=True)
    ]


def test_without_labels_the_scores_are_uncorrected_and_say_so():
    found = corrected_quality([0.5, 0.7], labelled([1.0], [0.5]))
    assert (found.value, found.low, found.high, found.measured_by) == (0.6, None, None, "scores")
    assert (found.labels, found.answers) == (1, 2)
    assert corrected_quality([], []) is None


def test_scores_that_are_all_too_low_are_raised_by_the_labels():
    found = corrected_quality([0.5] * 200, labelled([1.0] * 40 + [0.0] * 10, [0.5] * 50))
    assert found.value == pytest.approx(0.8)
    assert found.low < 0.8 < found.high
    assert found.measured_by == "labels and scores"


def test_scores_that_tell_right_from_wrong_make_the_interval_tighter():
    rng = np.random.default_rng(2)
    right = (rng.random(2_000) < 0.8).astype(float)
    sharp, blind = 0.1 + 0.8 * right, np.full(2_000, 0.6)
    widths = []
    for scores in (sharp, blind):
        found = corrected_quality(list(scores), labelled(right[:100], scores[:100]))
        widths.append(found.high - found.low)
    assert widths[0] < 0.6 * widths[1]


def test_answers_picked_more_often_count_less():
    rights, probs = [0.0] * 50 + [1.0] * 50, [0.5] * 50 + [0.05] * 50
    found = corrected_quality([0.5] * 300, labelled(rights, [0.5] * 100, probs))
    assert found.value == pytest.approx(10 / 11, abs=1e-6)


def test_labels_that_are_all_alike_still_leave_an_interval():
    found = corrected_quality([1.0] * 100, labelled([1.0] * LEAST_LABELS, [1.0] * LEAST_LABELS))
    assert found.value == 1.0
    assert found.low < 0.87
    assert found.high == 1.0


@pytest.mark.parametrize("quality", [0.8, 0.95])
@pytest.mark.parametrize("labels", [30, 150])
def test_intervals_cover_the_truth(quality, labels):
    """Wrong answers are picked more often, and the judge is too strict."""
    rng, covered, stated = np.random.default_rng(3), 0, 0
    for _ in range(300):
        right = (rng.random(1_500) < quality).astype(float)
        scores = np.where(right > 0, rng.beta(5, 3, 1_500), rng.beta(2, 4, 1_500))
        probs = np.where(scores < 0.5, 2.0, 1.0)
        probs *= labels / probs.sum()
        picked = rng.random(1_500) < probs
        found = corrected_quality(list(scores), labelled(right[picked], scores[picked], probs[picked]))
        if found.low is None:
            continue
        stated += 1
        covered += found.low <= quality <= found.high
    assert stated > 250
    assert covered / stated >= 0.93
