"""What is known of an answer after looking at it."""

from collections.abc import Callable
from dataclasses import dataclass

from ...state.answers import Belief, QualitySource, Verdict
from ...state.observations import Observation
from ..belief.judge_table import JudgeTable
from .checks import CheckReport

CAUGHT_SHARE = 0.14
"""Share of wrong answers that fail a free check, as measured on recorded answers."""
FALSE_ALARM_SHARE = 0.005
"""Share of right answers taken to fail a free check; an assumption, small as the checks are exact."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge that was asked had to say, or why it said nothing."""

    reason: str
    cost_nusd: int
    is_failure: bool = False
    """Whether it gave no score."""


def verdict_of(
    report: CheckReport,
    observation: Observation,
    before: Belief,
    table: JudgeTable | None = None,
    judgement: Judgement | None = None,
) -> Verdict:
    """Return the verdict on an answer, its belief moved by what was seen.

    Parameters
    ----------
    before
        Belief before the free checks.
    table
        What the judge's bins are worth; None where its score carries nothing.
    judgement
        None where no judge was asked.
    """
    after = _moved(before, observation, table)
    source: QualitySource
    if observation.outcome == "failed_check":
        source, score = "checks", observation.score
    elif observation.outcome == "scored":
        source, score = "judge", observation.score
    elif judgement is not None and judgement.is_failure:
        source, score = "none", None  # a judge was due and failed: no score is made up
    else:
        source, score = "estimate", after.mean
    return Verdict(
        score=score,
        source=source,
        checks_made=report.made,
        failed_check=report.failed,
        reason=report.reason if judgement is None else judgement.reason,
        belief=after,
        observation=observation,
        judge_cost_nusd=0 if judgement is None else judgement.cost_nusd,
    )


def _moved(before: Belief, observation: Observation, table: JudgeTable | None) -> Belief:
    """Return the belief after an observation, by Bayes' rule."""
    if observation.outcome == "failed_check":
        return _map(before, _after_failed_check)
    if observation.outcome == "unseen":
        return _map(before, _after_passed_checks)
    score_bin = observation.bin
    if table is None or score_bin is None:
        return before
    return _map(before, lambda prob: table.posterior(prob, score_bin))


def _map(belief: Belief, update: Callable[[float], float]) -> Belief:
    return Belief(update(belief.mean), update(belief.theta))


def _after_failed_check(prob: float) -> float:
    right, wrong = prob * FALSE_ALARM_SHARE, (1.0 - prob) * CAUGHT_SHARE
    return right / (right + wrong)


def _after_passed_checks(prob: float) -> float:
    return prob / (prob + (1.0 - prob) * (1.0 - CAUGHT_SHARE))
