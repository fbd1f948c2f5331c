import asyncio
import os
import threading
import time

import pytest

from x25.state.sqlite_thread import ServingThread


@pytest.fixture
async def thread():
    def serve(group) -> None:
        for asked in group:
            asked.result = asked.work(threading.get_ident())

    made = ServingThread(serve, "serving", 3)
    yield made
    await made.end()


async def test_works_are_served_in_order_off_the_event_loop(thread):
    served = []
    idents = await asyncio.gather(
        *(thread.ask(lambda ident, n=n: (served.append(n), ident)[1]) for n in range(20))
    )
    assert served == list(range(20))
    assert len(set(idents)) == 1
    assert threading.get_ident() not in idents


async def test_held_works_come_before_what_is_asked_later(thread):
    served = []
    thread.hold(lambda _: served.append("held"))
    await thread.ask(lambda _: served.append("asked"))
    assert served == ["held", "asked"]


async def test_catching_up_waits_for_what_is_held_and_for_nothing_else(thread):
    held = thread.hold(lambda _: "done")
    await thread.catch_up()
    assert held.result == "done"
    thread.ask = None  # nothing is held, so nothing is asked
    await thread.catch_up()
    del thread.ask


async def test_catching_up_tells_nothing_of_what_failed(thread):
    def refuse(_ident) -> None:
        raise KeyError("refused")

    held = thread.hold(refuse)
    await thread.catch_up()
    assert isinstance(held.error, KeyError)
    assert isinstance(held.future.exception(), KeyError)


async def test_work_that_raises_fails_those_it_was_served_with_and_no_other(thread):
    def refuse(_ident) -> None:
        raise KeyError("refused")

    with pytest.raises(KeyError, match="refused"):
        await thread.ask(refuse)
    assert await thread.ask(lambda _: 7) == 7


async def test_cancelled_caller_leaves_its_work_to_be_served(thread):
    go, served = threading.Event(), []
    first = thread.ask(lambda _: go.wait(10))
    left = thread.ask(lambda _: served.append(1))
    left.cancel()
    go.set()
    await first
    await thread.ask(lambda _: None)
    assert served == [1]


def test_works_of_several_event_loops_are_told_where_they_were_asked():
    made = ServingThread(
        lambda group: [setattr(asked, "result", asked.work(0)) for asked in group], "serving"
    )

    async def ask() -> list[int]:
        return list(await asyncio.gather(*(made.ask(lambda _, n=n: n) for n in range(50))))

    found: list[list[int]] = []
    loops = [threading.Thread(target=lambda: found.append(asyncio.run(ask()))) for _ in range(3)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert found == [list(range(50))] * 3
    asyncio.run(made.end())


def test_loop_that_ended_without_waiting_stops_nothing():
    made = ServingThread(
        lambda group: [setattr(asked, "result", asked.work(0)) for asked in group], "serving"
    )
    go = threading.Event()

    async def leave() -> None:
        made.ask(lambda _: go.wait(10))

    asyncio.run(leave())
    go.set()

    async def ask() -> int:
        return await made.ask(lambda _: 7)

    assert asyncio.run(ask()) == 7
    asyncio.run(made.end())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
async def test_a_process_is_forked_between_two_works_never_in_one():
    under_way = []

    def serve(together):
        for asked in together:
            asked.result = asked.work()

    def work():
        under_way.append(True)
        time.sleep(0.2)
        under_way.pop()

    thread = ServingThread(serve, "forked")
    asked = thread.ask(work)
    while not under_way:
        await asyncio.sleep(0.001)
    if (pid := os.fork()) == 0:
        os._exit(len(under_way) + thread.serving.locked())
    assert os.waitpid(pid, 0)[1] == 0  # noqa: ASYNC222 - it ends at once
    await asked
    await thread.ask(work)
    await thread.end()
