"""The steps of one direct walk."""

import pytest
from langgraph.errors import GraphRecursionError
from langgraph.graph import END

from x25.graph.execution.walk import DirectWalk
from x25.graph.execution.walk_run import Run, SeenAfter
from x25.graph.execution.walkable import WalkableGraph


async def test_a_run_gives_what_the_compiled_graph_gives(walkable):
    compiled = walkable().compile()
    walked = await DirectWalk(compiled, 10).run({"asked": "a"}, {"configurable": {}}, None, lambda _: None)
    assert walked == await compiled.ainvoke({"asked": "a"}) == {"asked": "a", "kept": ["a", "a"]}


async def test_a_graph_without_an_end_is_stopped(walkable):
    builder = walkable()
    builder.edges.discard(("two", END))
    builder.add_edge("two", "one")
    with pytest.raises(GraphRecursionError):
        await DirectWalk(builder.compile(), 5).run({"asked": "a"}, {"configurable": {}}, None, lambda _: None)


def test_an_edge_sees_what_its_node_wrote_over_what_there_was(walkable):
    run = Run(WalkableGraph(walkable().compile()), {"configurable": {}}, 5)
    run.values |= {"asked": "a"}
    seen = SeenAfter(run, [("asked", "x"), ("kept", ["c"]), ("asked", "y")])
    assert (seen["asked"], seen["kept"]) == ("y", ["c"])
    assert seen.get("hit") is None
    assert set(seen) >= {"asked", "kept"}
    assert len(seen) == len(set(seen))
