import copy

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)  # fmt: skip
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.graph.message import add_messages as langgraphs_own

from x25.graph.memory.messages import (
    add_messages,
    answer_of,
    as_given,
    message_id,
    openai_form,
    to_openai,
    with_question,
)  # fmt: skip
from x25.state.errors import InvalidRequest

OPENAI = {
    "role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}],
    "name": "ann", "x_vendor": {"deep": [1, None]},
}  # fmt: skip
CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": "x"}'}}


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_an_openai_message_is_kept_as_it_is_and_sent_as_it_is(role):
    given = {**OPENAI, "role": role}
    (kept,) = add_messages([], [given])
    assert kept is given
    (sent,) = to_openai([kept])
    assert sent is given


def test_an_id_is_for_the_conversation_and_is_not_sent():
    given = {**OPENAI, "id": "q1"}
    assert add_messages([], given) == [given]
    assert to_openai([given]) == [OPENAI]


@pytest.mark.parametrize(
    "given",
    [
        HumanMessage("hi"), ("user", "hi"), ("human", "hi"), "hi", {"type": "human", "content": "hi"},
        {"role": "human", "content": "hi"}, ["user", "hi"],
    ],
)  # fmt: skip
def test_langchains_shapes_become_its_messages_with_an_id(given):
    (message,) = as_given([given])
    assert isinstance(message, HumanMessage)
    assert message.content == "hi"
    assert message.id


def test_a_chunk_becomes_a_message():
    (message,) = as_given(AIMessageChunk("hi"))
    assert type(message) is AIMessage


def test_one_message_is_a_list_of_one_and_none_is_a_list_of_none():
    assert as_given(OPENAI) == [OPENAI]
    assert as_given(None) == []
    assert as_given([]) == []


@pytest.mark.parametrize("given", [42, {}, {"role": "robot"}, None, {"type": "nothing"}, object])
def test_what_is_no_message_is_left_for_the_check_to_name(given):
    assert add_messages([], [given]) == [given]
    assert to_openai([given]) == [given]


@pytest.mark.parametrize(
    "right",
    [
        [HumanMessage("c", id="3")], [HumanMessage("A", id="1")], [RemoveMessage(id="1")],
        [RemoveMessage(id="1"), HumanMessage("A", id="1")], [HumanMessage("c", id="3"), HumanMessage("C", id="3")],
        [HumanMessage("c", id="3"), RemoveMessage(id=REMOVE_ALL_MESSAGES), HumanMessage("d", id="4")],
        [RemoveMessage(id=REMOVE_ALL_MESSAGES)], [],
    ],
)  # fmt: skip
def test_messages_are_added_as_langgraph_adds_them(right):
    left = [HumanMessage("a", id="1"), AIMessage("b", id="2")]
    assert add_messages(left, right) == langgraphs_own(left, right)
    assert [message.content for message in left] == ["a", "b"]


def test_an_openai_message_takes_the_place_of_the_one_with_its_id():
    left = [{**OPENAI, "id": "1"}, OPENAI]
    right = [{"role": "user", "content": "new", "id": "1"}]
    assert add_messages(left, right) == [right[0], OPENAI]
    assert add_messages(left, [RemoveMessage(id="1")]) == [OPENAI]


def test_removing_what_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'nowhere' to remove"):
        add_messages([OPENAI], [RemoveMessage(id="nowhere")])


def test_langchains_messages_are_sent_in_the_openai_form():
    called = AIMessage("", tool_calls=[{"name": "look", "args": {"at": "x"}, "id": "1"}])
    sent = to_openai(
        [
            SystemMessage("Be kind."),
            HumanMessage("hi", name="ann"),
            called,
            ToolMessage("42", tool_call_id="1"),
        ]
    )
    assert sent == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "hi", "name": "ann"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
    ]


def test_a_conversation_is_converted_once_and_anew_when_it_changes():
    conversation = add_messages([HumanMessage("hi", id="1")], [AIMessage("hello", id="2")])
    first, second = openai_form(conversation), openai_form(conversation)
    assert first == to_openai(conversation)
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert openai_form(add_messages(conversation, HumanMessage("ho", id="1"))) == [
        {"role": "user", "content": "ho"}, {"role": "assistant", "content": "hello"},
    ]  # fmt: skip
    assert type(copy.deepcopy(conversation)) is list


def test_a_message_without_an_openai_form_is_refused_by_its_place():
    with pytest.raises(InvalidRequest, match=r"messages\[1\] has no OpenAI form") as refused:
        to_openai([OPENAI, HumanMessage([{"type": "image_url", "nothing": 1}])])
    assert refused.value.field == "messages[1]"


def test_the_last_question_is_put_in_other_words_under_its_id():
    conversation = [
        HumanMessage("a", id="1"),
        AIMessage("b", id="2"),
        HumanMessage("c", id="3"),
        SystemMessage("d"),
    ]
    changed = with_question(conversation, "C")
    assert [message.content for message in changed] == ["a", "b", "C", "d"]
    assert message_id(changed[2]) == "3"
    assert conversation[2].content == "c"
    assert with_question([{"role": "user", "content": "c"}], "C")[0].content == "C"
    assert [message.content for message in with_question([], "C")] == ["C"]


REPLY = {
    "call_id": "c1", "model_used": "v/m", "provider": "v", "finish_reason": "tool_calls",
    "message": {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None, "reasoning": "because"},
    "usage": {
        "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 2},
    },
}  # fmt: skip


def test_a_reply_becomes_langchains_message():
    answer = answer_of(REPLY)
    assert (answer.id, answer.content) == ("c1", "")
    assert answer.tool_calls == [{"name": "look", "args": {"at": "x"}, "id": "1", "type": "tool_call"}]
    assert answer.usage_metadata == {
        "input_tokens": 7, "output_tokens": 5, "total_tokens": 12, "input_token_details": {"cache_read": 3},
        "output_token_details": {"reasoning": 2},
    }  # fmt: skip
    assert answer.response_metadata == {
        "model_name": "v/m", "model_provider": "v", "finish_reason": "tool_calls", "token_usage": REPLY["usage"],
    }  # fmt: skip
    assert answer.additional_kwargs["reasoning"] == "because"
    assert to_openai([answer]) == [{"role": "assistant", "content": "", "tool_calls": [CALL]}]


def test_a_reply_whose_provider_counted_nothing_has_no_usage():
    assert answer_of({**REPLY, "usage": {}}).usage_metadata is None


@pytest.mark.parametrize("arguments", ["{not json", "[1]", '"text"', "7", "true", "null", "", "[" * 100_000])
def test_arguments_that_are_no_json_object_are_kept_as_an_invalid_call(arguments):
    broken = {**CALL, "function": {"name": "look", "arguments": arguments}}
    answer = answer_of({**REPLY, "message": {**REPLY["message"], "tool_calls": [CALL, broken]}})
    assert [call["args"] for call in answer.tool_calls] == [{"at": "x"}]
    assert [call["args"] for call in answer.invalid_tool_calls] == [arguments]
    assert to_openai([answer])[0]["tool_calls"] == [CALL, broken]


def test_calls_of_custom_tools_are_kept_as_the_vendor_made_them():
    custom = {"id": "1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    answer = answer_of({**REPLY, "message": {**REPLY["message"], "tool_calls": [custom]}})
    assert (answer.tool_calls, answer.invalid_tool_calls) == ([], [])
    assert to_openai([answer])[0]["tool_calls"] == [custom]


@pytest.mark.parametrize(
    "part", [{"type": "image_url", "text": None}, {"type": "reference", "reference_ids": [1]}]
)
def test_parts_of_an_answer_that_langchain_does_not_know_stay_as_the_vendor_wrote_them(part):
    content = [{"type": "text", "text": "Paris"}, part]
    answer = answer_of({**REPLY, "message": {**REPLY["message"], "content": content}})
    assert to_openai([answer]) == [{"role": "assistant", "content": content, "tool_calls": [CALL]}]


@pytest.mark.parametrize("kept", ["odd", [1, {"custom": {}}, {"function": {}}], {"id": 1}])
def test_tool_calls_that_somebody_else_kept_in_a_message_never_fail_a_call(kept):
    message = AIMessage(
        "hi", tool_calls=[{"name": "look", "args": {}, "id": "1"}], additional_kwargs={"tool_calls": kept}
    )
    calls = to_openai([message])[0]["tool_calls"]
    assert "look" in {call.get("function", {}).get("name") for call in calls}
