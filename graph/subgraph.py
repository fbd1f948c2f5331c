"""The cascade as one node of somebody else's graph."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from ..nodes.services import Services
from ..routing.plan.request import check_fields
from ..state.types import Reply, Request
from .build import RECURSION_LIMIT, build_cascade
from .execution.sources import ServicesSource
from .memory.messages import answer_of

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

State = Mapping[str, Any]
RUN: RunnableConfig = {
    "recursion_limit": RECURSION_LIMIT,
    # Inherited from a parent that waits for its checkpoints, this would make LangGraph wait for one that is never made.
    "configurable": {"__pregel_durability": "exit"},
}


def as_node(
    services: "Services | ServicesSource | Mapping[str, BaseChatModel] | None" = None,
    *,
    org: str = "default",
    **request: Any,
) -> Runnable[State, dict[str, Any]]:
    """Return a node for a parent graph whose state has `messages`.

    The node sends the conversation through the cascade and returns `{"messages": [AIMessage], "x25": reply}`; keys
    the parent does not have are dropped by LangGraph. None of the cascade's channels enter the parent's state, and
    each run is a call of its own: the parent's checkpointer keeps the answer, not the way to it, and a retry asks anew.

    Parameters
    ----------
    services
        As for `build_cascade`.
    org
        Whose learning the calls belong to.
    request
        Further fields of `state.types.Request` for every call, such as ``optimize_for`` or ``policy``; chat
        parameters such as tools go into ``options``.

    Raises
    ------
    InvalidRequest
        For a field that no request has.
    """
    check_fields(request)
    cascade = build_cascade(services)
    # LangGraph draws what a node's function names, but no graph that refuses a checkpointer: it is shown a twin.
    compiled, twin = cascade.compile(name="x25", checkpointer=False), cascade.compile(name="x25")

    def call(state: State) -> Request:
        return cast("Request", {"messages": list(state["messages"]), "org": org, **request})

    def x25(state: State) -> dict[str, Any]:
        assert twin is not compiled
        return _answered(compiled.invoke(call(state), RUN))

    async def ax25(state: State) -> dict[str, Any]:
        return _answered(await compiled.ainvoke(call(state), RUN))

    return RunnableLambda(x25, ax25, name="x25")


def _answered(output: dict[str, Any]) -> dict[str, Any]:
    """Return what a parent's state takes from a run of the cascade."""
    reply = {key: value for key, value in output.items() if key != "messages"}
    answer: AIMessage = answer_of(cast("Reply", reply))
    return {"messages": [answer], "x25": reply}
