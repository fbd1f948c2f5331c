"""Learn from what was looked at."""

import logging
from typing import Any

from ..routing.belief.drift import FAST_GAMMA, KEEP, alarm, has_changed, surprise
from ..state.learning.posteriors import Watch
from ..state.records import Evidence
from ..state.types import CascadeState, JSONObject
from .answer.verification import is_picked, keep_seen
from .offers.prices import refresh_tables, table_of
from .services import Services

logger = logging.getLogger(__name__)


async def update_posterior(state: CascadeState, services: Services) -> CascadeState:
    """Add one piece of evidence for each answer somebody looked at; nothing is learnt from an unknown quality.

    Every looked-at answer moves the counts of its own arm (alpha += score, beta += 1 - score). Only the first answer
    of a call moves the sums that selection reads and the drift detector: later ones are asked mostly after failures
    and would bias both. They count as rescues or not. An arm that has changed begins anew.
    """
    seen = [verdict for verdict in state["verdicts"] if verdict["bin"] is not None]
    if not seen:
        return CascadeState(learned=[])
    await refresh_tables(state, services)
    await keep_seen(state, services)
    call_count = await services.store.orgs.call_count(state["org"])
    learned = []
    for verdict in seen:
        lesson, watch = _lesson(state, services, verdict)
        pooled = await services.store.posteriors.learn(
            state["org"], state["call_id"], verdict["step"], **lesson,
            org_calls=call_count, gamma=services.learner.gamma, watch=watch,
        )  # fmt: skip
        if pooled is not None and has_changed(pooled):
            await _begin_anew(state, services, pooled)
        learned.append({**lesson, "selection": list(lesson["selection"]) if lesson["selection"] else None})
    return CascadeState(learned=learned)


def _lesson(
    state: CascadeState, services: Services, verdict: JSONObject
) -> tuple[dict[str, Any], Watch | None]:
    """Return what one verdict teaches of its arm, and what it tells the drift detector."""
    step, first = verdict["step"], state["first_decision"]
    # What was judged because of how it looked says little of the model's other answers.
    is_first = step == 0 and verdict["model_id"] == first["model_id"] and not is_picked(verdict)
    held, before = state["held"][step], [one["quality"] for one in state["held"][:step]]
    # A failed check is no judge's opinion, so no judge's labels change what it is worth.
    is_check = verdict["source"] == "checks"
    table = services.judge_table if is_check else table_of(state, services, verdict["judge_model"])
    is_first = is_first and table.is_trusted
    weight = float(table.reward_weights()[verdict["bin"]]) if is_first else 0.0
    lesson = {
        "task_cell": state["task_cell"],
        "model_id": verdict["model_id"],
        "tier": held["tier"],
        "success": verdict["score"],
        "failure": 1.0 - verdict["score"],
        "selection": (weight, held["predicted"]) if is_first else None,
        "rescued": held["quality"] > max(before) if before else None,
    }
    expected = first.get("baseline_prob")
    if not is_first or expected is None:
        return lesson, Watch(fast_gamma=FAST_GAMMA)
    rise, fall = surprise(expected, verdict["bin"], table)
    return lesson, Watch(rise, fall, 1, FAST_GAMMA)


async def _begin_anew(state: CascadeState, services: Services, pooled: Evidence) -> None:
    """Forget the changed arm's past, with an entry in the audit chain and a line in the log."""
    record = alarm(pooled) | {"call_id": state["call_id"], "at": state["started_at"]}
    is_new = await services.store.posteriors.begin_anew(
        state["org"], pooled.model_id, drift_calls=pooled.drift_calls, keep=KEEP, record=record
    )
    if is_new:
        what = (pooled.model_id, record["direction"], state["org"])
        logger.warning("model %s has become %s for org %s: its past is forgotten", *what)
