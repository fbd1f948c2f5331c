"""One call from request to reply: the function that every door goes through."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..nodes.lookup_cache import new_call_id
from ..nodes.services import Services
from ..state.errors import CallFailed, InvalidRequest, NotFound, X25Error
from ..state.names import check_call_id, check_org
from ..state.types import Context, Reply, Request
from .bootstrap import open_services
from .build import RECURSION_LIMIT, build_cascade
from .checkpoints import open_saver, thread_config, thread_id
from .recovery import close_interrupted_calls
from .settings import Settings

_log = logging.getLogger(__name__)


class Cascade:
    """The compiled cascade with its services, checkpointed per org and call."""

    def __init__(
        self, services: Services, settings: Settings, saver: BaseCheckpointSaver[Any] | None = None
    ) -> None:
        self.services = services
        self.settings = settings
        self.saver = saver
        self.graph = build_cascade(services, keep_text=settings.keeps_text).compile(
            checkpointer=saver, name="x25"
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
        org = check_org(request.get("org") or "default")
        given = request.get("call_id")
        if given is not None:
            await self._claim(org, check_call_id(given))
        call_id = given or new_call_id(int(self.services.now().timestamp() * 1000))
        return await self._run(
            cast("Request", {**request, "org": org, "call_id": call_id}), org, call_id, context
        )

    async def resume(self, org: str, call_id: str) -> Reply:
        """Take up a call that died with its process; an answer that was paid for is used again.

        Of a call that had ended the reply is returned, as far as the checkpoint holds it.

        Raises
        ------
        NotFound
            When no checkpoint of the call is kept.
        TextNotKept
            When something is left to do, and the settings keep words out of checkpoints.
        AttemptInterrupted
            As the reason of a `CallFailed`, when an attempt was out and the upstream cannot tell whether it was billed.
        """
        if self.saver is None or await self.saver.aget_tuple(thread_config(org, call_id)) is None:
            raise NotFound(f"no checkpoint of call {call_id!r} of org {org!r} is kept")
        return await self._run(None, org, call_id, None)

    async def _claim(self, org: str, call_id: str) -> None:
        """Refuse a call id that was used, and forget what a request refused for free left under it."""
        if await self.services.store.calls.get(org, call_id) is not None:
            raise InvalidRequest(f"call_id {call_id!r} was answered before", field="call_id")
        if await self.services.store.attempts.for_call(org, call_id):
            raise InvalidRequest(f"call_id {call_id!r} was begun before", field="call_id")
        if self.saver is not None:
            await self.saver.adelete_thread(thread_id(org, call_id))

    async def settle_interrupted(self) -> list[tuple[str, str]]:
        """Settle calls whose process died longer ago than a call may take; return them as (org, call id).

        With a checkpoint after every node such a call is finished; otherwise it is logged as interrupted, with the
        money it spent.
        """
        overdue = self.services.now() - timedelta(seconds=self.settings.call_deadline_s)
        if self.settings.checkpoints == "sync":
            for org, call_id in await self.services.store.attempts.interrupted_calls(overdue):
                # No checkpoint, or a failure: the first is closed below, the second was logged by the call itself.
                with suppress(NotFound, CallFailed):
                    await self.resume(org, call_id)
        return await close_interrupted_calls(self.services, before=overdue)

    async def _run(self, request: Request | None, org: str, call_id: str, context: Context | None) -> Reply:
        config = thread_config(org, call_id)
        config |= {"recursion_limit": RECURSION_LIMIT, "run_name": "x25"}
        reply = await self.graph.ainvoke(request, config, context=context or Context(), **self._durability)
        reply.pop("messages", None)  # the caller has them
        return cast("Reply", reply)


@asynccontextmanager
async def open_cascade(settings: Settings) -> AsyncIterator[Cascade]:
    """Open services and checkpoints, settle now and then what dead processes left behind, close all at the end."""
    async with open_services(settings) as services, open_saver(settings) as saver:
        cascade = Cascade(services, settings, saver)
        settling = asyncio.create_task(_settle_forever(cascade))
        try:
            yield cascade
        finally:
            settling.cancel()
            with suppress(asyncio.CancelledError):
                await settling


async def _settle_forever(cascade: Cascade) -> None:
    """Look for interrupted calls at start-up and once per longest call; a look that fails is logged."""
    while True:
        try:
            settled = await cascade.settle_interrupted()
        except X25Error:
            _log.exception("interrupted calls could not be settled")
        else:
            if settled:
                _log.warning("logged %d calls of a process that died", len(settled))
        await asyncio.sleep(cascade.settings.call_deadline_s)
