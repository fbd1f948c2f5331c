import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.label_trust import Group, trust_in
from x25.state.label_counts import NO_FIRST_ANSWER, UNJUDGED, LabelCount
from x25.state.records import Evidence


def label(model_id="v/m", place=UNJUDGED, right=1.0, *, source="feedback", epoch=0, times=1.0):
    return LabelCount(
        source=source, model_id=model_id, task_cell="qa", judge="j" if place >= 0 else "", place=place, epoch=epoch,
        right=times * right, wrong=times * (1.0 - right), predicted=0.5 * times,
    )  # fmt: skip


def labels_of(say, rng, *, number=60, levels=(("v/small", 0.6), ("v/mid", 0.8))):
    """Labels of judged answers of two models, the judge's scores by the default table."""
    found = []
    for _ in range(number):
        model_id, level = levels[int(rng.random() < 0.4)]
        right = float(rng.random() < level)
        place = int(rng.choice(5, p=DEFAULT_TABLE.right if right else DEFAULT_TABLE.wrong))
        found.append(label(model_id, place, say(right, model_id, rng)))
    return found


def trusts(say, seeds=20, **options):
    runs = [
        trust_in(labels_of(say, np.random.default_rng(seed), **options), DEFAULT_TABLE, {})
        for seed in range(seeds)
    ]
    return [run[Group("feedback", "v/small", True)] for run in runs]


def test_honest_labels_are_trusted():
    assert np.mean(trusts(lambda right, _model, _rng: right)) > 0.97
    assert np.mean(trusts(lambda right, _model, _rng: right, number=8)) > 0.88


@pytest.mark.parametrize("say", [
    lambda right, _model, _rng: 1.0 - right,
    lambda _right, _model, _rng: 0.0,
    lambda right, model, _rng: 1.0 - right if model == "v/small" else right,
], ids=["turned round", "all bad", "turned for one"])  # fmt: skip
def test_labels_that_contradict_the_judge_are_put_aside(say):
    assert max(trusts(say)) < 0.1


def test_labels_by_chance_are_put_aside():
    found = trusts(lambda _right, _model, rng: float(rng.random() < 0.5), number=120)
    assert np.mean(found) < 0.15
    assert np.quantile(found, 0.9) < 0.5


def test_who_lies_of_one_model_is_trusted_about_the_other():
    lie = labels_of(
        lambda right, model, _rng: 1.0 - right if model == "v/small" else right, np.random.default_rng(3)
    )
    found = trust_in(lie, DEFAULT_TABLE, {})
    assert found[Group("feedback", "v/mid", True)] > 0.8
    assert found[Group("feedback", "v/small", True)] < 0.05


def test_labels_nobody_judged_are_held_against_what_the_judge_made_of_the_model():
    seen = {"v/m": Evidence("v/m", "*", reward_total=80.0, weight_total=100.0)}
    bad, good = [label(right=0.0, times=20.0)], [label(times=16.0), label(right=0.0, times=4.0)]
    group = Group("feedback", "v/m", True)
    assert trust_in(bad, DEFAULT_TABLE, seen)[group] < 0.05
    assert trust_in(good, DEFAULT_TABLE, seen)[group] > 0.85
    assert trust_in(bad, DEFAULT_TABLE, {})[group] > 0.85, (
        "without a judge there is nothing to hold them against"
    )
    assert trust_in(bad, DEFAULT_TABLE, seen, is_judged=False) == trust_in(bad, DEFAULT_TABLE, {})


def test_labels_of_a_former_self_are_not_held_against_what_the_model_is_now():
    now = {"v/m": Evidence("v/m", "*", reward_total=10.0, weight_total=100.0, drifts=1)}
    found = trust_in([label(times=20.0)], DEFAULT_TABLE, now)
    assert found.keys() == {Group("feedback", "v/m", False)}
    assert found[Group("feedback", "v/m", False)] > 0.5
    assert trust_in([label(times=20.0, epoch=1)], DEFAULT_TABLE, now)[Group("feedback", "v/m", True)] < 0.05


def test_an_audits_word_is_taken():
    lie = [label(place=4, right=0.0, times=200.0, source="audit", epoch=NO_FIRST_ANSWER)]
    assert trust_in(lie, DEFAULT_TABLE, {}) == {Group("audit", "v/m", False): 1.0}


def test_no_labels_need_no_trust():
    assert trust_in([], DEFAULT_TABLE, {}) == {}
