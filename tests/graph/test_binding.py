import asyncio
from dataclasses import asdict, replace

import pytest
from langgraph.runtime import Runtime

from x25.graph.binding import Opened as AlreadyOpen
from x25.graph.binding import OpenedOnFirstCall, bind, bind_opening
from x25.nodes.services import Services
from x25.state.types import Context, Request
from x25.state.working_memory import Change, Opened, Task

TASK = Task("qa", "qa", 0.9, "classifier", "qa", 12)
OPENING = {
    "started_at": "2026-11-20T12:00:00Z", "started_monotonic_s": 1.0, "max_escalations": 2, "explain": True,
    "hint": "qa",
}  # fmt: skip
REQUEST = {
    "org": "acme", "call_id": "c", "messages": [], "options": {}, "optimize_for": {}, "policy": {}, "router": "auto",
}  # fmt: skip


async def classify(call: Opened, services: Services) -> Change:
    """Name the work."""
    return Change(task=replace(TASK, type=f"{services}:{call.opening.hint}"))


async def lookup_cache(request: Request, services: Services, context: Context) -> Change:
    """Open."""
    return Change(call_count=context.max_escalations)


async def test_a_bound_node_keeps_its_name_and_is_timed():
    bound = bind(classify, AlreadyOpen("services"))
    assert (bound.__name__, bound.__doc__) == ("classify", "Name the work.")
    update = await bound(REQUEST | {"opening": OPENING})
    (timing,) = update.pop("timings")
    assert update == {"task": {**asdict(TASK), "type": "services:qa"}}
    assert timing["node"] == "classify"
    assert timing["ms"] >= 0


async def test_the_first_node_reads_the_runs_context_and_has_a_default():
    bound = bind_opening(lookup_cache, AlreadyOpen("services"))
    assert (await bound({}, Runtime(context=Context(max_escalations=4))))["call_count"] == 4
    assert (await bound({}, Runtime(context=None)))["call_count"] == Context().max_escalations


async def test_concurrent_first_calls_open_once():
    opened = []

    async def opener():
        await asyncio.sleep(0)
        opened.append(1)
        return "services"

    source = OpenedOnFirstCall(opener)
    assert await asyncio.gather(*(source.get() for _ in range(10))) == ["services"] * 10
    assert opened == [1]


async def test_a_failed_opening_is_tried_again():
    outcomes = [OSError("no disk"), "services"]

    async def opener():
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    source = OpenedOnFirstCall(opener)
    with pytest.raises(OSError, match="no disk"):
        await source.get()
    assert await source.get() == "services"


async def test_a_cancelled_first_call_does_not_cancel_the_opening_for_others():
    release = asyncio.Event()

    async def opener():
        await release.wait()
        return "services"

    source = OpenedOnFirstCall(opener)
    first, second = asyncio.create_task(source.get()), asyncio.create_task(source.get())
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == "services"
    with pytest.raises(asyncio.CancelledError):
        await first


def test_each_event_loop_gets_services_of_its_own():
    opened = []

    async def opener():
        opened.append(asyncio.get_running_loop())
        return f"services {len(opened)}"

    source = OpenedOnFirstCall(opener)

    async def twice():
        return [await source.get(), await source.get()]

    assert asyncio.run(twice()) == ["services 1"] * 2
    assert asyncio.run(twice()) == ["services 2"] * 2
