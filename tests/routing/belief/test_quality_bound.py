import math
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.routing.belief.drift import THRESHOLD, surprise
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.likelihood import PASSED_CHECKS
from x25.routing.belief.quality_bound import (
    DELTA,
    LEAST_LABELS,
    Alarms,
    DatedLabel,
    SampledLabel,
    bounds_by_task,
    is_picked,
    label_alarms,
    log_wealth,
    lower_bound,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def labels(right, wrong=0, prob=1.0):
    return [SampledLabel(1.0, prob)] * right + [SampledLabel(0.0, prob)] * wrong


def dated(found, *, start=START, model_id="v/m", task="qa"):
    return [DatedLabel(one, start + timedelta(minutes=n), model_id, task) for n, one in enumerate(found)]


def test_more_right_labels_prove_more_and_none_prove_nothing():
    assert lower_bound([]) == 0.0
    levels = [lower_bound(labels(n)) for n in (1, 10, 30, 100, 1_000)]
    assert levels == sorted(levels)
    assert levels[2] == pytest.approx(0.82, abs=0.01)
    assert levels[4] > 0.99
    assert lower_bound(labels(0, 50)) < 0.01


def test_the_level_is_near_what_a_bound_for_one_look_would_be():
    for right, wrong, clopper_pearson in ((97, 3, 0.924), (285, 15, 0.924), (950, 50, 0.937)):
        assert clopper_pearson - 0.045 < lower_bound(labels(right, wrong)) < clopper_pearson


def test_a_smaller_delta_states_less_and_an_impossible_one_is_refused():
    assert lower_bound(labels(95, 5), 0.01) < lower_bound(labels(95, 5), 0.1)
    for delta in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="delta"):
            lower_bound(labels(5), delta)


def test_labels_picked_alike_weigh_alike_whatever_the_probability():
    assert lower_bound(labels(60, 5, 0.02)) == pytest.approx(lower_bound(labels(60, 5)))


def test_answers_picked_more_often_count_less():
    often, seldom = [SampledLabel(0.0, 0.5)] * 40, [SampledLabel(1.0, 0.05)] * 400
    assert lower_bound(often + seldom) > lower_bound(labels(400, 40))


@pytest.mark.parametrize("given", [(1.5, 1.0), (-0.1, 1.0), (1.0, 0.0), (1.0, 1.1), (float("nan"), 1.0)])
def test_an_impossible_label_is_refused(given):
    with pytest.raises(ValueError, match="a label needs"):
        SampledLabel(*given)


def test_too_few_labels_state_nothing_and_task_types_are_apart():
    found = bounds_by_task(dated(labels(LEAST_LABELS)) + dated(labels(5), task="code"), {})
    assert (found["qa"].status, found["code"].status) == ("stated", "too few labels")
    assert (found["code"].level, found["code"].labels, found["qa"].delta) == (None, 5, DELTA)


def test_an_alarm_suspends_until_enough_newer_calls_are_labelled():
    old, alarm = dated(labels(200)), {"v/m": Alarms(START + timedelta(days=1), 1)}
    suspended = bounds_by_task(old, alarm)["qa"]
    assert (suspended.status, suspended.level, suspended.labels) == ("suspended by drift", None, 0)
    newer = dated(labels(40), start=START + timedelta(days=2))
    again = bounds_by_task(old + newer, alarm)["qa"]
    assert (again.status, again.labels, again.since) == ("stated", 40, START + timedelta(days=1))
    assert again.level == pytest.approx(lower_bound(labels(40), DELTA / 6), abs=1e-3)


def test_the_alarm_of_a_model_without_labelled_answers_changes_nothing():
    alarm = {"v/other": Alarms(START + timedelta(days=1), 1)}
    assert bounds_by_task(dated(labels(50)), alarm)["qa"].status == "stated"


def test_a_sample_holds_about_its_share_and_larger_ones_hold_it():
    calls = [f"c{n}" for n in range(4_000)]
    small, large = ({one for one in calls if is_picked("acme", one, share)} for share in (0.05, 0.2))
    assert len(small) == pytest.approx(200, abs=60)
    assert len(large) == pytest.approx(800, abs=110)
    assert small < large
    assert {one for one in calls if is_picked("other", one, 0.05)} != small
    assert is_picked("acme", "anything", 1.0)


def ever_told_too_much(right, probs, truth, delta):
    """Return whether the level is above the truth after any label; it is where the wealth at the truth is enough."""
    found = [SampledLabel(float(x), float(p)) for x, p in zip(right, probs, strict=True)]
    enough = math.log(1.0 / delta)
    return any(log_wealth(found[:n], truth) >= enough for n in range(LEAST_LABELS, len(found) + 1))


def test_a_level_is_above_a_truth_just_where_the_wealth_there_is_enough():
    for found in (labels(40, 2), labels(90, 10, 0.5), labels(30)):
        level = lower_bound(found)
        assert log_wealth(found, level - 1e-4) > math.log(1.0 / DELTA) > log_wealth(found, level + 1e-4)
    assert log_wealth([], 0.5) == 0.0


def test_labels_that_turn_bad_suspend_the_bound_by_themselves():
    assert label_alarms(dated(labels(50, 1) * 6)) is None
    turned = dated(labels(100) + labels(0, 12))
    assert label_alarms(turned).count == 1
    assert bounds_by_task(turned, {})["qa"].status == "suspended by drift"
    assert (
        bounds_by_task(turned + dated(labels(40), start=START + timedelta(days=1)), {})["qa"].status
        == "stated"
    )


@pytest.mark.slow
@pytest.mark.parametrize("quality", [0.8, 0.95])
def test_without_drift_at_most_delta_of_500_orgs_are_ever_told_too_much(quality, record_property):
    """Hard calls are picked twice as often; the level is read again after each of some hundred labels."""
    rng, broken, last, suspended = np.random.default_rng(25), 0, [], 0
    for _ in range(500):
        is_hard = rng.random(1_500) < 0.3
        prob = np.where(is_hard, 0.14, 0.07)
        right = rng.random(1_500) < quality + np.where(is_hard, -0.07, 0.03)
        picked = rng.random(1_500) < prob
        broken += ever_told_too_much(right[picked], prob[picked], quality, DELTA / 2)
        found = [SampledLabel(float(x), float(p)) for x, p in zip(right[picked], prob[picked], strict=True)]
        last.append(lower_bound(found, DELTA / 2))
        suspended += label_alarms(dated(found)) is not None
    told = (
        f"quality {quality}: {broken / 500:.3f} of 500 orgs ever told too much, last level {np.median(last):.3f}, "
        f"suspended without cause {suspended / 500:.3f}"
    )
    record_property("coverage", told)
    print(told)  # noqa: T201
    assert broken / 500 <= DELTA
    assert np.median(last) > quality - 0.14
    assert suspended / 500 <= 0.06


def judge_alarm(is_right, looked, expected, rng):
    """Return the call at which the detector finds a model worse, from those looked at; None where it does not."""
    steps = [
        surprise(expected, (PASSED_CHECKS[0] * r, PASSED_CHECKS[1] * w))[1]
        for r, w in zip(DEFAULT_TABLE.right, DEFAULT_TABLE.wrong, strict=True)
    ]
    total, shares = 0.0, np.array([DEFAULT_TABLE.wrong, DEFAULT_TABLE.right]).cumsum(axis=1)
    for call in np.flatnonzero(looked):
        total = max(
            0.0, total + steps[min(4, int(np.searchsorted(shares[int(is_right[call])], rng.random())))]
        )
        if total > THRESHOLD:
            return int(call)
    return None


@pytest.mark.slow
def test_after_a_drift_the_restated_level_is_true_in_500_orgs(record_property):
    """Quality falls from .92 to .62 half way; one call in five is judged, one in ten labelled."""
    rng = np.random.default_rng(26)
    before, after, missed, waited, restated = 0, 0, 0, [], 0
    true = np.repeat([0.92, 0.62], 1_500)
    for _ in range(500):
        right = rng.random(3_000) < true
        looked, labelled = rng.random(3_000) < 0.2, np.flatnonzero(rng.random(3_000) < 0.1)
        of_labels = dated([SampledLabel(float(one), 0.1) for one in right[labelled]])
        # What the first n labels told is told by more of them too.
        counts = range(150, len(labelled) + 1)
        first = bisect_left(counts, True, key=lambda n, told=of_labels: label_alarms(told[:n]) is not None)
        shown = labelled[counts[first] - 1] if first < len(counts) else None
        heard = [one for one in (judge_alarm(right, looked, 0.92, rng), shown) if one is not None]
        alarm = min(heard, default=None)
        end = 1_500 if alarm is None else min(alarm, 1_500)
        old, new = labelled[labelled < end], labelled[labelled > (3_000 if alarm is None else alarm)]
        before += ever_told_too_much(right[old], np.full(len(old), 0.1), 0.92, DELTA / 2)
        if alarm is not None and alarm < 1_500:
            continue  # suspended without cause
        missed += alarm is None
        waited += [] if alarm is None else [alarm - 1_500]
        restated += len(new) >= LEAST_LABELS
        after += ever_told_too_much(right[new], np.full(len(new), 0.1), 0.62, DELTA / 6)
    told = (
        f"ever too much before the drift {before / 500:.3f}, after restating {after / 500:.3f}; suspended after "
        f"{np.median(waited):.0f} calls (90 %: {np.quantile(waited, 0.9):.0f}); {missed} of 500 drifts not found "
        f"within 1,500 calls; restated by then {restated / len(waited):.3f}"
    )
    record_property("coverage", told)
    print(told)  # noqa: T201
    assert (before + after) / 500 <= DELTA
    assert missed <= 5
    assert np.median(waited) <= 300
    assert restated / len(waited) > 0.95
