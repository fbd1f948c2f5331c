"""Write the call down: log row, link of the org's audit chain, lessons, and the reply."""

from ..state.working_memory import Change, Learned
from .answer.best import best_answer
from .answer.teaching import follow, teaching_of
from .cache.keeping import keep_answer
from .org.memory import keep
from .org.rates import leave
from .records.log_row import audit_record, call_row
from .records.metering import count_call, tokens_of
from .records.reply import remembered_facts, reply_of
from .services import Services


async def audit(call: Learned, services: Services) -> Change:
    """Log the call, extend the chain and teach in one transaction; return the best answer bought with its receipt."""
    situation = await services.situations.of(call, services)
    best = best_answer(call)
    latency_ms = round((services.clock_s() - call.opening.started_monotonic_s) * 1e3, 3)
    row = call_row(call, situation, services, best, latency_ms)
    teaching = teaching_of(call, services)
    entry, call_count = await services.store.calls.record(row, audit_record(call, row, best), teaching)
    count_call(call, row, services.meter)
    await leave(call, services, tokens_of(call))
    if services.tell_call is not None:
        services.tell_call(call, row)
    if teaching is not None:
        await follow(teaching, call, services)
    cached = None if call.opening.cache is None else await keep_answer(call, row, best, services)
    if best is None:
        return Change(call_count=call_count, audit_hash=entry.record_hash)
    services.prompt_caches.note(call.org, services.conversations.author_in(call), best)
    reply = reply_of(call, situation, row, best, entry.record_hash)
    reply["cached"] = cached
    if call.recalled is not None:
        kept, hindrance = await keep(call, best.message or {}, services.memories, services.now())
        reply["remembered"] = remembered_facts(call.recalled, kept, hindrance)
    return Change(call_count=call_count, reply=reply)
