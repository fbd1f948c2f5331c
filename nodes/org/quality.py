"""What labels say of an org's answers: their mean quality, and what share of them is good at least."""

from ...routing.belief.corrected_quality import LEAST_LABELS, Quality, ScoredLabel, corrected_quality
from ...routing.belief.quality_bound import (
    DELTA,
    Alarms,
    DatedLabel,
    QualityBound,
    SampledLabel,
    bounds_by_task,
)
from ...state.queries.labelled import LabelledCall
from ...state.savings import OrgStats
from ...state.store import Store


async def quality_of(store: Store, org: str, stats: OrgStats) -> Quality | None:
    """Return the mean quality of the org's newest answers, corrected by labels; None where none has a score.

    Below so many labels as correct anything it is the mean score of all its answers.
    """
    labelled = await store.labelled.sampled(org)
    scores, oldest = await store.labelled.scores(org) if len(labelled) >= LEAST_LABELS else ([], None)
    found = [
        ScoredLabel(label, call.score)
        for call, label in _with_probs(labelled)
        if call.score is not None and oldest is not None and call.created_at >= oldest
    ]
    if len(found) >= LEAST_LABELS:
        return corrected_quality(scores, found)
    if stats.avg_quality is None:
        return None
    answers = stats.total_calls - stats.model_distribution.get("none", 0)
    return Quality(stats.avg_quality, None, None, "scores", len(found), answers)


async def bounds_of(store: Store, org: str, delta: float = DELTA) -> dict[str, QualityBound]:
    """Return what is stated of each task type of the org that has labels of answers picked by chance."""
    labelled = await store.labelled.sampled(org)
    if not labelled:
        return {}
    alarms = {one.model_id: Alarms(one.at, one.count) for one in await store.labelled.alarms(org)}
    dated = [
        DatedLabel(label, call.created_at, call.model_id, call.task_type)
        for call, label in _with_probs(labelled)
    ]
    return bounds_by_task(dated, alarms, delta)


def _with_probs(labelled: list[LabelledCall]) -> list[tuple[LabelledCall, SampledLabel]]:
    """Return the calls with their labels; where some say how they were picked, those that do not are left out."""
    is_said = any(call.sampled_prob is not None for call in labelled)
    return [
        (call, SampledLabel(call.right, 1.0 if call.sampled_prob is None else call.sampled_prob))
        for call in labelled
        if call.sampled_prob is not None or not is_said
    ]
