"""The channels of a call and of the thread it is made on: what LangGraph keeps between nodes, and in checkpoints."""

from typing import Annotated, Any

from langgraph.channels import UntrackedValue

from ...state.types import CascadeState, JSONObject
from .messages import add_messages


def add_timings(left: list[JSONObject], right: list[JSONObject]) -> list[JSONObject]:
    """Append timings to those of the call; a call begins anew with `lookup_cache`."""
    begins = bool(right) and right[0].get("node") == "lookup_cache"
    return right if begins else left + right


class ThreadState(CascadeState, total=False):
    """Everything a thread holds: its conversation, what was settled for it, and the working memory of its last call.

    Kept in checkpoints, words and all; `privacy.PrivateThreadState` is the same without a word.
    """

    messages: Annotated[list[JSONObject], add_messages]
    """The conversation: questions as they were given, answers as LangChain's messages."""
    timings: Annotated[list[JSONObject], add_timings]
    explain: JSONObject
    """Of the newest reply: the last node completes its path."""
    given: JSONObject | None
    """What a run was given, as it was given, until `lookup_cache` has accepted it. Nothing refused gets further."""
    turn: list[Any] | None
    """The run's own messages, likewise."""
    thread: JSONObject
    """The last call on the thread: its `org` and `call_id`, the call it `follows` (null for the first), and in
    `unanswered` the marks of its messages and `settings` what stays on the thread, before and with this run, for as
    long as they have no answer."""
    running: Annotated[bool, UntrackedValue(bool)]
    """True from the first node of a run on; in no checkpoint, so that a run that goes on from one is seen to do so."""


INPUT_CHANNELS = ("given", "turn")
"""What the start of the graph writes, beside the fields of a request."""
OUTPUT_CHANNELS = ("messages",)
"""What a run gives back, beside the fields of a reply: the conversation, the answer its last message."""

# The docstrings under the fields are the descriptions that Studio's forms show.
ThreadState.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[attr-defined]
