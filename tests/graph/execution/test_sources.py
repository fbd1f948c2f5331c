import asyncio
import gc
import threading
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from x25.graph.execution.loops import BACKGROUND
from x25.graph.execution.sources import Opened, OpenedOnFirstCall


def opener(opened, closed=None, failures=()):
    """Return what opens numbered services and notes on which loop."""
    failures = list(failures)

    @asynccontextmanager
    async def open_one():
        if failures:
            raise failures.pop()
        await asyncio.sleep(0)
        opened.append(asyncio.get_running_loop())
        yield SimpleNamespace(number=len(opened))
        if closed is not None:
            closed.set()

    return open_one


async def number(services):
    return services.number


async def test_concurrent_first_calls_open_once_and_in_the_background():
    opened = []
    source = OpenedOnFirstCall(opener(opened))
    assert await asyncio.gather(*(source.run(number) for _ in range(10))) == [1] * 10
    assert opened == [BACKGROUND.loop]


def test_loops_and_threads_share_what_was_opened():
    opened = []
    source = OpenedOnFirstCall(opener(opened))
    assert [asyncio.run(source.run(number)) for _ in range(3)] == [1, 1, 1]
    assert source.wait(number) == 1
    assert len(opened) == 1


async def test_a_failed_opening_is_tried_again():
    source = OpenedOnFirstCall(opener([], failures=[OSError("no disk")]))
    with pytest.raises(OSError, match="no disk"):
        await source.run(number)
    assert await source.run(number) == 1


async def test_a_cancelled_first_call_does_not_cancel_the_opening_for_others():
    opened, release = [], threading.Event()

    @asynccontextmanager
    async def open_slowly():
        await asyncio.to_thread(release.wait)
        opened.append(1)
        yield SimpleNamespace(number=1)

    source = OpenedOnFirstCall(open_slowly)
    first, second = asyncio.create_task(source.run(number)), asyncio.create_task(source.run(number))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == 1
    assert opened == [1]
    with pytest.raises(asyncio.CancelledError):
        await first


def test_what_was_opened_is_closed_when_nobody_holds_its_source_any_more():
    closed = threading.Event()
    source = OpenedOnFirstCall(opener([], closed))
    assert source.wait(number) == 1
    assert not closed.is_set()
    del source
    gc.collect()
    assert closed.wait(10)


async def test_opened_services_stay_on_the_loop_they_are_first_seen_on():
    async def where(services):
        return services, asyncio.get_running_loop()

    here = asyncio.get_running_loop()
    source = Opened("services")
    assert await source.run(where) == ("services", here)
    assert await asyncio.to_thread(lambda: asyncio.run(source.run(where))) == ("services", here)
    assert await asyncio.to_thread(source.wait, where) == ("services", here)


def test_services_whose_loop_has_ended_move_on():
    async def make():
        return Opened("services")

    async def where(services):
        return asyncio.get_running_loop()

    source = asyncio.run(make())
    assert source.wait(where) is BACKGROUND.loop
    source = asyncio.run(make())

    async def again():
        return await source.run(where) is asyncio.get_running_loop()

    assert asyncio.run(again())
