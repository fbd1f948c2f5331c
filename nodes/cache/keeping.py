"""Keep the answer of a call to be given again, where it is good for that."""

from typing import TYPE_CHECKING

from ...routing.plan.cache_key import question_apart
from ...routing.plan.caching import keeps_for_s
from ...routing.plan.policy import Policy
from ...state.answers import Answer
from ...state.hits import CacheKeys, Hit, KeptAnswer
from ...state.records import Call
from ...state.types import JSONObject
from ...state.working_memory import Learned
from ..answer.text import message_text
from ..records.explanation import verdict_facts
from .lookup import is_stored

if TYPE_CHECKING:
    from ..services import Services

PASSES_FROM = 0.5
"""Score of a judge below which an answer is bad, where no quality bar says otherwise."""
WHOLE = frozenset({"stop", "tool_calls", "function_call", None})
"""Reasons for which an answer ends that is all there."""


def why_not_kept(call: Learned, best: Answer | None) -> str | None:
    """Return why an answer is given to nobody again; None where it may be.

    A call that its model asks the caller to make is part of a whole answer: without effect before the caller makes it.
    """
    if best is None or best.message is None or best.verdict is None:
        return "no answer came"
    bar = Policy.parse(call.policy).quality_bar or call.opening.wishes.quality_bar or PASSES_FROM
    verdict, message = best.verdict, best.message
    is_bad = verdict.source == "judge" and (verdict.score is None or verdict.score < bar)
    reasons = {
        "its request says store: false": call.opening.wishes.is_unstored,
        "another call bought it": best.is_inherited or call.opening.forked_from is not None,
        f"it ended early ({best.finish_reason})": best.finish_reason not in WHOLE or best.is_cut_by_limit,
        "it is a refusal, or spoken": bool(message.get("refusal") or message.get("audio")),
        "it is empty": not message_text(message).strip() and not _calls(message),
        f"it failed a check ({verdict.failed_check})": verdict.failed_check is not None,
        "its bill is not believed": any(one.disputed_nusd for one in best.attempts),
        "the judge found it not good enough": is_bad,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def keep_answer(
    call: Learned, row: Call, best: Answer | None, services: "Services"
) -> JSONObject | None:
    """Keep a logged call's answer, tell it to equal calls that wait, and return what the reply says of that.

    None where the call uses no cache.
    """
    keys, caches = call.opening.cache, services.caches
    if keys is None or caches is None:
        return None
    hit, reason = None, keys.hindrance or why_not_kept(call, best)
    try:
        if reason is None and best is not None:
            hit = Hit("exact", call.call_id, services.now(), _kept(row, best))
            reason = await _keep(call, keys, hit, services)
    finally:
        caches.flights.land(call.org, call.call_id, hit)
    return {"hit": False, "type": None, "kept": reason is None, "reason": reason}


async def _keep(call: Learned, keys: CacheKeys, hit: Hit, services: "Services") -> str | None:
    assert services.caches is not None
    settings = await services.org_settings.of(call.org, services.store, services.clock_s())
    apart = question_apart(call.sent) if keys.context is not None else None
    return await services.caches.keep(
        call.org,
        keys,
        hit,
        None if apart is None else apart[0],
        is_stored=is_stored(call.opening.wishes, services),
        ttl_s=keeps_for_s(settings, services.limits.caching),
    )


def _kept(row: Call, best: Answer) -> KeptAnswer:
    assert best.message is not None
    return KeptAnswer(
        message=best.message, finish_reason=best.finish_reason, logprobs=best.logprobs, usage=best.usage,
        model_id=best.model_id, provider=best.provider, tier=best.tier, simulated=best.simulated,
        task_type=row.task_type, task_cell=row.task_cell, difficulty=row.difficulty,
        quality_score=None if row.quality_score is None else round(row.quality_score, 4),
        verdict=verdict_facts(best), paid_nusd=row.paid_nusd,
    )  # fmt: skip


def _calls(message: JSONObject) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))
