"""Say how mature the org's learning is after this call, and remember who answered it."""

from ..routing.belief.stage import stage_of
from ..routing.plan.affinity import Author
from ..state.working_memory import Change, Logged
from .answer.best import best_answer
from .answer.failure import call_failure
from .org.conversations import Place
from .org.memory import user_of
from .services import Services


async def stage_check(call: Logged, services: Services) -> Change:
    """Derive the org's stage from its call count; raise the failure of a call that bought no answer.

    The failure is raised here, after learning and audit, because a call that failed is logged like any other.
    """
    services.situations.forget(call.org, call.call_id)
    best = best_answer(call)
    if best is None:
        raise call_failure(call)
    assert best.message is not None
    author = Author(best.model_id, best.tier)
    place = (
        Place(call.conversation_id, user_of(call.options, call.opening.user_id))
        if call.conversation_id
        else None
    )
    services.conversations.remember(call.org, call.messages, best.message, author, place)
    if (chain_id := call.opening.start.chain_id) is not None:
        services.conversations.remember_chain(call.org, chain_id, author)
    return Change(stage=stage_of(call.call_count).to_json())
