"""Learn from what was looked at."""

import logging
from dataclasses import asdict

from ..routing.belief.drift import KEEP, alarm, has_changed
from ..state.records import Evidence
from ..state.working_memory import Change, Routed
from .answer.lesson import is_only_checked, lesson_of
from .answer.verification import keep_judged
from .services import Services

logger = logging.getLogger(__name__)


async def update_posterior(call: Routed, services: Services) -> Change:
    """Add one piece of evidence for each answer that was to be looked at anyway.

    Each moves the counts of its own arm (alpha += score, beta += 1 - score). Only the first answer of a call moves the
    sums that selection reads and the drift detector: later ones are asked mostly after failures and would bias both.
    They count as rescues or not. An arm that has changed begins anew. An answer that another call bought teaches there.
    Where nobody judges, every answer teaches what the free checks say of it.
    """
    taught = [answer for answer in call.bought if answer.teaches or is_only_checked(answer, services)]
    if not taught:
        return Change(learned=())
    # A process that took the call up here has not read the org's labels yet.
    await services.judge_book.refresh(call.org, services.store, services.judge_table, services.clock_s())
    await keep_judged(call, services)
    call_count = await services.store.orgs.call_count(call.org)
    learned = []
    for answer in taught:
        lesson, watch = lesson_of(call, answer, services)
        pooled = await services.store.posteriors.learn(
            call.org, call.call_id, answer.step, **asdict(lesson),
            org_calls=call_count, gamma=services.learner.gamma, watch=watch,
        )  # fmt: skip
        if pooled is not None and has_changed(pooled):
            await _begin_anew(call, services, pooled)
        learned.append(lesson)
    return Change(learned=tuple(learned))


async def _begin_anew(call: Routed, services: Services, pooled: Evidence) -> None:
    """Forget the changed arm's past, with an entry in the audit chain and a line in the log."""
    record = alarm(pooled) | {"call_id": call.call_id, "at": call.opening.started_at.isoformat()}
    is_new = await services.store.posteriors.begin_anew(
        call.org, pooled.model_id, drift_calls=pooled.drift_calls, keep=KEEP, record=record
    )
    if is_new:
        services.checks.clear(call.org, pooled.model_id)
        what = (pooled.model_id, record["direction"], call.org)
        logger.warning("model %s has become %s for org %s: its past is forgotten", *what)
