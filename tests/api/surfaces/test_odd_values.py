"""Bodies in which one value, anywhere, is something else: understood, or refused by name; never an error of ours."""

import copy

import pytest
from pydantic import ValidationError

from x25.api.surfaces import completions, messages_request, responses_request
from x25.api.surfaces.completions import CompletionRequest
from x25.api.surfaces.messages_request import MessagesRequest
from x25.api.surfaces.responses_request import ResponseRequest
from x25.state.errors import InvalidRequest

ODD = (
    None, True, -1, 2**70, "", "x", "\x00", [], {}, [[]], [None], [1], {"a": {"b": [1]}}, {"type": []},
    [{"type": {"x": 1}}], {"type": "function"}, [{"type": "tool_use"}], [{"type": "message"}],
)  # fmt: skip
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
RESPONSE = {
    "input": [
        {"role": "user",
         "content": [{"type": "input_text", "text": "hi"}, {"type": "input_image", "image_url": "data:,"}]},
        {"type": "function_call", "call_id": "k", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "k", "output": [{"type": "input_text", "text": "1"}]},
        {"type": "custom_tool_call", "call_id": "k2", "name": "g", "input": "x"},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "reasoning", "summary": []},
        {"role": "user", "content": [{"type": "input_file", "file_data": "data:,", "filename": "a.pdf"}]},
    ],
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA},
              {"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}, "verbosity": "low"},
    "reasoning": {"effort": "low"}, "include": ["message.output_text.logprobs"],
    "metadata": {"a": "b"}, "top_logprobs": 1,
}  # fmt: skip
PICTURE = {"type": "base64", "media_type": "image/png", "data": "AA=="}
MESSAGE = {
    "max_tokens": 9,
    "system": [{"type": "text", "text": "be", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image", "source": PICTURE}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x", "signature": "s"},
                                          {"type": "tool_use", "id": "k", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "k", "is_error": True,
                                      "content": [{"type": "text", "text": "1"}]}]},
        {"role": "user", "content": [{"type": "document", "source": PICTURE}]},
    ],
    "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}], "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 5}, "metadata": {"user_id": "a"}, "stop_sequences": ["a"],
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
}  # fmt: skip
COMPLETION = {
    "prompt": ["hi"],
    "echo": True,
    "logprobs": 1,
    "stop": ["a"],
    "logit_bias": {"1": 2},
    "best_of": 1,
}


def read_response(body):
    return responses_request.messages_of(
        body.input, lambda _: {"role": "user", "content": "x"}
    ), responses_request.options_of(body)


def read_message(body):
    return messages_request.messages_of(body), messages_request.options_of(body)


def read_completion(body):
    return [completions.messages_of(one) for one in completions.single(body, 1)], completions.options_of(body)


def places(value, path=()):
    """Yield the path of everything in a value."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*path, key))


def changed(body, path, value):
    found = copy.deepcopy(body)
    *way, last = path
    place = found
    for key in way:
        place = place[key]
    place[last] = value
    return found


@pytest.mark.parametrize(
    ("kind", "body", "read"),
    [(ResponseRequest, RESPONSE, read_response), (MessagesRequest, MESSAGE, read_message),
     (CompletionRequest, COMPLETION, read_completion)],
)  # fmt: skip
def test_anything_anywhere_is_understood_or_refused(kind, body, read):
    read(kind.model_validate(body))
    tried, unnamed = 0, []
    for path in places(body):
        for value in ODD if path else ():
            try:
                read(kind.model_validate(changed(body, path, value)))
            except ValidationError:
                pass
            except InvalidRequest as refused:
                unnamed += [] if refused.field else [(path, value)]
            tried += 1
    assert unnamed == []
    assert tried > 100
