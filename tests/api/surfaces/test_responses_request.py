import pytest

from x25.api.surfaces.responses_request import ResponseRequest, messages_of, options_of
from x25.state.errors import InvalidRequest


def nothing(item_id):
    return None


def asked(**more):
    return ResponseRequest.model_validate({"input": "x", **more})


def test_items_become_chat_messages():
    items = [
        {"role": "developer", "content": "Be brief."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            ],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Calling."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "free"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {
            "type": "custom_tool_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "two"}],
        },
    ]
    assert messages_of(items, nothing) == [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                {
                    "type": "file",
                    "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
                },
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            ],
        },
        {
            "role": "assistant",
            "content": "Calling.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
    ]


def test_a_reference_stands_for_an_earlier_item():
    found = messages_of(
        [{"type": "item_reference", "id": "msg_1"}], lambda name: {"role": "assistant", "content": name}
    )
    assert found == [{"role": "assistant", "content": "msg_1"}]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("", "input"),
        (" ", "input"),
        ([], "input"),
        (3, "input"),
        ([3], "input[0]"),
        ([{"type": "mcp_call"}], "input[0].type"),
        ([{"type": "web_search_call"}], "input"),
        ([{"type": "item_reference", "id": "msg_1"}], "input[0].id"),
        ([{"role": "user", "content": 3}], "input[0].content"),
        (
            [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}],
            "input[0].content[0].file_id",
        ),
        ([{"role": "user", "content": [{"type": "video"}]}], "input[0].content[0].type"),
        ([{"type": "function_call", "name": "f", "arguments": "{}"}], "input[0].call_id"),
        ([{"type": "function_call_output", "call_id": "c"}], "input[0].output"),
        ([{"type": "reasoning"}], "input"),
    ],
)
def test_what_cannot_be_had_is_named(given, field):
    with pytest.raises(InvalidRequest) as refused:
        messages_of(given, nothing)
    assert refused.value.field == field


def test_parameters_become_those_of_chats():
    schema = {"type": "object"}
    body = asked(
        max_output_tokens=9, temperature=0.5,
        tools=[{"type": "function", "name": "f", "parameters": schema, "strict": True}],
        tool_choice={"type": "function", "name": "f"}, reasoning={"effort": "low", "summary": None},
        text={"format": {"type": "json_schema", "name": "a", "schema": schema}, "verbosity": "low"},
        include=["message.output_text.logprobs"], top_logprobs=2, parallel_tool_calls=False, metadata={"a": "b"},
    )  # fmt: skip
    assert options_of(body) == {
        "max_completion_tokens": 9, "temperature": 0.5, "logprobs": True, "top_logprobs": 2,
        "parallel_tool_calls": False,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}}, "reasoning_effort": "low", "verbosity": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    }  # fmt: skip
    assert options_of(asked(text={"format": {"type": "text"}})) == {}
    for summary in ("auto", "concise", "detailed"):
        assert options_of(asked(reasoning={"effort": None, "summary": summary})) == {}
    assert options_of(asked(include=["file_search_call.results", "reasoning.encrypted_content"])) == {}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"conversation": "c"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"reasoning": {"summary": "long"}}, "reasoning.summary"),
        ({"reasoning": {"summary": ["auto"]}}, "reasoning.summary"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"text": {"form": 1}}, "text.form"),
        ({"include": ["thoughts"]}, "include"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(said, field):
    with pytest.raises(InvalidRequest) as refused:
        options_of(asked(**said))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("name", "value"), [("background", True), ("truncation", "auto"), ("max_output_tokens", 0)]
)
def test_so_is_a_value_out_of_range(http, name, value):
    answer = http.post("/v1/responses", json={"input": "x", name: value})
    assert (answer.status_code, answer.json()["error"]["param"].partition(".")[0]) == (422, name)
