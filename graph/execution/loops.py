"""Where work runs: one event loop in the background for what graphs open themselves, its own loop for anything else."""

import asyncio
import atexit
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from contextvars import Context, ContextVar
from typing import Any, TypeVar

from ...providers.base import ChatProvider, Completion
from ...state.errors import SyncCallInLoop

T = TypeVar("T")

ANSWERS_WITHIN_S = 10.0
"""How long a synchronous call waits for a loop of somebody else to take it up before it counts as blocked."""
CLOSES_WITHIN_S = 10.0
"""How long the end of the process waits for what is still open in the background."""

CALLERS_LOOP: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("x25_callers_loop", default=None)
"""The loop that awaits what runs in the background; None for a synchronous caller."""


class Background:
    """One event loop on a daemon thread, started at the first need, and what is kept open on it.

    Whatever loops a process runs, one after another or at once, and whatever it calls without one, they share it.
    A forked process begins with none of its own.
    """

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._kept: set[AsyncExitStack] = set()
        self._closing: set[asyncio.Task[None]] = set()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop."""
        with self._starting:
            if self._loop is None:
                # A loop keeps the context it is made in, and with it the graph whose run happens to be the first.
                self._loop = Context().run(asyncio.new_event_loop)
                run = self._loop.run_forever
                self._thread = threading.Thread(target=run, name="x25 background", daemon=True)
                self._thread.start()
            return self._loop

    def keep(self, stack: AsyncExitStack) -> None:
        """Hold what was opened on the loop until `discard`, or until the process ends."""
        self._kept.add(stack)

    def discard(self, stack: AsyncExitStack) -> None:
        """Close what was kept, some time soon; any thread may ask."""
        if self._loop is not None and stack in self._kept:
            self._kept.discard(stack)
            self._loop.call_soon_threadsafe(self._close_soon, stack)

    def close(self) -> None:
        """Close everything that is kept and end the thread; a later need starts anew."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._loop = None
        kept, self._kept = self._kept, set()
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_close_all(kept), loop).result(CLOSES_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSES_WITHIN_S)
        if not thread.is_alive():
            loop.close()

    def _close_soon(self, stack: AsyncExitStack) -> None:
        task = asyncio.ensure_future(stack.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _forget(self) -> None:
        """Leave the loop to the process that started it: a fork has neither its thread nor its connections."""
        self._starting = threading.Lock()
        self._loop, self._kept, self._closing = None, set(), set()


async def _close_all(stacks: set[AsyncExitStack]) -> None:
    await asyncio.gather(*(stack.aclose() for stack in stacks), return_exceptions=True)


BACKGROUND = Background()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop this thread is running; None when it runs none."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def run_on(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return `await work()`, awaited on `loop`; context variables go along, and so does a cancellation."""
    here = asyncio.get_running_loop()
    if here is loop:
        return await work()
    token = CALLERS_LOOP.set(here)
    try:
        # Scheduled with a copy of this context.
        future = asyncio.run_coroutine_threadsafe(work(), loop)
    finally:
        CALLERS_LOOP.reset(token)
    return await asyncio.wrap_future(future)


def wait_on(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return `await work()`, awaited on `loop` while this thread waits.

    Raises
    ------
    SyncCallInLoop
        When the wait would never end: this thread runs that loop, or the loop's thread is waiting itself.
    """
    if running_loop() is loop:
        raise SyncCallInLoop(
            "a synchronous call would wait for the event loop it is made on: await ainvoke or astream instead, "
            "or make the call on another thread"
        )
    taken_up = threading.Event()

    async def begin() -> T:
        taken_up.set()
        return await work()

    token = CALLERS_LOOP.set(None)
    try:
        future = asyncio.run_coroutine_threadsafe(begin(), loop)
    finally:
        CALLERS_LOOP.reset(token)
    try:
        if not taken_up.wait(ANSWERS_WITHIN_S):
            raise SyncCallInLoop(
                f"the event loop that the services were opened on took no work for {ANSWERS_WITHIN_S:g} s: it is "
                "blocked, probably by this very call; await ainvoke or astream instead"
            )
        return future.result()
    finally:
        future.cancel()  # harmless once it has ended


async def run_on_callers_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return `await work()`, awaited on the caller's own loop: where what the caller brought along is at home."""
    loop = CALLERS_LOOP.get()
    return await (work() if loop is None or not loop.is_running() else run_on(loop, work))


class CallersLoop:
    """A provider that is asked on the caller's own loop: an agent's chat models share their connections with it."""

    def __init__(self, provider: ChatProvider) -> None:
        self._provider = provider

    async def complete(self, *arguments: Any, **named: Any) -> Completion:
        """Make one request, as `ChatProvider.complete` does."""
        return await run_on_callers_loop(lambda: self._provider.complete(*arguments, **named))

    async def stream(self, *arguments: Any, **named: Any) -> Completion:
        """Make one request and send its answer on, as `ChatProvider.stream` does."""
        return await run_on_callers_loop(lambda: self._provider.stream(*arguments, **named))


def finish(awaitable: Awaitable[T]) -> T:
    """Return what a coroutine that waits for nothing returns, without a loop."""
    waiting = awaitable.__await__()
    try:
        next(waiting)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("expected a coroutine that awaits nothing that is not there already")
