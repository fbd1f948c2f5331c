"""Which tier a call begins with: what the caller says, or what its router promises the class of the request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...routing.plan.affinity import Author
from ...routing.plan.configs import RouterConfig
from ...routing.prompt.request_class import class_of, nearest_tier, promised_tier
from ...state.records import Arm
from ...state.types import TIERS, Tier
from ...state.working_memory import Classified, Start

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Beginning:
    """Whom a call is to begin with."""

    start: Start
    why: str | None = None
    """Why that tier, where the router chose it."""


def beginning_of(
    call: Classified,
    router: RouterConfig,
    arms: Sequence[Arm],
    author: Author | None,
    unfit: Mapping[str, str] = _NONE,
) -> Beginning:
    """Return whom a call begins with.

    An overriding model that failed lately by what this request needs is as one that fails now: others are asked.

    Under `first_tier: by_class` the request's class names the tier; `task_complexity` says it in its place, weights
    that lean far move it by one, a conversation is gone on with by nobody weaker, and where nobody of it may be asked
    the nearest one takes its place.

    Parameters
    ----------
    arms
        Who may be asked.
    author
        Who gave the newest answer of the conversation; None = nobody, or not known.
    unfit
        Models, none of them removed by a constraint, that turned out not to be fit for the request, and why.
    """
    start = call.opening.start
    if start.model_id is not None and start.model_id in unfit:
        why = f"{start.model_id} is passed over: {unfit[start.model_id]}"
        return Beginning(replace(start, model_id=None), why)
    if router.first_tier == "any" or start.model_id is not None or not arms:
        return Beginning(start)
    wanted, reasons = _wanted(call)
    if author is not None and start.chain_routing == "sticky":
        return Beginning(start)
    if author is not None and start.chain_routing is None and _is_above(author.tier, wanted):
        wanted = next(tier for tier in TIERS if tier == author.tier)
        reasons.append(f"the conversation builds on {wanted}")
    tier = nearest_tier(wanted, {arm.tier for arm in arms})
    if tier != wanted:
        reasons.append(f"nobody of {wanted} may be asked: {tier}")
    return Beginning(replace(start, tiers=(tier,), why=reasons[0]), "; ".join(reasons))


def _wanted(call: Classified) -> tuple[Tier, list[str]]:
    """Return the tier to begin with, and what says so."""
    start = call.opening.start
    if start.tiers:
        wanted = next(tier for tier in reversed(TIERS) if tier in start.tiers)
        return wanted, [f"{start.why} stands for {wanted}"]
    found = class_of(
        call.messages, call.options, task_type=call.task.type, prompt_tokens=call.task.prompt_tokens
    )
    wanted = promised_tier(found.tier, call.optimize_for)
    reasons = [f"class {found.name}, {found.why}: {found.tier}"]
    if wanted != found.tier:
        reasons.append(f"what is optimised for leans to {wanted}")
    return wanted, reasons


def _is_above(tier: str, other: str) -> bool:
    return TIERS.index(tier) > TIERS.index(other)
