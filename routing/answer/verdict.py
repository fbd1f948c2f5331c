"""What is known of an answer after looking at it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..belief.judge_table import JudgeTable
from .checks import CheckReport

QualitySource = Literal["judge", "checks", "estimate", "none"]

CAUGHT_SHARE = 0.14
"""Share of wrong answers that fail a free check, as measured on recorded answers."""
FALSE_ALARM_SHARE = 0.005
"""Share of right answers taken to fail a free check; an assumption, small as the checks are exact."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the free checks and, where one was due, of the judge."""

    score: float | None
    """0 to 1; None when a judge was due and failed."""
    source: QualitySource
    checks_made: tuple[str, ...]
    failed_check: str | None
    judge_model: str | None
    reason: str | None
    judge_cost_nusd: int
    bin: int | None
    """Score bin the learning weight is read from; None when nothing may be learned."""
    posterior: float
    """Probability that the answer is right, after everything seen."""

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {**asdict(self), "checks_made": list(self.checks_made)}


def from_checks(report: CheckReport, theta: float) -> Verdict:
    """Return the verdict on an answer that failed a free check: score 0, the lowest bin, no judge asked.

    The posterior follows from the shares of right and wrong answers that fail a check.

    Raises
    ------
    ValueError
        If no check failed.
    """
    if report.failed is None:
        raise ValueError("from_checks needs a report with a failed check, got one without")
    right, wrong = theta * FALSE_ALARM_SHARE, (1.0 - theta) * CAUGHT_SHARE
    return _verdict(report, score=0.0, source="checks", score_bin=0, posterior=right / (right + wrong))


def from_judge(  # noqa: PLR0913 - what was seen, what was believed, what it cost
    score: float,
    reason: str,
    *,
    report: CheckReport,
    theta: float,
    table: JudgeTable,
    judge_model: str,
    judge_cost_nusd: int,
) -> Verdict:
    """Return the verdict of a judge's score, 0 to 1; a judge too weak to be trusted leaves the belief alone.

    Raises
    ------
    ValueError
        If the score lies outside [0, 1].
    """
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"score must be between 0 and 1, got {score!r}")
    score_bin = table.bin_of(score)
    return Verdict(
        score=score,
        source="judge",
        checks_made=report.made,
        failed_check=None,
        judge_model=judge_model,
        reason=reason,
        judge_cost_nusd=judge_cost_nusd,
        bin=score_bin,
        posterior=table.posterior(theta, score_bin) if table.is_trusted else theta,
    )


def unjudged(report: CheckReport, theta: float) -> Verdict:
    """Return the verdict on an answer that passed the free checks and was not judged: an estimate."""
    posterior = theta / (theta + (1.0 - theta) * (1.0 - CAUGHT_SHARE))
    return _verdict(report, score=posterior, source="estimate", score_bin=None, posterior=posterior)


def judge_failed(report: CheckReport, reason: str, theta: float, *, judge_cost_nusd: int = 0) -> Verdict:
    """Return the verdict when a judge was due and gave no score: no score is made up."""
    return Verdict(
        score=None,
        source="none",
        checks_made=report.made,
        failed_check=None,
        judge_model=None,
        reason=reason,
        judge_cost_nusd=judge_cost_nusd,
        bin=None,
        posterior=unjudged(report, theta).posterior,
    )


def _verdict(
    report: CheckReport, *, score: float, source: QualitySource, score_bin: int | None, posterior: float
) -> Verdict:
    return Verdict(
        score=score,
        source=source,
        checks_made=report.made,
        failed_check=report.failed,
        judge_model=None,
        reason=report.reason,
        judge_cost_nusd=0,
        bin=score_bin,
        posterior=posterior,
    )
