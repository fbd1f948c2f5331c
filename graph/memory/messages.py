"""Messages as LangGraph's users write them, and as the cascade's nodes read them.

The `messages` channel keeps every message as it was given: an OpenAI dictionary stays that dictionary, whatever keys it
has, and a LangChain message that object. Nodes see the OpenAI form of all; the answer is added as an `AIMessage`.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, cast
from uuid import uuid4

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    InvalidToolCall,
    RemoveMessage,
    ToolCall,
    convert_to_messages,
    convert_to_openai_messages,
    message_chunk_to_message,
)
from langchain_core.messages.ai import UsageMetadata
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from ...routing.plan.request import ROLES
from ...state.errors import InvalidRequest
from ...state.types import JSONObject, Reply

Message: TypeAlias = JSONObject | BaseMessage


class Conversation(list[Message]):
    """The messages of a thread, with their OpenAI form once a node asked for it.

    A change makes another conversation, and a copy is a plain list.
    """

    __slots__ = ("openai",)
    openai: list[JSONObject]

    def __reduce__(self) -> tuple[type[list[Message]], tuple[list[Message]]]:
        return list, (list(self),)


def add_messages(left: Sequence[Message] | None, right: Any) -> Conversation:
    """Append messages to a conversation, as `langgraph.graph.message.add_messages` does.

    A message whose `id` is there already takes that one's place; a `RemoveMessage` takes it away. Unlike LangGraph's
    own reducer this one leaves OpenAI dictionaries as they are. What is no message at all is kept for `lookup_cache`
    to refuse by name.

    Raises
    ------
    ValueError
        When a `RemoveMessage` names a message that is not there.
    """
    merged, given = as_given(left), as_given(right)
    for index in range(len(given) - 1, -1, -1):
        if isinstance(given[index], RemoveMessage) and message_id(given[index]) == REMOVE_ALL_MESSAGES:
            return Conversation(given[index + 1 :])
    places = {name: place for place, name in enumerate(map(message_id, merged)) if name is not None}
    removed: set[str] = set()
    for message in given:
        name = message_id(message)
        if isinstance(message, RemoveMessage):
            if name not in places:
                raise ValueError(f"expected a message with the id {name!r} to remove, found none")
            removed.add(name)
        elif name is not None and name in places:
            removed.discard(name)
            merged[places[name]] = message
        else:
            if name is not None:
                places[name] = len(merged)
            merged.append(message)
    return Conversation(message for message in merged if message_id(message) not in removed)


def as_given(value: Any) -> list[Message]:
    """Return one message or several as a list: OpenAI dictionaries as they are, LangChain's shapes as its messages."""
    if value is None:
        return []
    return [_as_given(one) for one in value] if isinstance(value, list) else [_as_given(value)]


def _as_given(message: Any) -> Message:
    if isinstance(message, dict) and message.get("role") in ROLES:
        return message
    if not isinstance(message, BaseMessage):
        try:
            (converted,) = convert_to_messages([message])
        except (ValueError, TypeError, KeyError, NotImplementedError):
            return cast("Message", message)  # it is none: `check_messages` says what is wrong with it
    else:
        converted = message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message
    if converted.id is None:
        converted.id = str(uuid4())
    return converted


def message_id(message: Message) -> str | None:
    """Return the id by which a conversation knows a message; None for an OpenAI dictionary without one."""
    if isinstance(message, BaseMessage):
        return message.id
    name = message.get("id") if isinstance(message, dict) else None
    return name if isinstance(name, str) else None


def openai_form(messages: Sequence[Message]) -> list[JSONObject]:
    """Return what `to_openai` does; a conversation is converted once.

    Raises
    ------
    InvalidRequest
        When a LangChain message holds something that has no OpenAI form.
    """
    if not isinstance(messages, Conversation):
        return to_openai(messages)
    if not hasattr(messages, "openai"):
        messages.openai = to_openai(messages)
    return list(messages.openai)


def to_openai(messages: Iterable[Message]) -> list[JSONObject]:
    """Return messages in the OpenAI form, without the ids that only LangGraph reads.

    Raises
    ------
    InvalidRequest
        When a LangChain message holds something that has no OpenAI form.
    """
    found: list[JSONObject] = []
    for index, message in enumerate(messages):
        if not isinstance(message, BaseMessage):
            found.append(_without_id(message))
        else:
            found += _converted(message, index)
    return found


def _without_id(message: JSONObject) -> JSONObject:
    if not isinstance(message, dict) or "id" not in message:
        return message
    return {key: value for key, value in message.items() if key != "id"}


def _converted(message: BaseMessage, index: int) -> list[JSONObject]:
    try:
        found = _openai_messages(message)
    except (ValueError, TypeError, KeyError) as error:
        if not isinstance(message, AIMessage) or not isinstance(message.content, list):
            where = f"messages[{index}]"
            raise InvalidRequest(f"{where} has no OpenAI form: {error}", field=where) from error
        # A vendor may answer in parts that LangChain does not know; they came in OpenAI's frame and go back in it.
        found = [
            {**_openai_messages(message.model_copy(update={"content": ""}))[0], "content": message.content}
        ]
    if isinstance(message, AIMessage) and (calls := _calls_of(message, found[0].get("tool_calls") or [])):
        found[0]["tool_calls"] = calls
    return found


def _openai_messages(message: BaseMessage) -> list[JSONObject]:
    converted = convert_to_openai_messages([message])
    return converted if isinstance(converted, list) else [converted]


def _calls_of(message: AIMessage, readable: list[JSONObject]) -> list[JSONObject]:
    """Return all tool calls of an answer, in its order: LangChain leaves out those it has no form of its own for.

    Without them a tool's result, which names the call, would belong to nothing.
    """
    kept = message.additional_kwargs.get("tool_calls")
    # Whatever an agent of somebody else's put there.
    given = [call for call in kept if isinstance(call, dict)] if isinstance(kept, list) else []
    places = {str(call.get("id")): place for place, call in enumerate(given)}
    unreadable = [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["args"]}}
        for call in message.invalid_tool_calls
    ]
    custom = [call for call in given if "custom" in call]
    return sorted(
        [*readable, *unreadable, *custom], key=lambda call: places.get(str(call.get("id")), len(places))
    )


def with_question(messages: Sequence[Message], prompt: str) -> list[Message]:
    """Return a conversation with another text for its last user message, under the same id."""
    changed = list(messages)
    for place in range(len(changed) - 1, -1, -1):
        message = changed[place]
        if isinstance(message, HumanMessage) or (isinstance(message, dict) and message.get("role") == "user"):
            changed[place] = HumanMessage(prompt, id=message_id(message) or str(uuid4()))
            return changed
    return [*changed, HumanMessage(prompt, id=str(uuid4()))]


def answer_of(reply: Reply) -> AIMessage:
    """Return a reply as LangChain's message: its id is the call's, its tokens stand in `usage_metadata`."""
    message = reply["message"]
    further = {
        key: value for key, value in message.items() if key not in ("role", "content") and value is not None
    }
    readable, unreadable = _tool_calls(message.get("tool_calls") or ())
    return AIMessage(
        content=message.get("content") or "",
        id=reply["call_id"],
        additional_kwargs=further,
        tool_calls=readable,
        invalid_tool_calls=unreadable,
        response_metadata={
            "model_name": reply["model_used"],
            "model_provider": reply["provider"],
            "finish_reason": reply["finish_reason"],
            "token_usage": reply["usage"],
        },
        usage_metadata=_usage_metadata(reply["usage"]),
    )


def _tool_calls(calls: Sequence[JSONObject]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Return the calls of functions in LangChain's form, and those whose arguments are no JSON object.

    LangChain's own reading raises where arguments are JSON of another kind.
    """
    readable: list[ToolCall] = []
    unreadable: list[InvalidToolCall] = []
    for call in calls:
        if "function" not in call:
            continue
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        parsed: Any = None
        with suppress(ValueError, RecursionError):
            parsed = json.loads(arguments)
        if isinstance(parsed, dict):
            readable.append(ToolCall(name=name, args=parsed, id=call["id"], type="tool_call"))
        else:
            problem = "the arguments are no JSON object"
            unreadable.append(
                InvalidToolCall(
                    name=name, args=arguments, id=call["id"], error=problem, type="invalid_tool_call"
                )
            )
    return readable, unreadable


def _usage_metadata(usage: JSONObject) -> UsageMetadata | None:
    """Return OpenAI's count of tokens under LangChain's names; None where the provider did not say."""
    if not usage:
        return None
    read, written = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    return UsageMetadata(
        input_tokens=read,
        output_tokens=written,
        total_tokens=int(usage.get("total_tokens") or read + written),
        input_token_details={"cache_read": cached},
        output_token_details={"reasoning": reasoning},
    )
