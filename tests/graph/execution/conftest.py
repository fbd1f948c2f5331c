import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph


@pytest.fixture
def walkable() -> Any:
    """Return a function that builds a graph of two nodes in a row."""
    return build_two


def build_two(**more: Any) -> Any:
    class State(TypedDict, total=False):
        asked: str
        kept: Annotated[list[str], operator.add]

    async def node(state: State) -> State:
        return {"kept": [state.get("asked", "")]}

    builder = StateGraph(State)
    builder.add_node("one", node, **more)
    builder.add_node("two", node)
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_edge("two", END)
    return builder
