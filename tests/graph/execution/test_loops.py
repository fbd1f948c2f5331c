import asyncio
import threading
from contextlib import AsyncExitStack
from contextvars import ContextVar

import pytest

from x25.graph.execution import loops
from x25.graph.execution.loops import (
    Background,
    CallersLoop,
    finish,
    run_on,
    run_on_callers_loop,
    running_loop,
    wait_on,
)  # fmt: skip
from x25.state.errors import SyncCallInLoop

NAME: ContextVar[str] = ContextVar("name", default="nobody")


@pytest.fixture
def background():
    one = Background()
    yield one
    one.close()


async def where():
    return asyncio.get_running_loop()


def test_the_background_is_one_running_loop_on_a_thread_of_its_own(background):
    assert background.loop is background.loop
    assert wait_on(background.loop, where) is background.loop
    assert running_loop() is None


def test_a_background_that_was_closed_starts_anew_when_it_is_needed(background):
    before = background.loop
    background.close()
    background.close()
    assert not before.is_running()
    assert wait_on(background.loop, where) is not before


def test_a_loop_that_ended_leaves_no_socket_open(background):
    loop = background.loop
    background.close()
    assert loop.is_closed()


def test_what_is_kept_is_closed_with_the_background(background):
    closed = []
    stack = AsyncExitStack()
    stack.callback(closed.append, 1)
    background.loop.call_soon_threadsafe(background.keep, stack)
    wait_on(background.loop, where)
    background.close()
    assert closed == [1]


def test_what_is_discarded_is_closed_soon_and_once(background):
    closed, done = [], threading.Event()
    stack = AsyncExitStack()
    stack.callback(done.set)
    stack.callback(closed.append, 1)
    assert background.loop.is_running()
    background.keep(stack)
    background.discard(stack)
    background.discard(stack)
    assert done.wait(10)
    background.close()
    assert closed == [1]


async def test_work_runs_on_the_loop_that_is_named_with_the_callers_variables(background):
    async def work():
        return asyncio.get_running_loop(), NAME.get()

    NAME.set("ann")
    assert await run_on(background.loop, work) == (background.loop, "ann")
    here = asyncio.get_running_loop()
    assert await run_on(here, work) == (here, "ann")


async def test_a_cancellation_and_a_failure_pass_through(background):
    began, ended = threading.Event(), threading.Event()

    async def wait_for_ever():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def fail():
        raise ValueError("wrong")

    call = asyncio.create_task(run_on(background.loop, wait_for_ever))
    await asyncio.to_thread(began.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(ended.wait, 10)
    with pytest.raises(ValueError, match="wrong"):
        await run_on(background.loop, fail)


async def test_what_the_caller_brought_is_used_on_the_callers_loop(background):
    async def work():
        return await run_on_callers_loop(where)

    here = asyncio.get_running_loop()
    assert await run_on(background.loop, work) is here
    assert await asyncio.to_thread(wait_on, background.loop, work) is background.loop
    assert await run_on_callers_loop(where) is here


async def test_a_callers_provider_is_asked_on_the_callers_loop(background):
    class Provider:
        async def complete(self, spec, *, timeout_s):
            return spec, timeout_s, asyncio.get_running_loop()

    provider = CallersLoop(Provider())
    here = asyncio.get_running_loop()
    asked = await run_on(background.loop, lambda: provider.complete("spec", timeout_s=1))
    assert asked == ("spec", 1, here)


async def test_a_wait_for_the_loop_that_waits_is_refused():
    with pytest.raises(SyncCallInLoop, match="ainvoke"):
        wait_on(asyncio.get_running_loop(), where)


async def test_a_wait_for_a_loop_that_is_blocked_is_refused(monkeypatch):
    monkeypatch.setattr(loops, "ANSWERS_WITHIN_S", 0.05)
    here, refused = asyncio.get_running_loop(), []

    def wait():
        with pytest.raises(SyncCallInLoop, match="blocked") as error:
            wait_on(here, where)
        refused.append(error.value)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()  # blocks this loop
    assert len(refused) == 1


def test_a_coroutine_that_waits_for_nothing_needs_no_loop():
    async def answer():
        return 42

    async def wait():
        await asyncio.sleep(0)

    assert finish(answer()) == 42
    with pytest.raises(RuntimeError, match="awaits nothing"):
        finish(wait())
