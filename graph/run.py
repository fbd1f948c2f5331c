"""One call from request to reply: the function that every door goes through."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from ..nodes.lookup_cache import new_call_id
from ..nodes.org.chains import COUNTS_STEPS
from ..nodes.services import Services
from ..providers.deltas import READER, Reader
from ..providers.sparing_encoder import SparingEncoder
from ..state.errors import CallFailed, InvalidRequest, NotFound, StoreError, TooManyRequests
from ..state.log_context import OF_CALL
from ..state.names import check_org
from ..state.org_wishes import is_unstored
from ..state.redis_slots import RedisSlots
from ..state.types import Context, Reply, Request
from .bootstrap import open_services
from .build import RECURSION_LIMIT, build_cascade
from .checkpoints import open_saver, thread_config, thread_id
from .chores import doing_chores
from .decide import Decided, decide
from .erasing import ErasedCall, ErasedOrg, erase_call, erase_checkpoint, erase_org
from .execution.choice import direct_walk, is_watched
from .execution.walk import leave_nothing
from .following import following
from .forgetting import ErasedOrgs, forget_org
from .holding import Held, hold
from .memory.checkpoint_queue import CheckpointQueue
from .memory.kept_responses import KeptResponses
from .memory.losses import IS_NEW_CALL, CheckpointWrites, read_tuple, sparing_saver, undo_of
from .question import Question
from .recovery import Recovery
from .settings import Settings
from .vault import Vault

CALLS_LOG = "x25.calls"
"""Name of the log with one line a call."""
_log = logging.getLogger(CALLS_LOG)
MOST_NAMED = 128
"""How much of a call id a task is named after: one that is too long is refused later."""
DRAINS_WITHIN_S = 10.0
"""How long the end waits for calls whose clients have left."""


CHECKPOINT_FOLLOWS_WITHIN_S = 2.0
"""A checkpoint is written within a second of its call's answer."""
LOGGED = (
    "model_used", "tier", "task_type", "latency_ms", "cost_usd", "judge_cost_usd", "escalations", "fallbacks",
    "quality_source",
)  # fmt: skip
"""What the log tells of a call that was answered: nothing that anybody wrote."""


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
        self._walk = direct_walk(self.graph, settings)
        self._checkpoints = CheckpointQueue(saver, self.checkpoint_writes, keeps_text=settings.keeps_text)
        self.vault = Vault(settings.byok_key)
        """What orgs' own provider keys are encrypted with."""
        self.responses = KeptResponses(services, settings)
        """What callers may read again, and go on from by its id."""
        self._calls: set[asyncio.Task[Reply]] = set()
        self._chores: set[asyncio.Task[None]] = set()
        self._under_way: set[tuple[str, str]] = set()
        self._ends = asyncio.Event()
        self.recovery = Recovery(
            services,
            resume=self.resume if settings.checkpoints == "sync" else None,
            is_under_way=lambda org, call_id: (org, call_id) in self._under_way,
            own_after_s=settings.call_deadline_s,
        )
        self._unkept: Any = None
        self._durability: dict[str, Any] = {"durability": settings.checkpoints} if saver is not None else {}

    async def route(self, request: Request, context: Context | None = None) -> Reply:
        """Route one request.

        Raises
        ------
        InvalidRequest
            When a field breaks a rule, or `call_id` was used before.
        TooManyRequests
            When the org asked as often as its limits a minute allow.
        CallFailed
            When every eligible model failed; the call is logged and audited all the same.
        """
        return await asyncio.shield(self.begin(request, context))

    def begin(
        self, request: Request, context: Context | None = None, reader: Reader | None = None
    ) -> asyncio.Task[Reply]:
        """Begin a call, as `route` does, in a task that goes on whoever leaves: what was paid for is logged.

        A `reader` is sent the answer while its model writes it, where nothing can come in its place; when it leaves
        in the middle the request is given up, and logged as cancelled. The task is named after the call.
        """
        given = request.get("call_id")
        call_id = given if given is not None else new_call_id(int(self.services.now().timestamp() * 1000))
        running = self._route(request, context or Context(), call_id, reader)
        call = asyncio.create_task(running, name=str(call_id)[:MOST_NAMED])
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
        self._ends.set()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self.services.store.catch_up()
        await self._checkpoints.drain()

    def chore(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have something done beside the calls that nobody needs to wait for; the end waits for it."""
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    def _ended(self, call: asyncio.Task[Reply]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # whoever waits is told; when nobody does, the log has the call

    async def _route(
        self, request: Request, context: Context, call_id: str, reader: Reader | None = None
    ) -> Reply:
        READER.set(reader)
        org = request.get("org")
        org = check_org("default" if org is None else org)
        held = await self._hold(org, request)
        asked = cast("Request", {**request, "org": org, "call_id": call_id})
        OF_CALL.set((org, call_id))
        try:
            reply = await self._run(asked, org, call_id, context)
        except CallFailed as error:
            _log.info("failed", extra={"facts": {"code": error.code, "attempts": len(error.attempts)}})
            raise
        except (InvalidRequest, TooManyRequests):
            await held.give_back()
            raise
        if _log.isEnabledFor(logging.INFO):
            _log.info("answered", extra={"facts": {name: reply[name] for name in LOGGED}})  # type: ignore[literal-required]
        return reply

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
        await self._checkpoints.drain()
        if self.saver is None or await read_tuple(self.saver, thread_config(org, call_id)) is None:
            raise NotFound(f"no checkpoint of call {call_id!r} of org {org!r} is kept")
        return await self._run(None, org, call_id, Context())

    async def decide(self, question: Question, *, is_counted: bool = False) -> Decided:
        """Return which model would be asked, and log that; nobody is asked. See `decide.decide`."""
        return await decide(self.services, question, is_counted=is_counted)

    async def erase(self, org: str, call_id: str, *, user_id: str | None = None) -> ErasedCall | None:
        """Delete a logged call or decision with its words, wherever the gateway keeps them; goes on whoever leaves.

        Returns
        -------
        ErasedCall | None
            None when the org, or that user of it, has none by that id.

        Raises
        ------
        StoreError
            When the store or the checkpoints refuse; what is left then can be deleted by asking again.
        """
        return await asyncio.shield(asyncio.create_task(self._erase(org, call_id, user_id)))

    async def _erase(self, org: str, call_id: str, user_id: str | None) -> ErasedCall | None:
        await self._checkpoints.drain()
        self.responses.forget_here(org, call_id)
        store, settings = self.services.store, self.settings
        erased = await erase_call(store, self.saver, settings, org, call_id, user_id=user_id)
        if erased is not None and (caches := self.services.caches) is not None:
            await caches.drop_call(org, call_id)
        if erased is not None and self.saver is not None:
            self.chore(self._erase_late_checkpoint(org, call_id))
        return erased

    async def _erase_late_checkpoint(self, org: str, call_id: str) -> None:
        """Delete what another process wrote of an erased call after its answer, as it does within a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECKPOINT_FOLLOWS_WITHIN_S):
                await self._ends.wait()
        with suppress(StoreError):
            await erase_checkpoint(self.saver, org, call_id)

    async def forget_answer(self, org: str, call_id: str) -> bool:
        """Delete a call's response, and its checkpoint with the words in it; return False when there is neither."""
        was_known = await self.responses.forget(org, call_id)
        await self._checkpoints.drain()
        saver = self.saver if self.settings.keeps_text else None
        return await erase_checkpoint(saver, org, call_id) or was_known

    async def erase_org(self, org: str) -> ErasedOrg:
        """Delete all that is kept of an org, see `erasing.erase_org`; goes on whoever leaves. Errors as there."""
        return await asyncio.shield(asyncio.create_task(self._erase_org(check_org(org))))

    async def _erase_org(self, org: str) -> ErasedOrg:
        services = self.services
        await self._checkpoints.drain()
        forget_org(services, self.responses, org)
        erased = await erase_org(services.store, self.saver, self.settings, org)
        forget_org(services, self.responses, org)  # what calls under way said meanwhile
        await services.own_models.refresh(services.store)
        await services.provider_keys.refresh(services.store)
        return erased

    @property
    def under_way(self) -> int:
        """How many calls run, those included whose clients have left."""
        return len(self._calls)

    @property
    def checkpoints_waiting(self) -> int:
        """How many checkpoints wait to be written."""
        return self._checkpoints.waiting

    def degraded(self) -> dict[str, str]:
        """Return what does not work as it should, and why; calls are answered all the same."""
        encoder = self.services.encoder
        found = {
            "checkpoints": self.checkpoint_writes.reason,
            "encoder": encoder.reason if isinstance(encoder, SparingEncoder) else None,
        }
        if isinstance(self.services.rates, RedisSlots):
            found["limits"] = self.services.rates.reason
        if unusable := len(self.services.provider_keys.unusable):
            found["own_keys"] = (
                f"provider keys that orgs brought cannot be opened: {unusable} (X25_BYOK_KEY); the gateway's are used"
            )
        if self.recovery.set_aside:
            found["recovery"] = (
                f"{self.recovery.set_aside} interrupted calls are set aside: see x25 checkpoints interrupted"
            )
        return {name: reason for name, reason in found.items() if reason is not None}

    async def _hold(self, org: str, request: Request) -> Held:
        """Take what a request names, and forget what one refused for free left under its call id."""
        held = await hold(self.services, org, request, self.settings.call_deadline_s)
        if held.call_id is not None and (saver := self.saver) is not None:
            thread = thread_id(org, held.call_id)
            await self._checkpoints.drain()
            await self.checkpoint_writes.attempt(lambda: saver.adelete_thread(thread))
        return held

    async def settle_interrupted(self) -> list[tuple[str, str]]:
        """Settle the calls of dead processes, see `Recovery`; return those logged as interrupted, as (org, call id)."""
        return await self.recovery.settle_interrupted()

    async def _run(self, request: Request | None, org: str, call_id: str, context: Context) -> Reply:
        config = thread_config(org, call_id)
        config |= {"recursion_limit": RECURSION_LIMIT, "run_name": "x25"}
        token = IS_NEW_CALL.set(request is not None)
        self._under_way.add((org, call_id))
        COUNTS_STEPS.set(True)
        try:
            reply = await self._execute(request, config, context)
        finally:
            self._under_way.discard((org, call_id))
            IS_NEW_CALL.reset(token)
            if (caches := self.services.caches) is not None:
                caches.flights.land(org, call_id, None)  # a call that broke off: equal ones go on their own
        reply.pop("messages", None)  # the caller has them
        return cast("Reply", reply)

    async def _execute(
        self, request: Request | None, config: RunnableConfig, context: Context
    ) -> dict[str, Any]:
        is_kept = request is None or not self.settings.keeps_text or await self._keeps_words(request)
        if self._walk is not None and request is not None and not is_watched():
            keep = self._checkpoints.add if is_kept else leave_nothing
            return await self._walk.run(request, config, context, keep)
        if not is_kept:
            return await self._execute_unkept(request, config, context)
        reply = await self.graph.ainvoke(request, config, context=context, **self._durability)
        return cast("dict[str, Any]", reply)

    async def _keeps_words(self, request: Request) -> bool:
        """Return whether an org, and the request itself, let words be kept in the call's checkpoints."""
        if is_unstored(request.get("options")):
            return False
        known, store = self.services.org_settings, self.services.store
        return (await known.of(request["org"], store, self.services.clock_s())).wishes.keeps_words

    async def _execute_unkept(
        self, request: Request | None, config: RunnableConfig, context: Context
    ) -> dict[str, Any]:
        """Run a call of which no checkpoint is left."""
        if self._unkept is None:
            self._unkept = build_cascade(self.services).compile(name="x25")
        reply = await self._unkept.ainvoke(request, config, context=context)
        return cast("dict[str, Any]", reply)


@asynccontextmanager
async def open_cascade(settings: Settings, *, does_chores: bool = True) -> AsyncIterator[Cascade]:
    """Open services and checkpoints, close all at the end; in between do the chores of a gateway, or let others.

    What other processes on the store erase is dropped from memory here in any case.
    """
    async with open_services(settings) as services, open_saver(settings) as saver:
        cascade = Cascade(services, settings, saver)
        erased = ErasedOrgs(lambda org: forget_org(services, cascade.responses, org))
        try:
            async with (
                following(erased, services.store, "erased orgs"),
                doing_chores(services, cascade.recovery, saver, settings) if does_chores else nullcontext(),
            ):
                yield cascade
        finally:
            await cascade.drain()
