import math

import numpy as np
import pytest

from x25.routing.belief.drift import (
    FAST_GAMMA,
    LEAST_KNOWN,
    LEAST_WATCHED,
    THRESHOLD,
    alarm,
    baseline,
    has_changed,
    surprise,
)
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.state.records import Evidence

SHARP = JudgeTable(
    "sharp", (0.2, 0.4, 0.6, 0.8), right=(0.01, 0.02, 0.05, 0.12, 0.80), wrong=(0.80, 0.12, 0.05, 0.02, 0.01)
)
BLUNT = JudgeTable(
    "blunt",
    (0.2, 0.4, 0.6, 0.8),
    right=(0.078, 0.145, 0.2, 0.255, 0.322),
    wrong=(0.322, 0.255, 0.2, 0.145, 0.078),
)
"""Two normal distributions of AUC .75 in five bins, which leaves .74."""
WEIGHTS = DEFAULT_TABLE.reward_weights()


def known(n, rate=0.8, p=0.7, **more):
    return Evidence("m", "qa", reward_total=rate * n, predicted_total=p * n, weight_total=n, **more)


def alarms(rate, calls, arms, seed, table=DEFAULT_TABLE, *, change_at=None, then=None, p=0.7):
    """Return whether each judged call of each arm raises an alarm, shape (calls, arms); sums begin anew after it."""
    rng, weights = np.random.default_rng(seed), table.reward_weights()
    right, wrong = np.cumsum(table.right), np.cumsum(table.wrong)
    levels = np.linspace(0.02, 0.98, 193)
    steps = np.array(
        [[surprise(level, (table.right[b], table.wrong[b])) for b in range(5)] for level in levels]
    )
    reward, n, fast, fast_n, up, down = np.zeros((6, arms))
    raised = np.zeros((calls, arms), dtype=bool)
    for call in range(calls):
        known_n = n - fast_n
        fits = np.clip((reward - fast + 5 * p) / (known_n + 5), 0.02, 0.98)
        level = np.abs(levels[:, None] - fits).argmin(axis=0)
        is_right = rng.random(arms) < (rate if change_at is None or call < change_at else then)
        draw = rng.random(arms)
        bins = np.where(is_right, np.searchsorted(right, draw), np.searchsorted(wrong, draw)).clip(0, 4)
        watched = known_n >= LEAST_KNOWN
        up = np.where(watched, np.maximum(0, up + steps[level, bins, 0]), 0)
        down = np.where(watched, np.maximum(0, down + steps[level, bins, 1]), 0)
        raised[call] = np.maximum(up, down) > THRESHOLD
        up, down = np.where(raised[call], 0, up), np.where(raised[call], 0, down)
        reward, n = reward + weights[bins], n + 1
        fast, fast_n = fast * FAST_GAMMA + weights[bins], fast_n * FAST_GAMMA + 1
    return raised


def delays(raised, change_at):
    after = raised[change_at:]
    return np.where(after.any(axis=0), after.argmax(axis=0) + 1, 9_999)


def test_the_baseline_is_the_long_run_and_unknown_before_thirty_observations():
    assert baseline(0.7, None) is None
    assert baseline(0.7, known(29)) is None
    assert baseline(0.7, known(20, fast_weight=14.0)) is None
    assert baseline(0.7, known(1_000)) == pytest.approx(0.8, abs=0.01)
    assert baseline(0.5, known(1_000)) < baseline(0.9, known(1_000))


@pytest.mark.parametrize("damage", [math.nan, math.inf, -3.0, 1e300])
def test_damaged_sums_mean_no_baseline(damage):
    assert baseline(0.7, known(100) if damage is None else Evidence("m", "qa", weight_total=damage)) is None


@pytest.mark.parametrize("table", [DEFAULT_TABLE, SHARP], ids=["default", "sharp"])
@pytest.mark.parametrize("expected", [0.1, 0.5, 0.9])
def test_what_was_expected_speaks_against_a_change_and_a_change_for_itself(table, expected):
    def mean(quality, direction):
        chances = quality * np.array(table.right) + (1 - quality) * np.array(table.wrong)
        return sum(
            c * surprise(expected, (table.right[b], table.wrong[b]))[direction] for b, c in enumerate(chances)
        )

    assert mean(expected, 0) < 0
    assert mean(expected, 1) < 0
    assert mean(min(0.98, expected + 0.35), 0) > 0
    assert mean(max(0.02, expected - 0.35), 1) > 0


def test_an_arm_that_is_always_right_never_looks_better_still():
    assert surprise(0.98, (SHARP.right[4], SHARP.wrong[4]))[0] == pytest.approx(0.0)
    assert surprise(0.02, (SHARP.right[0], SHARP.wrong[0]))[1] == pytest.approx(0.0)


def test_an_alarm_needs_a_sum_above_the_threshold_and_some_calls():
    loud = {"drift_down": THRESHOLD + 0.1}
    assert has_changed(Evidence("m", "*", drift_calls=LEAST_WATCHED, **loud))
    assert not has_changed(Evidence("m", "*", drift_calls=LEAST_WATCHED - 1, **loud))
    assert not has_changed(Evidence("m", "*", drift_calls=99, drift_up=THRESHOLD, drift_down=THRESHOLD))


def test_the_audit_entry_tells_direction_and_numbers():
    entry = alarm(known(100, drift_down=8.5, drift_up=0.2, drift_calls=40, fast_reward=5.6, fast_weight=14.0))
    assert (entry["kind"], entry["model_id"], entry["direction"]) == ("drift", "m", "worse")
    assert (entry["mean_reward_before"], entry["mean_reward_lately"]) == (0.8, 0.4)
    assert (entry["evidence_nats"], entry["watched_calls"]) == (8.5, 40)
    assert alarm(Evidence("m", "*", drift_up=8.0))["direction"] == "better"


def test_a_fall_from_85_to_45_in_100_is_found_within_100_judged_calls():
    found = delays(alarms(0.85, 600, 1_000, seed=47, change_at=400, then=0.45), 400)
    assert np.median(found) <= 65
    assert np.mean(found <= 100) >= 0.85
    sharp = delays(alarms(0.85, 600, 300, seed=47, table=SHARP, change_at=400, then=0.45), 400)
    assert np.quantile(sharp, 0.99) <= 100


def test_a_rise_is_found_as_well():
    assert np.median(delays(alarms(0.45, 600, 500, seed=48, change_at=400, then=0.85), 400)) <= 75


@pytest.mark.parametrize("table", [DEFAULT_TABLE, SHARP], ids=["default", "sharp"])
def test_false_alarms_are_fewer_than_one_in_ten_thousand_judged_calls(table):
    raised = [alarms(rate, 1_000, 100, 49, table) for rate in (0.3, 0.6, 0.85, 0.97)]
    assert sum(one.sum() for one in raised) / sum(one.size for one in raised) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "least"),
    [(BLUNT, 0.7), (DEFAULT_TABLE, 0.99), (SHARP, 0.99)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_step_from_90_to_30_in_100_is_found_within_100_judged_calls(table, least, record_property):
    """By a judge of AUC .75, the default one and a sharp one; and what each raises without cause.

    Looking for a larger change (1.8 logits) finds this one in 83 of 100 by the blunt judge, and one of a fifth later.
    """
    told = []
    for before, then in ((0.9, 0.3), (0.85, 0.45), (0.9, 0.62)):
        found = delays(alarms(before, 600, 1_000, seed=47, table=table, change_at=400, then=then), 400)
        told.append(
            f"{before} to {then}: median {np.median(found):.0f}, within 100 {np.mean(found <= 100):.3f}"
        )
        if (before, then) == (0.9, 0.3):
            assert np.mean(found <= 100) >= least
    raised = [alarms(rate, 1_000, 200, 49, table) for rate in (0.3, 0.6, 0.85, 0.97)]
    false_alarms = sum(one.sum() for one in raised) / sum(one.size for one in raised) * 1e4
    told.append(f"{false_alarms:.2f} false alarms in 10,000 judged calls")
    record_property("drift", f"{table.name}: {'; '.join(told)}")
    print(table.name, *told, sep="; ")  # noqa: T201
    assert false_alarms < 1.0
