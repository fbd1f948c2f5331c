import pytest

from x25.routing.belief.judge_agreement import judge_report
from x25.routing.belief.judge_table import DEFAULT_TABLE

GOOD = ((2, 5, 10, 40, 60), (50, 30, 10, 5, 2))
BLIND = ((100,) * 5, (100,) * 5)


def test_a_judge_that_agrees_with_labels_is_trusted_and_reaches_the_target():
    report = judge_report("j/one", DEFAULT_TABLE, *GOOD)
    assert report.is_trusted
    assert report.auc > 0.8
    assert report.gap_to_target == 0.0
    assert report.auc_low < report.auc < report.auc_high
    assert report.labels == 214
    assert [(one.low, one.high) for one in report.bins] == [
        (0.0, 0.2),
        (0.2, 0.4),
        (0.4, 0.6),
        (0.6, 0.8),
        (0.8, 1.0),
    ]
    assert sum(one.right_share * one.learning_weight for one in report.bins) == pytest.approx(1.0, abs=1e-3)


def test_a_judge_that_tells_nothing_apart_is_not_trusted_and_its_gap_is_stated():
    report = judge_report("j/one", DEFAULT_TABLE, *BLIND)
    assert (report.is_trusted, report.auc) == (False, 0.5)
    assert report.gap_to_target == pytest.approx(0.3)
    assert [one.learning_weight for one in report.bins] == [None] * 5


def test_without_right_and_wrong_labels_nothing_is_claimed():
    report = judge_report("j/one", DEFAULT_TABLE, (0,) * 5, (0, 0, 3, 0, 0))
    assert (report.auc, report.auc_low, report.auc_high, report.gap_to_target) == (None,) * 4
    assert report.is_trusted
