"""Answer with what another call bought: log row, link of the org's audit chain, and the reply. Nothing is learnt."""

from ..routing.belief.stage import stage_of
from ..routing.plan.affinity import Author
from ..state.working_memory import Change, Known
from .org.conversations import Place
from .org.memory import keep, user_of
from .org.rates import leave
from .records.hit_record import hit_entry, hit_reply, hit_row
from .records.metering import count_hit
from .records.reply import remembered_facts
from .services import Services


async def serve_hit(call: Known, services: Services) -> Change:
    """Log the call, extend the chain and return the kept answer: it costs nothing, and is no evidence."""
    latency_ms = round((services.clock_s() - call.opening.started_monotonic_s) * 1e3, 3)
    row = hit_row(call, services, latency_ms)
    entry, call_count = await services.store.calls.record(row, hit_entry(call, row))
    count_hit(row, services.meter)
    await leave(call, services)
    reply = hit_reply(call, row, services, entry.record_hash, services.now())
    message, author = call.hit.answer.message, Author(call.hit.answer.model_id, call.hit.answer.tier)
    if call.recalled is not None:
        kept, hindrance = await keep(call, message, services.memories, services.now())
        reply["remembered"] = remembered_facts(call.recalled, kept, hindrance)
    place = (
        Place(call.conversation_id, user_of(call.options, call.opening.user_id))
        if call.conversation_id
        else None
    )
    services.conversations.remember(call.org, call.messages, message, author, place)
    return Change(call_count=call_count, reply=reply, stage=stage_of(call_count).to_json())
