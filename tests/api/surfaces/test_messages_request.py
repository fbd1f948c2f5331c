import pytest
from pydantic import ValidationError

from x25.api.surfaces.messages_request import MessagesRequest, messages_of, options_of
from x25.state.errors import InvalidRequest

MARK = {"cache_control": {"type": "ephemeral"}}


def asked(**more):
    return MessagesRequest.model_validate(
        {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **more}
    )


KEEPS = {"type": "clear_thinking_20251015", "keep": "all"}


def test_what_coding_agents_send_and_that_changes_nothing_is_taken():
    plain = options_of(asked())
    nothing = {"mcp_servers": [], "container": None, "context_management": {"edits": [KEEPS]}}
    assert options_of(asked(**nothing)) == options_of(asked(context_management={"edits": []})) == plain
    with pytest.raises(ValidationError):
        asked(mcp_servers=[{"type": "url"}])


def test_a_system_message_stays_where_it_stands():
    blocks = [{"type": "text", "text": "Agents: none."}]
    said = [
        {"role": "user", "content": "hi"},
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": blocks},
    ]
    assert messages_of(asked(messages=said)) == said


def test_a_document_of_plain_text_is_text():
    source = {"type": "text", "media_type": "text/plain", "data": "The words."}
    block = {"type": "document", "source": source, "title": "A title", **MARK}
    (message,) = messages_of(asked(messages=[{"role": "user", "content": [block]}]))
    assert message["content"] == [{"type": "text", "text": "A title\n\nThe words.", **MARK}]


def test_blocks_become_chat_messages():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
    body = asked(
        system=[{"type": "text", "text": "Be brief.", **MARK}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "text", "text": "Calling."},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "bad"}],
                        "is_error": True,
                    },
                    {"type": "text", "text": "Go on."},
                ],
            },
        ],
    )
    call = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    assert messages_of(body) == [
        {"role": "system", "content": [{"type": "text", "text": "Be brief.", **MARK}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ],
        },
        {"role": "assistant", "content": "Calling.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "Error: bad"},
        {"role": "user", "content": "Go on."},
    ]


def test_parameters_become_those_of_chats():
    body = asked(
        temperature=0.5, stop_sequences=["END"], top_k=3, metadata={"user_id": "u"}, service_tier="standard_only",
        tools=[{"name": "f", "input_schema": {"type": "object"}, **MARK}],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2_000},
    )  # fmt: skip
    assert options_of(body) == {
        "max_tokens": 9, "temperature": 0.5, "stop": ["END"], "top_k": 3, "user": "u", "service_tier": "default",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}, **MARK}],
        "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": False,
        "reasoning_effort": "low",
    }  # fmt: skip
    schema = {"type": "json_schema", "schema": {"type": "object"}}
    told = options_of(asked(output_config={"effort": "high", "format": schema}))
    assert told["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert told["reasoning_effort"] == "high"


@pytest.mark.parametrize(("kind", "told"), [("auto", "auto"), ("any", "required"), ("none", "none")])
def test_choices_of_tools(kind, told):
    assert options_of(asked(tool_choice={"type": kind}))["tool_choice"] == told


def understood(body):
    return messages_of(body), options_of(body)


def test_a_tool_may_ask_for_what_is_so_with_every_tool():
    plain = {"name": "f", "input_schema": {"type": "object"}}
    as_it_is = {"eager_input_streaming": True, "defer_loading": False, "allowed_callers": ["direct"]}
    assert options_of(asked(tools=[{**plain, **as_it_is}])) == options_of(asked(tools=[plain]))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"name": "f", "made_up": 1}]}, "tools[0].made_up"),
        ({"tools": [{"name": "f", "eager_input_streaming": False}]}, "tools[0].eager_input_streaming"),
        ({"tools": [{"name": "f", "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{"name": "f", "allowed_callers": ["code_execution"]}]}, "tools[0].allowed_callers"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"metadata": {"other": "x"}}, "metadata.other"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
        (
            {"context_management": {"edits": [KEEPS, {"type": "clear_tool_uses_20250919"}]}},
            "context_management.edits[1]",
        ),
        ({"context_management": {"other": 1}}, "context_management.other"),
        ({"context_management": {"edits": 5}}, "context_management.edits"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages[0].content[0].type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
            "messages[0].content[0].source.type",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]}, "messages[0].content"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(said, field):
    with pytest.raises(InvalidRequest) as refused:
        understood(asked(**said))
    assert refused.value.field == field


def test_a_mark_of_the_request_stands_on_its_last_words():
    mark = {"type": "ephemeral"}
    (message,) = messages_of(asked(cache_control=mark))
    assert message["content"] == [{"type": "text", "text": "hi", "cache_control": mark}]
    result = [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    said = [
        {"role": "user", "content": [{"type": "text", "text": "hi", **MARK}]},
        {"role": "assistant", "content": result},
    ]
    first, second = messages_of(asked(cache_control=mark, messages=said))
    assert first["content"][0]["cache_control"] == mark
    assert second["content"] is None


def test_an_output_format_is_that_of_the_output_config():
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    assert options_of(asked(output_format=wanted)) == options_of(asked(output_config={"format": wanted}))
