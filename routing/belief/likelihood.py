"""How likely what was seen of an answer is, if it was right and if it was wrong: the one likelihood of all learning.

Free checks see every answer, the judge some of those that pass:

    failed a check     right f,         wrong c             f = `FALSE_ALARM_SHARE`, c = `CAUGHT_SHARE`
    passed, unjudged   right 1 - f,     wrong 1 - c
    passed, bin b      right (1-f) L1_b, wrong (1-c) L0_b   L1, L0 of the judge's table

Beliefs about an answer, the drift detector, an org's own refits and replays all read it.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...state.observations import Observation
from .judge_table import JudgeTable

CAUGHT_SHARE = 0.14
"""Share of wrong answers that fail a free check, as measured on recorded answers."""
FALSE_ALARM_SHARE = 0.005
"""Share of right answers taken to fail a free check; an assumption, small as the checks are exact."""

Prob = TypeVar("Prob", float, NDArray[np.float64])
Likelihood = tuple[float, float]
"""P(what was seen | the answer was right), P(what was seen | it was wrong)."""

UNCHECKED: Likelihood = (1.0, 1.0)
FAILED_CHECK: Likelihood = (FALSE_ALARM_SHARE, CAUGHT_SHARE)
PASSED_CHECKS: Likelihood = (1.0 - FALSE_ALARM_SHARE, 1.0 - CAUGHT_SHARE)


def likelihood(seen: Observation, table: JudgeTable | None) -> Likelihood:
    """Return how likely an observation is of a right and of a wrong answer.

    Parameters
    ----------
    table
        The judge's; None where its score carries nothing.
    """
    if seen.outcome == "failed_check":
        return FAILED_CHECK
    if table is None or seen.bin is None:
        return PASSED_CHECKS
    return PASSED_CHECKS[0] * table.right[seen.bin], PASSED_CHECKS[1] * table.wrong[seen.bin]


def posterior(prob: Prob, seen: Likelihood) -> Prob:
    """Return the probability that an answer is right after what was seen of it, by Bayes' rule; any shape."""
    right, wrong = prob * seen[0], (1.0 - prob) * seen[1]
    return right / (right + wrong)


def learning_weight(seen: Observation, table: JudgeTable) -> float:
    """Return what an observation adds to the rewards that selection reads: 1 of a right answer on average, else 0.

    `JudgeTable.reward_weights` is unbiased on the answers that pass the checks. A failed check says wrong and weighs
    0, so the sum over both is as unbiased, whatever share of wrong answers the checks catch: it needs only that a
    failed check is counted where a judge would have looked.
    """
    return 0.0 if seen.bin is None else float(table.reward_weights()[seen.bin])
