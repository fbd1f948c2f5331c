"""Graphs that are walked directly, and those that are left to LangGraph."""

from typing import Annotated, TypedDict

import pytest
from langgraph.channels import Topic
from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy

from x25.graph.build import build_cascade
from x25.graph.execution.walkable import Unwalkable, WalkableGraph


@pytest.mark.parametrize("keep_text", [True, False])
def test_the_cascade_is_walkable(keep_text):
    graph = WalkableGraph(build_cascade({}, keep_text=keep_text).compile())
    assert graph.nodes.keys() >= {"__start__", "lookup_cache", "stage_check"}


def test_what_only_langgraph_does_is_left_to_langgraph(walkable):
    WalkableGraph(walkable().compile())
    forked = walkable()
    forked.add_node("three", lambda state: state)
    forked.add_edge("one", "three")
    with pytest.raises(Unwalkable, match="one leads to several nodes"):
        WalkableGraph(forked.compile())
    with pytest.raises(Unwalkable, match="one has retry_policy"):
        WalkableGraph(walkable(retry_policy=RetryPolicy()).compile())
    with pytest.raises(Unwalkable, match="interrupt_before"):
        WalkableGraph(walkable().compile(interrupt_before=["two"]))

    class Joined(TypedDict):
        topics: Annotated[list[str], Topic(str)]

    joined = StateGraph(Joined)
    joined.add_node("one", lambda state: state)
    joined.add_edge(START, "one")
    with pytest.raises(Unwalkable, match="topics is a Topic"):
        WalkableGraph(joined.compile())
