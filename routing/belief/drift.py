"""Has an arm changed? Two cumulative sums of what the judge's bins say against the arm's own long run.

Under the expectation m for this prompt, what was seen of the answer has probability P(m) = m L1 + (1 - m) L0, with L1
and L0 of `likelihood`: a failed check, or a passed one and the judge's bin. Two rivals say that the arm became better
or worse by `SHIFT` logits, m' = sigmoid(logit m +- SHIFT). Each first answer looked at adds the log-likelihood ratio to
the rival's sum, which never falls below zero:

    S = max(0, S + ln(P(m') / P(m)))

An alarm is raised where a sum passes `THRESHOLD`. The ratio weighs a score by what this judge's table makes of it,
so a sharp judge needs few calls, a blunt one more, and neither needs a scale of its own.

Source: Page, Biometrika 41 (1954), 100-115; Lorden, Annals of Mathematical Statistics 42 (1971), 1897-1908:
no rule with as few false alarms finds the rival sooner, and between false alarms lie exp(threshold) calls or more.
"""

from math import log
from typing import Any

from ...state.records import Evidence
from ..prompt.logistic import logit, sigmoid
from .likelihood import Likelihood
from .thompson import DEFAULT_LEARNER, Learner, long_run, shifted

SHIFT = 1.4
"""Change to look for, in logits: .85 to .58, or .5 to .8. Larger changes are found sooner still."""
THRESHOLD = 7.5
"""Evidence for a change that raises the alarm, in nats."""
LEAST_KNOWN = 30.0
"""Observations an arm needs in a cell before there is something to have changed from."""
LEAST_WATCHED = 7
"""Observations after an alarm before the next one."""
KEEP = 3.0
"""After an alarm the sums begin anew as so many times the last few observations."""
FAST_GAMMA = 0.93
"""What one observation leaves of the sums of the last few: about the last fourteen."""


def baseline(p: float, cell: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> float | None:
    """Return the expected quality of an arm predicted at `p`, from its long run in the cell but its last few calls.

    None while too little is known. The last few are left out, or a change would move its own yardstick.
    """
    sums = long_run(cell)
    return None if sums[2] < LEAST_KNOWN else shifted(p, sums, learner.drifted_n0)


def expectation(
    p: float, cell: Evidence | None, pooled: Evidence | None, learner: Learner = DEFAULT_LEARNER
) -> float | None:
    """Return what an arm is held to: its long run in the cell, after a change what all its cells showed since.

    A change clears the cells; without the second, nobody would notice that the arm has been repaired.
    """
    expected = baseline(p, cell, learner)
    if expected is not None or pooled is None or not pooled.drifts or pooled.weight_total < LEAST_KNOWN:
        return expected
    sums = (pooled.reward_total, pooled.predicted_total, pooled.weight_total)
    return shifted(p, sums, learner.drifted_n0)


def surprise(expected: float, seen: Likelihood) -> tuple[float, float]:
    """Return what an observation adds to the sums for better and for worse, in nats."""
    right, wrong = seen

    def log_chance(level: float) -> float:
        # Rivals stay where `expected` itself may lie: an arm that is always right never looks better still.
        quality = sigmoid(logit(sigmoid(level)))
        return log(quality * right + (1.0 - quality) * wrong)

    level = logit(expected)
    now = log_chance(level)
    return log_chance(level + SHIFT) - now, log_chance(level - SHIFT) - now


def has_changed(pooled: Evidence) -> bool:
    """Return whether the arm's sums raise an alarm."""
    return pooled.drift_calls >= LEAST_WATCHED and max(pooled.drift_up, pooled.drift_down) > THRESHOLD


def alarm(pooled: Evidence) -> dict[str, Any]:
    """Return what the audit chain keeps of an alarm."""
    before = pooled.reward_total / pooled.weight_total if pooled.weight_total else None
    lately = pooled.fast_reward / pooled.fast_weight if pooled.fast_weight else None
    return {
        "kind": "drift",
        "model_id": pooled.model_id,
        "tier": pooled.tier,
        "direction": "better" if pooled.drift_up > pooled.drift_down else "worse",
        "evidence_nats": round(max(pooled.drift_up, pooled.drift_down), 4),
        "threshold_nats": THRESHOLD,
        "watched_calls": pooled.drift_calls,
        "mean_reward_before": None if before is None else round(before, 4),
        "mean_reward_lately": None if lately is None else round(lately, 4),
    }
