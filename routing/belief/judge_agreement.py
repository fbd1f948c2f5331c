"""What is published of a judge: how its scores agreed with labelled outcomes, and whether it is trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

from .judge_table import JudgeTable, auc_interval, auc_of_counts, table_from_counts

TARGET_AUC = 0.8
"""Agreement with labelled outcomes that a judge should reach."""


@dataclass(frozen=True, slots=True)
class ScoreBin:
    """One score bin: who was labelled there, and what an answer there is taken for."""

    low: float
    high: float
    right: float
    """Answers labelled right."""
    wrong: float
    right_share: float
    """Share of right answers that land here, the default table counted in (L1)."""
    wrong_share: float
    """The same of wrong answers (L0)."""
    learning_weight: float | None
    """What an answer here adds to its arm's rewards; None when nothing is learnt from this judge."""


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """One judge of one org."""

    judge: str
    labels: float
    """Answers it scored that were labelled afterwards."""
    auc: float | None
    """How often it scored a right answer above a wrong one, by the labels alone; None without both kinds."""
    auc_low: float | None
    """Lower end of the 95 % interval."""
    auc_high: float | None
    served_auc: float
    """Of the table in use, in which the default counts as 50 labels."""
    is_trusted: bool
    """Whether its scores may trigger an escalation: `served_auc` is at least .65."""
    gap_to_target: float | None
    """How far `auc` is below .8; 0 when it is not, None when it is unknown."""
    bins: tuple[ScoreBin, ...]


def judge_report(
    judge: str,
    default: JudgeTable,
    right: Sequence[float],
    wrong: Sequence[float],
    served: JudgeTable | None = None,
) -> JudgeReport:
    """Return what the labels of one judge say; ValueError as `table_from_counts`.

    `served` is the table in use, in which labels count as far as they are trusted; None = all of them in full.
    """
    table = served or table_from_counts(default, right, wrong, name=judge)
    auc = auc_of_counts(right, wrong)
    low, high = (None, None) if auc is None else auc_interval(auc, sum(right), sum(wrong))
    ends = (0.0, *table.edges, 1.0)
    weights = table.reward_weights() if table.is_trusted else [None] * len(right)
    bins = [
        ScoreBin(
            low=ends[place],
            high=ends[place + 1],
            right=right[place],
            wrong=wrong[place],
            right_share=round(table.right[place], 4),
            wrong_share=round(table.wrong[place], 4),
            learning_weight=None if weight is None else round(float(weight), 4),
        )
        for place, weight in enumerate(weights)
    ]
    return JudgeReport(
        judge=judge,
        labels=sum(right) + sum(wrong),
        auc=_rounded(auc),
        auc_low=_rounded(low),
        auc_high=_rounded(high),
        served_auc=round(table.auc, 4),
        is_trusted=table.is_trusted,
        gap_to_target=None if auc is None else _rounded(max(0.0, TARGET_AUC - auc)),
        bins=tuple(bins),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
