import asyncio
from contextvars import ContextVar

import pytest

from x25.providers.time_limits import within

HELD: ContextVar[object] = ContextVar("held")


async def test_what_takes_longer_is_given_up():
    with pytest.raises(TimeoutError):
        async with within(0.01):
            await asyncio.sleep(10)


async def test_what_is_quick_goes_through_and_errors_are_its_own():
    async with within(10):
        await asyncio.sleep(0)
    with pytest.raises(KeyError):
        async with within(10):
            raise KeyError


async def test_a_timer_that_waits_holds_nothing_of_its_context():
    loop = asyncio.new_event_loop()
    try:
        timers = loop._scheduled

        async def limited():
            HELD.set("something large")
            async with within(600):
                await asyncio.sleep(0)
                return [HELD in timer._context for timer in timers]

        assert await asyncio.to_thread(loop.run_until_complete, limited()) == [False]
    finally:
        loop.close()
