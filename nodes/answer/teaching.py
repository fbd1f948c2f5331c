"""What a call teaches: written with its log row, and what follows from it."""

import logging

from ...routing.belief.drift import KEEP, alarm, has_changed
from ...state.errors import StoreError
from ...state.learning.teaching import Teaching
from ...state.records import Evidence
from ...state.types import JSONObject
from ...state.working_memory import Learned
from ..services import Services
from .verification import keep_judged

logger = logging.getLogger(__name__)


def teaching_of(call: Learned, services: Services) -> Teaching | None:
    """Return what moves the posteriors in the transaction that logs the call; None where nothing was learnt."""
    if not call.learned:
        return None
    named = {"call_id": call.call_id, "at": call.opening.started_at.isoformat()}

    def alarm_of(pooled: Evidence) -> JSONObject | None:
        return alarm(pooled) | named if has_changed(pooled) else None

    return Teaching(
        posteriors=services.store.posteriors, org=call.org, call_id=call.call_id, lessons=call.learned,
        gamma=services.learner.gamma, alarm=alarm_of, keep=KEEP,
    )  # fmt: skip


async def follow(teaching: Teaching, call: Learned, services: Services) -> None:
    """Tell of arms that changed, and keep what the judged answers looked like; nothing here can cost the answer."""
    for record in teaching.alarms:
        services.checks.clear(call.org, record["model_id"])
        what = (record["model_id"], record["direction"], call.org)
        logger.warning("model %s has become %s for org %s: its past is forgotten", *what)
    try:
        await keep_judged(call, services)
    except StoreError as error:
        logger.warning("what the judged answers of org %s looked like is not kept: %s", call.org, error)
