"""The cascade as one node of somebody else's graph."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage, convert_to_openai_messages

from ..nodes.services import Services
from ..state.types import Request
from .binding import ServicesSource
from .build import RECURSION_LIMIT, build_cascade

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def as_node(
    services: "Services | ServicesSource | Mapping[str, BaseChatModel] | None" = None,
    *,
    org: str = "default",
    **request: Any,
) -> Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]:
    """Return a node for a parent graph whose state has `messages`.

    The node sends the conversation through the cascade and returns `{"messages": [AIMessage], "x25": reply}`; keys
    the parent does not have are dropped by LangGraph. It runs as a function, so none of the cascade's channels enter
    the parent's state, and without a checkpointer of its own.

    Parameters
    ----------
    services
        As for `build_cascade`; None = the gateway's own settings, opened at the first call.
    org
        Whose learning the calls belong to.
    request
        Further fields of `state.types.Request` for every call, such as ``optimize_for`` or ``policy``.
    """
    from .bootstrap import services_source  # noqa: PLC0415 - keeps the import of the face light

    compiled = build_cascade(services_source(services)).compile(name="x25", checkpointer=False)

    async def x25(state: Mapping[str, Any]) -> dict[str, Any]:
        messages = convert_to_openai_messages(list(state["messages"]))
        reply = await compiled.ainvoke(
            cast("Request", {"messages": messages, "org": org, **request}),
            {"recursion_limit": RECURSION_LIMIT},
        )
        message = reply["message"]
        answer = AIMessage(
            content=message.get("content") or "",
            additional_kwargs={"tool_calls": message["tool_calls"]} if message.get("tool_calls") else {},
            response_metadata={"model_name": reply["model_used"], "finish_reason": reply["finish_reason"]},
        )
        return {"messages": [answer], "x25": dict(reply)}

    return x25
