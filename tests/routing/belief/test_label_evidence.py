from dataclasses import replace

import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, table_from_counts
from x25.routing.belief.label_evidence import (
    LEAST_TRUST,
    MOST_BORROWED,
    MOST_OBSERVATIONS,
    MOST_WORTH,
    NO_LABELS,
    OrgLabels,
    label_likelihood,
    label_weight,
    weigh_labels,
)
from x25.routing.belief.label_trust import Group
from x25.routing.belief.thompson import belief_mean, offset_posterior
from x25.state.label_counts import NO_FIRST_ANSWER, UNJUDGED, LabelCount
from x25.state.records import Evidence


def count(model_id="v/m", place=UNJUDGED, right=1.0, wrong=0.0, *, cell="qa", source="audit", epoch=0):
    return LabelCount(
        source=source, model_id=model_id, task_cell=cell, judge="j" if place >= 0 else "", place=place, epoch=epoch,
        right=right, wrong=wrong, predicted=0.5 * (right + wrong),
    )  # fmt: skip


def test_labels_count_from_the_least_trust_on_and_in_full_at_certainty():
    assert label_weight(LEAST_TRUST) == label_weight(0.3) == 0.0
    assert label_weight(1.0) == 1.0
    assert label_weight(0.9) == pytest.approx(0.5)


def test_a_label_in_full_decides_and_one_that_counts_nothing_says_nothing():
    assert label_likelihood(0.75, 1.0) == (0.75, 0.25)
    assert label_likelihood(1.0, 0.0) == (0.5, 0.5)


def test_audited_labels_fill_the_judges_table_by_one_each():
    labels = weigh_labels([count(place=4, right=3.0, wrong=1.0), count(place=0, right=0.0, wrong=5.0)])
    expected = table_from_counts(DEFAULT_TABLE, (0, 0, 0, 0, 3.0), (5.0, 0, 0, 0, 1.0), name="j")
    assert labels.tables == {"j": expected}


def test_a_label_weighs_as_many_judged_answers_as_tell_as_much():
    labels = weigh_labels([count(right=8.0, wrong=2.0)])
    share = 10.0 / 14.0
    worth = DEFAULT_TABLE.weight_variance(share) / (share * (1.0 - share))
    assert 3.0 < worth < MOST_WORTH
    assert labels.cells["qa", "v/m"] == pytest.approx((8.0 * worth, 5.0 * worth, 10.0 * worth))


def test_all_labels_of_a_model_together_count_for_so_many_answers_at_most():
    (read,) = weigh_labels([count(right=900.0, wrong=100.0)]).added_to({}, "qa").values()
    assert read.weight == pytest.approx(MOST_OBSERVATIONS)
    assert read.reward_sum == pytest.approx(0.9 * MOST_OBSERVATIONS)


def test_later_answers_and_those_of_a_former_self_move_plain_counts_and_no_belief():
    labels = weigh_labels([count(epoch=NO_FIRST_ANSWER, right=2.0, wrong=1.0)])
    assert labels.cells == {}
    (read,) = labels.added_to({}, "qa").values()
    assert (read.successes, read.failures, read.weight) == (2.0, 1.0, 0.0)
    changed = {"v/m": Evidence("v/m", "*", drifts=1)}
    assert weigh_labels([count(epoch=0)], pooled=changed).cells == {}
    assert weigh_labels([count(epoch=1)], pooled=changed).cells != {}


def test_good_labels_raise_a_model_and_bad_ones_lower_it():
    for right, wrong, is_higher in ((10.0, 0.0, True), (0.0, 10.0, False)):
        read = weigh_labels([count(right=right, wrong=wrong)]).added_to({}, "qa")["v/m"]
        assert (belief_mean(0.5, read) > 0.5) is is_higher
        assert offset_posterior(0.5, read)[1] > offset_posterior(0.5, None)[1]


def test_a_cell_borrows_a_models_labels_elsewhere_for_a_few_answers_at_most():
    labels = weigh_labels([count(right=0.0, wrong=100.0, cell="code")])
    read = labels.added_to({}, "qa")["v/m"]
    assert read.weight == pytest.approx(MOST_BORROWED)
    assert (read.successes, read.failures) == (0.0, 0.0), "plain counts are of the cell"


def test_nothing_is_added_where_nothing_was_said_of_a_model():
    other = {"v/other": Evidence("v/other", "qa", successes=2.0)}
    assert weigh_labels([count()]).added_to(other, "qa")["v/other"] == other["v/other"]
    assert weigh_labels([]) is NO_LABELS
    assert NO_LABELS.added_to(other, "qa") == other


def test_what_was_forgotten_keeps_its_share_where_labels_are_added():
    before = Evidence("v/m", "qa", weight=10.0, weight_total=25.0, reward_sum=5.0, reward_total=12.0)
    after = weigh_labels([count(right=3.0)]).added_to({"v/m": before}, "qa")["v/m"]
    assert after.weight_total - after.weight == pytest.approx(15.0)


def test_reports_see_all_cells_together():
    labels = weigh_labels([count(right=2.0), count(right=1.0, wrong=1.0, cell="code")])
    whole = labels.added_to_all(Evidence("v/m", "*", successes=1.0))
    assert (whole.successes, whole.failures) == (4.0, 1.0)
    assert whole.weight == pytest.approx(sum(sums[2] for sums in labels.cells.values()))


def test_distrusted_feedback_counts_nothing_at_all():
    lie = [
        count(place=4, right=0.0, wrong=40.0, source="feedback"),
        count(place=0, right=20.0, source="feedback"),
    ]
    labels = weigh_labels(lie)
    assert labels.trust[Group("feedback", "v/m", True)] < 0.01
    assert (labels.cells, labels.counts) == ({}, {})
    assert replace(labels.tables["j"], name="default").right == pytest.approx(DEFAULT_TABLE.right)
    assert labels.weight("feedback", "v/m") == 0.0
    assert OrgLabels().weight("feedback", "v/unknown") == 1.0
