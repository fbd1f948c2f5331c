"""What is known of an answer after looking at it."""

from dataclasses import dataclass

from ...state.answers import Belief, QualitySource, Verdict
from ...state.observations import Observation
from ..belief.judge_table import JudgeTable
from ..belief.likelihood import likelihood, posterior
from .checks import CheckReport


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
    seen = likelihood(observation, table)
    after = Belief(posterior(before.mean, seen), posterior(before.theta, seen))
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
