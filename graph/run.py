"""One call from request to reply: the function that every door goes through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..nodes.lookup_cache import new_call_id
from ..nodes.services import Services
from ..providers.sparing_encoder import SparingEncoder
from ..state.errors import InvalidRequest, NotFound
from ..state.leases import BEATS
from ..state.names import check_call_id, check_org
from ..state.types import Context, Reply, Request
from .bootstrap import open_services
from .build import RECURSION_LIMIT, build_cascade
from .checkpoints import open_saver, thread_config, thread_id
from .memory.losses import IS_NEW_CALL, CheckpointWrites, read_tuple, sparing_saver, undo_of
from .recovery import Recovery
from .settings import Settings

DRAINS_WITHIN_S = 10.0
"""How long the end waits for calls whose clients have left."""


class Cascade:
    """The compiled cascade with its services, checkpointed per org and call."""

    def __init__(
        self, services: Services, settings: Settings, saver: BaseCheckpointSaver[Any] | None = None
    ) -> None:
        self.services = services
        self.settings = settings
        self.saver = saver
        self.checkpoint_writes = CheckpointWrites(undo_of(saver) if saver is not None else None)
        self.graph = build_cascade(services, keep_text=settings.keeps_text).compile(
            checkpointer=None if saver is None else sparing_saver(saver, self.checkpoint_writes), name="x25"
        )
        self._calls: set[asyncio.Task[Reply]] = set()
        self._under_way: set[tuple[str, str]] = set()
        self.recovery = Recovery(
            services,
            resume=self.resume if settings.checkpoints == "sync" else None,
            is_under_way=lambda org, call_id: (org, call_id) in self._under_way,
            own_after_s=settings.call_deadline_s,
        )
        self._durability: dict[str, Any] = {"durability": settings.checkpoints} if saver is not None else {}

    async def route(self, request: Request, context: Context | None = None) -> Reply:
        """Route one request.

        Raises
        ------
        InvalidRequest
            When a field breaks a rule, or `call_id` was used before.
        CallFailed
            When every eligible model failed; the call is logged and audited all the same.
        """
        return await asyncio.shield(self.begin(request, context))

    def begin(self, request: Request, context: Context | None = None) -> asyncio.Task[Reply]:
        """Begin a call, as `route` does, in a task that goes on whoever leaves: what was paid for is logged."""
        call = asyncio.create_task(self._route(request, context or Context()))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        return call

    async def drain(self, timeout_s: float = DRAINS_WITHIN_S) -> None:
        """Wait for the calls under way; those that take longer are given up, and settled by the next process."""
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=timeout_s)
            for call in late:
                call.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, call: asyncio.Task[Reply]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # whoever waits is told; when nobody does, the log has the call

    async def _route(self, request: Request, context: Context) -> Reply:
        org, given = request.get("org"), request.get("call_id")
        org = check_org("default" if org is None else org)
        if given is not None:
            await self._claim(org, check_call_id(given))
        call_id = given if given is not None else new_call_id(int(self.services.now().timestamp() * 1000))
        asked = cast("Request", {**request, "org": org, "call_id": call_id})
        try:
            return await self._run(asked, org, call_id, context)
        except InvalidRequest:
            if given is not None:
                await self.services.store.claims.release(org, call_id)
            raise

    async def resume(self, org: str, call_id: str) -> Reply:
        """Take up a call that died with its process; an answer that was paid for is used again.

        Of a call that had ended the reply is returned, as far as the checkpoint holds it.

        Raises
        ------
        NotFound
            When no checkpoint of the call is kept.
        StoreError
            When the checkpoints cannot be read.
        TextNotKept
            When something is left to do, and the settings keep words out of checkpoints.
        AttemptInterrupted
            As the reason of a `CallFailed`, when an attempt was out and the upstream cannot tell whether it was billed.
        """
        if self.saver is None or await read_tuple(self.saver, thread_config(org, call_id)) is None:
            raise NotFound(f"no checkpoint of call {call_id!r} of org {org!r} is kept")
        return await self._run(None, org, call_id, Context())

    def degraded(self) -> dict[str, str]:
        """Return what does not work as it should, and why; calls are answered all the same."""
        encoder = self.services.encoder
        found = {
            "checkpoints": self.checkpoint_writes.reason,
            "encoder": encoder.reason if isinstance(encoder, SparingEncoder) else None,
        }
        if self.recovery.set_aside:
            found["recovery"] = (
                f"{self.recovery.set_aside} interrupted calls are set aside: see x25 checkpoints interrupted"
            )
        return {name: reason for name, reason in found.items() if reason is not None}

    async def _claim(self, org: str, call_id: str) -> None:
        """Take a call id for this request, and forget what a request refused for free left under it.

        Raises
        ------
        InvalidRequest
            When another request has it, or had it and bought something.
        """
        now = self.services.now()
        overdue = now - timedelta(seconds=self.settings.call_deadline_s)
        if not await self.services.store.claims.claim(org, call_id, now, overdue):
            logged = await self.services.store.calls.get(org, call_id)
            state = "begun" if logged is None else logged.status
            raise InvalidRequest(
                f"call_id {call_id!r} was used before ({state}); one is good for one call", field="call_id"
            )
        if (saver := self.saver) is not None:
            await self.checkpoint_writes.attempt(lambda: saver.adelete_thread(thread_id(org, call_id)))

    async def settle_interrupted(self) -> list[tuple[str, str]]:
        """Settle the calls of dead processes, see `Recovery`; return those logged as interrupted, as (org, call id)."""
        return await self.recovery.settle_interrupted()

    async def _run(self, request: Request | None, org: str, call_id: str, context: Context) -> Reply:
        config = thread_config(org, call_id)
        config |= {"recursion_limit": RECURSION_LIMIT, "run_name": "x25"}
        token = IS_NEW_CALL.set(request is not None)
        self._under_way.add((org, call_id))
        try:
            reply = await self.graph.ainvoke(request, config, context=context, **self._durability)
        finally:
            self._under_way.discard((org, call_id))
            IS_NEW_CALL.reset(token)
        reply.pop("messages", None)  # the caller has them
        return cast("Reply", reply)


@asynccontextmanager
async def open_cascade(settings: Settings) -> AsyncIterator[Cascade]:
    """Open services and checkpoints, settle now and then what dead processes left behind, close all at the end."""
    async with open_services(settings) as services, open_saver(settings) as saver:
        cascade = Cascade(services, settings, saver)
        settling = asyncio.create_task(cascade.recovery.look_for_ever(settings.lease_s / BEATS))
        try:
            yield cascade
        finally:
            settling.cancel()
            with suppress(asyncio.CancelledError):
                await settling
            await cascade.drain()
