"""Say what was learnt from what was looked at."""

from ..state.working_memory import Change, Routed
from .answer.lesson import is_only_checked, lesson_of
from .services import Services


async def update_posterior(call: Routed, services: Services) -> Change:
    """Make one lesson of each answer that was to be looked at anyway.

    Each moves the counts of its own arm (alpha += score, beta += 1 - score). Only the first answer of a call moves the
    sums that selection reads and the drift detector: later ones are asked mostly after failures and would bias both.
    They count as rescues or not. An answer that another call bought teaches there. Where nobody judges, every answer
    teaches what the free checks say of it.

    The posteriors move in the transaction that logs the call, so a call that comes to nothing teaches nothing.
    """
    taught = [answer for answer in call.bought if answer.teaches or is_only_checked(call, answer, services)]
    if taught:
        # A process that took the call up here has not read the org's labels yet.
        await services.refresh_labels(call.org)
    return Change(learned=tuple(lesson_of(call, answer, services) for answer in taught))
