"""Settle what dead processes left behind, each call for itself: no dollar is spent without a call that shows it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from ..nodes.services import Services
from ..state.errors import StoreError, X25Error
from ..state.leases import BEATS, Lease
from ..state.open_calls import OpenCall
from ..state.records import Attempt, Call
from .memory.privacy import without_words

_log = logging.getLogger(__name__)

MOST_TRIES = 5
"""Tries after which a call that cannot be settled is set aside."""
MOST_RESUMES = 3
"""Of these, how many try to finish the call; the others only log it, with the money it spent."""
AT_ONCE = 4
"""Calls settled at the same time: one that takes long holds up no other."""
RELEASE_WITHIN_S = 2.0

Resume = Callable[[str, str], Awaitable[object]]


@asynccontextmanager
async def holding(lease: Lease, term_s: float) -> AsyncIterator[None]:
    """Hold a lease while the context is open, renewed several times a term; given up at the end."""
    await lease.renew(term_s)
    beating = asyncio.create_task(_renew_for_ever(lease, term_s))
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        # A database that does not answer need not hold up the end: the lease runs out by itself.
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(RELEASE_WITHIN_S):
                await lease.release()


async def _renew_for_ever(lease: Lease, term_s: float) -> None:
    while True:
        await asyncio.sleep(term_s / BEATS)
        try:
            await lease.renew(term_s)
        except StoreError as error:
            _log.warning("the lease of this process could not be renewed: %s", error)


class Recovery:
    """Finds the calls of dead processes and settles them; what one of them meets stops no other.

    Parameters
    ----------
    resume
        Finishes a call from its checkpoint; None where no checkpoint could be gone on from.
    is_under_way
        Whether a call of this process is being worked on.
    own_after_s
        Seconds after which a call of this process that is not under way counts as left behind.
    """

    def __init__(
        self,
        services: Services,
        *,
        resume: Resume | None,
        is_under_way: Callable[[str, str], bool],
        own_after_s: float,
    ) -> None:
        self.set_aside = 0
        """Calls that are not tried any more, as the newest look found them."""
        self._services = services
        self._resume = resume
        self._is_under_way = is_under_way
        self._own_after_s = own_after_s
        self._settling: set[tuple[str, str]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def look_for_ever(self, every_s: float) -> None:
        """Look for calls to settle, now and again and whatever a look meets; none waits for the one before."""
        async with asyncio.TaskGroup() as looks:
            while True:
                if self._services.store.lease.may_judge:
                    looks.create_task(self._look())
                await asyncio.sleep(every_s)

    async def _look(self) -> None:
        try:
            closed = await self.settle_interrupted()
        except Exception:  # noqa: BLE001 - the next look must come
            _log.exception("interrupted calls could not be looked for")
            return
        if closed:
            _log.warning("logged %d calls of a process that died", len(closed))

    async def settle_interrupted(self) -> list[tuple[str, str]]:
        """Settle every call whose holder died; return those logged as interrupted, as (org, call id).

        With a checkpoint after every node such a call is finished; otherwise it is logged as interrupted, with the
        money it spent.

        Raises
        ------
        StoreError
            When it cannot be read which calls there are.
        """
        store = self._services.store
        due = [
            call
            for call in await store.open_calls.due(self._own_after_s)
            if (name := (call.org, call.call_id)) not in self._settling and not self._is_under_way(*name)
        ]
        self._settling |= {(call.org, call.call_id) for call in due}
        closed = await asyncio.gather(*(self._settle(call) for call in due))
        self.set_aside = await store.open_calls.count_set_aside()
        return [(call.org, call.call_id) for call, is_closed in zip(due, closed, strict=True) if is_closed]

    async def _settle(self, call: OpenCall) -> bool:
        """Finish a call or log it; return whether it was logged as interrupted. No failure leaves here."""
        try:
            async with self._at_once:
                taken = await self._services.store.open_calls.take_over(call)
                if taken is None:
                    return False
                call = taken
                if self._resume is not None and call.tries <= MOST_RESUMES:
                    await self._finish(self._resume, call)
                return await close_interrupted_call(self._services, call.org, call.call_id)
        except Exception as error:  # noqa: BLE001 - whatever one call meets, the others are settled
            _log.exception("call %s of org %s could not be settled", call.call_id, call.org)
            await self._note(call, error)
            return False
        finally:
            self._settling.discard((call.org, call.call_id))

    async def _finish(self, resume: Resume, call: OpenCall) -> None:
        """Finish a call from its checkpoint. What is no fault of the moment is left to be logged as interrupted."""
        try:
            await resume(call.org, call.call_id)
        except StoreError:
            raise
        except X25Error as error:
            _log.warning("call %s of org %s was not finished: %s", call.call_id, call.org, error.code)

    async def _note(self, call: OpenCall, error: Exception) -> None:
        # Its sentence may quote the caller, unless it is the store's own.
        reason = str(error) if isinstance(error, StoreError) else without_words(error)
        is_last = call.tries >= MOST_TRIES
        try:
            await self._services.store.open_calls.note_failure(call, reason, set_aside=is_last)
        except StoreError as refused:
            _log.warning("and that could not be noted: %s", refused)
            return
        if is_last:
            _log.error(
                "call %s of org %s is set aside after %d tries: %s (x25 checkpoints interrupted)",
                call.call_id, call.org, call.tries, reason,
            )  # fmt: skip


async def close_interrupted_call(services: Services, org: str, call_id: str) -> bool:
    """Log and chain a call that was begun and never logged; return whether it had to be.

    What its attempts cost is what is known: the price of a finished one, the reservation of one still out, which is
    settled with it.
    """
    store = services.store
    attempts = await store.attempts.for_call(org, call_id)
    if not attempts or await store.calls.get(org, call_id) is not None:
        await store.open_calls.forget(org, call_id)
        return False
    for attempt in attempts:
        if attempt.status == "started":
            await store.attempts.finish(_interrupted(attempt, services))
    call = _interrupted_call(attempts, services)
    record = {"kind": "call", "status": "interrupted", "call_id": call_id, "at": call.created_at.isoformat(),
              "cost_nusd": call.cost_nusd, "judge_cost_nusd": call.judge_cost_nusd}  # fmt: skip
    await store.calls.record(call, record)
    return True


def _interrupted(attempt: Attempt, services: Services) -> Attempt:
    """Return an attempt nobody can ask about any more: whether it was billed is unknown, so its reservation counts."""
    return replace(
        attempt,
        status="interrupted",
        error="interrupted",
        cost_nusd=attempt.reserved_nusd,
        cost_source="reserved",
        finished_at=services.now(),
    )


def _interrupted_call(attempts: list[Attempt], services: Services) -> Call:
    first = attempts[0]
    spent = {
        kind: sum(one.spent_nusd for one in attempts if one.kind == kind) for kind in ("answer", "judge")
    }
    return Call(
        call_id=first.call_id,
        org=first.org,
        created_at=first.started_at,
        status="interrupted",
        task_type="general",
        task_cell="general",
        difficulty=0.0,
        model_id=None,
        provider=None,
        tier=None,
        cost_nusd=spent["answer"],
        judge_cost_nusd=spent["judge"],
        reference_cost_nusd=0,
        quality_score=None,
        quality_source="none",
        latency_ms=0.0,
        cascade_steps=0,
        escalations=0,
        fallbacks=0,
        propensity=1.0,  # no decision is known, so none may be weighted up
        router="auto",
        simulated=any(
            one.model_id in services.models and services.models[one.model_id].simulated for one in attempts
        ),
        record_hash="",
    )
