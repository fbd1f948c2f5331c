"""Learn from what was looked at."""

import logging
from dataclasses import asdict, replace

from ..routing.belief.drift import FAST_GAMMA, KEEP, alarm, has_changed, surprise
from ..routing.belief.likelihood import learning_weight, likelihood
from ..state.answers import Answer
from ..state.learning.posteriors import Watch
from ..state.records import Evidence
from ..state.working_memory import Change, Lesson, Routed
from .answer.verification import keep_judged
from .services import Services

logger = logging.getLogger(__name__)


async def update_posterior(call: Routed, services: Services) -> Change:
    """Add one piece of evidence for each answer that was to be looked at anyway.

    Each moves the counts of its own arm (alpha += score, beta += 1 - score). Only the first answer of a call moves the
    sums that selection reads and the drift detector: later ones are asked mostly after failures and would bias both.
    They count as rescues or not. An arm that has changed begins anew. An answer that another call bought teaches there.
    """
    taught = [answer for answer in call.bought if answer.teaches]
    if not taught:
        return Change(learned=())
    # A process that took the call up here has not read the org's labels yet.
    await services.judge_book.refresh(call.org, services.store, services.judge_table, services.clock_s())
    await keep_judged(call, services)
    call_count = await services.store.orgs.call_count(call.org)
    learned = []
    for answer in taught:
        lesson, watch = _lesson(call, answer, services)
        pooled = await services.store.posteriors.learn(
            call.org, call.call_id, answer.step, **asdict(lesson),
            org_calls=call_count, gamma=services.learner.gamma, watch=watch,
        )  # fmt: skip
        if pooled is not None and has_changed(pooled):
            await _begin_anew(call, services, pooled)
        learned.append(lesson)
    return Change(learned=tuple(learned))


def _lesson(call: Routed, answer: Answer, services: Services) -> tuple[Lesson, Watch]:
    """Return what one answer teaches of its arm, and what it tells the drift detector."""
    assert answer.verdict is not None
    seen, theta = answer.verdict.observation, answer.verdict.belief.theta
    score, is_check = seen.score or 0.0, seen.outcome == "failed_check"
    before = [one.verdict.belief.theta for one in call.bought if one.verdict and one.step < answer.step]
    lesson = Lesson(
        answer.model_id, answer.tier, call.task.cell, score, 1.0 - score, selection=None,
        rescued=theta > max(before) if before else None,
    )  # fmt: skip
    # A failed check is no judge's opinion, so no judge's labels change what it is worth.
    table = services.judge_table if is_check else services.table_of(call.org, seen.judge_model)
    is_first = answer.step == 0 and answer.model_id == call.first_decision.model_id
    if not is_first or not (is_check or table.is_trusted):
        return lesson, Watch(fast_gamma=FAST_GAMMA)
    weight = learning_weight(seen, table)
    expected = call.selection.baseline_prob
    nats = None if expected is None else surprise(expected, likelihood(seen, table))
    watch = Watch.after(nats, FAST_GAMMA, services.learner.return_hazard)
    return replace(lesson, selection=(weight, answer.predicted_prob)), watch


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
