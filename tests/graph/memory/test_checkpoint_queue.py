"""Checkpoints that are written after their calls were answered."""

import asyncio

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from x25.graph.checkpoints import open_saver
from x25.graph.memory import checkpoint_queue
from x25.graph.memory.checkpoint_queue import CheckpointQueue
from x25.graph.memory.leftovers import Failure, Leftover
from x25.graph.memory.losses import CheckpointWrites


def leftover(name, failure=None):
    config = {"configurable": {"thread_id": name, "checkpoint_ns": ""}, "metadata": {"org": "acme"}}
    return Leftover(config, empty_checkpoint(), {"source": "loop", "step": 1, "parents": {}}, failure)


async def threads(saver):
    return [one.config["configurable"]["thread_id"] async for one in saver.alist(None)][::-1]


async def test_every_checkpoint_is_written_in_order_and_many_in_one_transaction(settings):
    async with open_saver(settings) as saver:
        writes = CheckpointWrites()
        queue = CheckpointQueue(saver, writes)
        for n in range(150):
            queue.add(leftover(f"t{n:03}"))
        assert writes.written == 0  # nobody waited
        await queue.drain()
        assert await threads(saver) == [f"t{n:03}" for n in range(150)]
        assert (writes.written, writes.lost) == (150, 0)


async def test_what_is_written_is_what_langgraphs_own_saver_writes(settings):
    failure = Failure([("__error__", RuntimeError("no"))], "task-1", "~__pregel_pull, judge")
    one, other = leftover("one", failure), leftover("other", failure)
    async with open_saver(settings) as saver:
        queue = CheckpointQueue(saver, CheckpointWrites())
        queue.add(one)
        await queue.drain()
        await other.aput(saver)
        found = []
        for table in ("checkpoints", "writes"):
            async with saver.conn.execute(f"SELECT * FROM {table} ORDER BY thread_id DESC") as cursor:
                found.append(
                    [
                        dict(zip([c[0] for c in cursor.description], row, strict=True))
                        for row in await cursor.fetchall()
                    ]
                )
        for own, langgraphs in found:
            for name in {*own} - {"thread_id", "checkpoint_id", "checkpoint"}:
                assert own[name] == langgraphs[name], name


async def test_a_saver_that_is_no_sqlite_is_written_to_as_well():
    saver = InMemorySaver()
    queue = CheckpointQueue(saver, CheckpointWrites())
    queue.add(leftover("one"))
    await queue.drain()
    assert await threads(saver) == ["one"]


async def test_a_storage_that_fails_costs_the_checkpoints_and_no_call(settings, monkeypatch):
    async with open_saver(settings) as saver:
        writes = CheckpointWrites()
        queue = CheckpointQueue(saver, writes)
        await saver.conn.execute("DROP TABLE checkpoints")
        for n in range(3):
            queue.add(leftover(f"t{n}"))
        await queue.drain()
        assert (writes.written, writes.lost) == (0, 3)
        assert "no such table" in writes.reason


async def test_more_than_may_wait_are_lost_and_counted(settings, monkeypatch):
    monkeypatch.setattr(checkpoint_queue, "MOST_WAITING", 5)
    async with open_saver(settings) as saver:
        writes = CheckpointWrites()
        queue = CheckpointQueue(saver, writes)
        for n in range(8):
            queue.add(leftover(f"t{n}"))
        await queue.drain()
        assert (writes.written, writes.lost) == (5, 3)


async def test_without_a_saver_nothing_is_kept():
    writes = CheckpointWrites()
    queue = CheckpointQueue(None, writes)
    queue.add(leftover("one"))
    await asyncio.wait_for(queue.drain(), 1)
    assert (writes.written, writes.lost) == (0, 0)
