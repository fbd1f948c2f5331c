"""One turn on a thread: what a run was given, what the thread keeps, and what a failed run leaves behind.

`prompt`, `messages`, `hint`, `user_id` and `call_id` are one run's own. Org, router, policy, options, weights, what
`routing_hints` made of them, the conversation's id and whether it remembers stay until they are given anew. Nothing
that was refused stays, and a question without an answer is dropped when the next one comes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from uuid import uuid4

from langchain_core.messages import HumanMessage
from langgraph.types import Overwrite

from ...state.errors import InvalidRequest, TextNotKept
from ...state.names import check_org
from ...state.types import Reply, Request
from ...state.working_memory import Change
from .messages import Message, add_messages, as_given, message_id, to_openai
from .privacy import HOW_TO_KEEP, INPUT_NOT_KEPT

KEPT_FIELDS = ("org", "router", "policy", "options", "optimize_for", "conversation_id", "memory")
"""Fields of a request that stay on a thread."""
ANSWERED = Reply.__annotations__.keys() - Request.__annotations__.keys()
"""Fields of a reply that no request has. A run may be given what the one before gave back, with a question added."""
STALE = frozenset(Reply.__annotations__) - {"org", "call_id", "conversation_id"} | {
    "recalled", "hit", "task", "inputs", "estimate", "selection", "call_count",
}  # fmt: skip
"""Channels that a call finds filled by the one before it, beside those that `lookup_cache` always writes itself."""


def begin_run(given: Any) -> Any:
    """Return what the start of the graph writes for a new input: all of it, apart from what earlier runs were given.

    `lookup_cache` takes it from there, and refuses a prompt beside messages. What is no request is left to LangGraph to
    refuse.
    """
    if not isinstance(given, dict):
        return given
    if given == INPUT_NOT_KEPT:
        return {}
    turn = None
    own = {key: value for key, value in given.items() if key != "messages" and key not in ANSWERED}
    if given.get("messages") is not None:
        turn = as_given(given["messages"])
    elif is_text(given.get("prompt")):
        turn = [HumanMessage(own.pop("prompt"), id=str(uuid4()))]
    return {"given": own, "turn": turn, "prompt": None, "hint": None}


def is_text(prompt: object) -> bool:
    """Return whether a prompt is one: a text that is not empty."""
    return isinstance(prompt, str) and bool(prompt.strip())


@dataclass(frozen=True)
class Turn:
    """A run as it begins on its thread."""

    request: Request
    """What `lookup_cache` is to check: the run's own, over what the thread keeps."""
    messages: list[Message]
    """The conversation with this turn."""
    added: list[Message]
    """This turn's part of it."""
    is_rewritten: bool
    """Whether the conversation is more than what it was and what was added."""
    follows: str | None
    """Call id of the thread's last call; None for its first."""
    settings: dict[str, Any]
    """What stays on the thread, as it was before this run gave it anew."""

    def opened(self, change: Change) -> dict[str, Any]:
        """Return the channels to write, beside the nouns, once the request was accepted as `change` says."""
        stale = dict.fromkeys(STALE - change.keys()) if self.follows is not None else {}
        thread = {
            "org": change["org"], "call_id": change["call_id"], "follows": self.follows,
            "unanswered": [mark(one) for one in self.added],
            # Until this run is answered: a refused one leaves what stays on the thread as it was.
            "settings": {name: [was, change.get(name)] for name, was in self.settings.items()},
        }  # fmt: skip
        conversation = Overwrite(self.messages) if self.is_rewritten else self.added
        return {
            **stale, "messages": conversation, "thread": thread, "running": True,
            "given": None, "turn": None, "prompt": None, "hint": None,
        }  # fmt: skip


def open_turn(state: Mapping[str, Any], *, keeps_text: bool) -> Turn:
    """Return the turn that begins: a new input on its thread, with what was edited by hand before it was looked at.

    Raises
    ------
    InvalidRequest
        When it names another org than the thread's, or there is nothing new to answer.
    TextNotKept
        When words are needed that an earlier run or step had.
    """
    given, edit, thread = state.get("given"), state.get("prompt"), state.get("thread") or {}
    if given is None and edit is None and not keeps_text:
        raise TextNotKept(
            f"this run goes on from a checkpoint, which holds no word of its request: {HOW_TO_KEEP}"
        )
    settings = _settings(state, thread, keeps_text=keeps_text)
    request = _request(state, settings, given or {}, thread)
    conversation = _without(state.get("messages") or [], thread.get("unanswered") or [])
    is_rewritten = len(conversation) < len(state.get("messages") or []) or edit is not None
    turn = state.get("turn")
    if edit is not None:
        turn, request["prompt"] = ([HumanMessage(edit, id=str(uuid4()))] if is_text(edit) else None), edit
    if turn is None and request.get("prompt") is None and thread:
        _require_a_question(conversation, thread["call_id"], keeps_text=keeps_text)
    messages = _with_turn(conversation, turn or [])
    if edit is not None and turn is not None:
        request.pop("prompt")
    if turn is not None:
        request["messages"] = to_openai(messages) if turn else []
    elif messages and request.get("prompt") is None:
        request["messages"] = to_openai(messages)
    return Turn(cast("Request", request), messages, turn or [], is_rewritten, thread.get("call_id"), settings)


def _settings(state: Mapping[str, Any], thread: Mapping[str, Any], *, keeps_text: bool) -> dict[str, Any]:
    """Return what stays on the thread: as the last answered run left it, and as it was edited by hand since."""
    names = [name for name in KEPT_FIELDS if name != "org" and (keeps_text or name != "options")]
    settings = {name: state.get(name) for name in names}
    if thread.get("unanswered"):
        for name, (was, tried) in thread.get("settings", {}).items():
            if settings.get(name) == tried:
                settings[name] = was
    return settings


def _request(
    state: Mapping[str, Any], settings: Mapping[str, Any], given: Mapping[str, Any], thread: Mapping[str, Any]
) -> dict[str, Any]:
    kept = {field: state.get(field) for field in KEPT_FIELDS} | dict(settings)
    request = {field: value for field, value in kept.items() if value is not None}
    request |= {field: value for field, value in given.items() if value is not None}
    if state.get("hint") is not None:
        request["hint"] = state["hint"]
    named = request.pop("call_id", None)
    if named is None:
        named = state.get("call_id")
    if named is not None and named != thread.get("call_id"):
        request["call_id"] = named
    if thread:
        require_org(request.get("org", thread["org"]), thread["org"])
    return request


def require_org(org: object, threads_org: str) -> None:
    """Raise InvalidRequest unless `org` is the one a thread belongs to."""
    if check_org(org) != threads_org:
        raise InvalidRequest(
            f"this thread belongs to org {threads_org!r}, so {org!r} cannot use it; use another thread",
            field="org",
        )


def _require_a_question(conversation: Sequence[Message], last_call: str, *, keeps_text: bool) -> None:
    """Raise unless the conversation, as it stands, waits for an answer."""
    if not keeps_text:
        raise TextNotKept(
            f"the earlier turns of this thread are not kept, and no new one was given: {HOW_TO_KEEP}"
        )
    if not conversation or message_id(conversation[-1]) == last_call:
        raise InvalidRequest(
            "there is nothing new to answer on this thread: give a prompt or messages", field="prompt"
        )


def _with_turn(conversation: list[Message], turn: list[Message]) -> list[Message]:
    try:
        return add_messages(conversation, turn)
    except ValueError as error:
        raise InvalidRequest(f"messages: {error}", field="messages") from error


def _without(conversation: list[Message], marks: Sequence[str]) -> list[Message]:
    """Return a conversation without the messages of a turn that got no answer: the newest that bear its marks."""
    left, kept = list(marks), []
    for message in reversed(conversation):
        if left and (name := mark(message)) in left:
            left.remove(name)
        else:
            kept.append(message)
    return kept[::-1]


def mark(message: Message) -> str:
    """Return what a message is recognised by: its id, or a digest where it has none."""
    name = message_id(message)
    if name is not None:
        return name
    return sha256(json.dumps(message, sort_keys=True, default=str).encode()).hexdigest()
