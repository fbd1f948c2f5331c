"""What an org observed of each arm, as a decision in one task cell reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...routing.belief.thompson import combine
from ...state.records import Evidence
from ...state.working_memory import Estimated

if TYPE_CHECKING:
    from ..services import Services


@dataclass(frozen=True, slots=True)
class Observed:
    """Evidence by model id; an arm that is left out has none."""

    cells: Mapping[str, Evidence]
    """Of the call's task cell."""
    pooled: Mapping[str, Evidence]
    """Over all cells."""
    combined: Mapping[str, Evidence]
    """Of both, as selection reads it."""


async def observed_by(call: Estimated, services: "Services") -> Observed:
    """Return what the org of a call observed until now."""
    cells, pooled = await services.store.posteriors.read_levels(call.org, call.task.cell)
    org_calls = 0
    if any(one.drifts for one in pooled.values()):
        org_calls = await services.store.orgs.recent_call_count(call.org)
    evidence = combine(cells, pooled, services.learner, org_calls)
    labels = services.judge_book.labels(call.org)
    if labels.counts:
        evidence = labels.added_to(evidence, call.task.cell)
    return Observed(cells, pooled, evidence)
