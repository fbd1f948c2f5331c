"""What a run leaves, written on this thread or awaited."""

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

from x25.graph.memory.leftovers import Failure, Leftover


async def test_both_ways_write_the_same():
    saver = InMemorySaver()
    failure = Failure([("__error__", RuntimeError("no"))], "task-1", "~__pregel_pull, judge")
    found = []
    for name in ("one", "other"):
        config = {"configurable": {"thread_id": name, "checkpoint_ns": ""}, "metadata": {"org": "acme"}}
        left = Leftover(config, empty_checkpoint(), {"source": "loop", "step": 1, "parents": {}}, failure)
        if name == "one":
            left.put(saver)
        else:
            await left.aput(saver)
        saved = saver.get_tuple(config)
        found.append(
            (saved.metadata, [(task, channel, str(value)) for task, channel, value in saved.pending_writes])
        )
    assert found[0] == found[1]
    assert found[0][0] == {"source": "loop", "step": 1, "parents": {}, "org": "acme"}
    assert found[0][1] == [("task-1", "__error__", "RuntimeError('no')")]
