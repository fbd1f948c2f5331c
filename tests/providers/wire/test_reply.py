import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x25.providers.wire.json_text import parse_json
from x25.providers.wire.reply import ChatReply, chat_reply
from x25.state.errors import ContentFiltered, ProviderError, ProviderMalformed, ProviderServer
from x25.state.usage import Usage

CALL = {"id": "c0", "type": "function", "function": {"name": "look", "arguments": '{"at": "map"}'}}


def read(message=None, options=None, **choice):
    given = {"message": message or {"role": "assistant", "content": "hi"}, "finish_reason": "stop"} | choice
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    return chat_reply({"choices": [given], "usage": usage, "model": "up"}, "d", options or {})


def says(content, **more):
    return {"role": "assistant", "content": content, **more}


def test_a_plain_answer_is_read():
    assert read() == ChatReply(says("hi"), "stop", Usage(3, 2), "up", None)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "text", "text": None}], ""),
        (["a", "b"], "ab"),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}], "a"),
        ([], ""),
        (None, None),
    ],
)
def test_parts_that_are_all_text_become_one_text(content, text):
    assert read(says(content)).message["content"] == text


@pytest.mark.parametrize("part", [{"type": "image_url", "text": None}, {"type": "file", "file": "x"}])
def test_a_part_that_lacks_what_it_says_it_is_is_malformed(part):
    with pytest.raises(ProviderMalformed, match=f"is a {part['type']} without one"):
        read(says([{"type": "text", "text": "a"}, part]))


def test_a_picture_stays_a_part():
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    assert read(says(parts)).message["content"] == parts


@pytest.mark.parametrize(
    "content",
    [
        3,
        True,
        {"text": "a"},
        [3],
        [{"text": "a"}],
        [{"type": "text", "text": 3}],
        [{"type": "image_url", "text": []}],
    ],
)
def test_content_of_no_known_shape_is_malformed(content):
    with pytest.raises(ProviderMalformed) as caught:
        read(says(content))
    assert caught.value.usage == Usage(3, 2)
    assert caught.value.may_have_billed


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"at": "map"}, '{"at": "map"}'),
        ('{"at": 1}', '{"at": 1}'),
        (None, "{}"),
        ("null", "{}"),
        ([1], "[1]"),
        ("", "{}"),
        (" \n", "{}"),
    ],
)
def test_arguments_are_text(arguments, text):
    reply = read(says(None, tool_calls=[{"id": "c", "function": {"name": "look", "arguments": arguments}}]))
    (call,) = reply.message["tool_calls"]
    assert call == {"id": "c", "type": "function", "function": {"name": "look", "arguments": text}}
    assert reply.finish_reason == "tool_calls"  # whatever the vendor says of an answer that calls


def test_parallel_calls_are_told_apart_by_their_place():
    same = CALL | {"index": 0}
    first, second = read(says(None, tool_calls=[same, same])).message["tool_calls"]
    assert (first["id"], second["id"]) == ("c0", "c0_1")
    assert "index" not in first | second


@pytest.mark.parametrize("name", [None, 3, ""])
def test_a_call_without_id_gets_one(name):
    (call,) = read(says(None, tool_calls=[CALL | {"id": name}])).message["tool_calls"]
    assert call["id"] == "call_0"


def test_a_call_without_the_object_around_it_is_read():
    given = {"id": "c0", "name": "look", "arguments": {"at": 1}}
    assert read(says(None, tool_calls=[given])).message["tool_calls"] == [
        {"id": "c0", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    ]


@pytest.mark.parametrize(
    "place", [{"x_groq": {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}}, {"usage": None}]
)
def test_usage_is_found_where_some_vendors_put_it(place):
    choice = {
        "message": says("hi"),
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 7, "completion_tokens": 1},
    }
    if "x_groq" in place:
        del choice["usage"]
    assert chat_reply({"choices": [choice], **place}, "d", {}).usage == Usage(7, 1)


def test_a_mark_of_the_order_of_bytes_before_json_is_passed_over():
    assert parse_json(b"\xef\xbb\xbf{}", "d") == {}


def test_a_custom_tool_is_called_with_text():
    given = {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
    assert read(says(None, tool_calls=[given])).message["tool_calls"] == [given]


def test_a_legacy_call_comes_back_as_it_was_asked_for():
    legacy = {"name": "look", "arguments": {"at": 1}}
    asked = read(says(None, function_call=legacy), {"functions": [{}]}, finish_reason="function_call")
    assert asked.message["function_call"] == {"name": "look", "arguments": '{"at": 1}'}
    (call,) = read(says(None, function_call=legacy), finish_reason="function_call").message["tool_calls"]
    assert call["function"] == {"name": "look", "arguments": '{"at": 1}'}


@pytest.mark.parametrize(
    "calls", [3, {}, "x", [3], [None], [{}], [{"function": {}}], [{"function": {"name": 3}}], [CALL] * 257]
)
def test_calls_of_no_known_shape_are_malformed(calls):
    with pytest.raises(ProviderMalformed, match="tool_calls"):
        read(says(None, tool_calls=calls))


@pytest.mark.parametrize("empty", [None, []])
def test_no_calls_are_none(empty):
    assert "tool_calls" not in read(says("hi", tool_calls=empty)).message


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("end_turn", "stop"), ("STOP", "stop"), ("max_tokens", "length"), ("MAX_TOKENS", "length"),
        ("tool_use", "stop"), ("length", "length"), ("done", "stop"), ("OTHER", "stop"), ("stop_token", "stop"),
    ],
)  # fmt: skip
def test_a_reason_is_told_in_openais_words(given, reason):
    assert read(finish_reason=given).finish_reason == reason


def test_an_answer_that_calls_nothing_does_not_say_that_it_does():
    for reason in ("tool_calls", "function_call", "tool_use"):
        assert read(finish_reason=reason).finish_reason == "stop"
    assert read(says(None, tool_calls=[CALL]), finish_reason="tool_use").finish_reason == "tool_calls"


@pytest.mark.parametrize("given", [None, ""])
def test_a_whole_answer_whose_vendor_does_not_say_why_it_ended_is_delivered(given):
    assert read(finish_reason=given).finish_reason == "stop"
    assert read(says(None, tool_calls=[CALL]), finish_reason=given).finish_reason == "tool_calls"
    with pytest.raises(ProviderServer, match="broke the answer off"):
        read(says(None), finish_reason=given)


@pytest.mark.parametrize(
    "given",
    ["error", "network_error", 3, {}, "insufficient_system_resource", "MALFORMED_FUNCTION_CALL", "cancelled"],
)
def test_an_answer_that_was_broken_off_is_a_failure_that_cost_something(given):
    with pytest.raises(ProviderServer, match="broke the answer off") as caught:
        read(finish_reason=given)
    assert caught.value.may_have_billed
    assert caught.value.usage == Usage(3, 2)


@pytest.mark.parametrize("given", ["content_filter", "SAFETY", "sensitive", "refusal"])
def test_an_answer_stopped_by_moderation_is_that_vendors(given):
    with pytest.raises(ContentFiltered):
        read(finish_reason=given)


@pytest.mark.parametrize(
    "payload", [[], "x", 3, None, {}, {"choices": {}}, {"choices": [3]}, {"choices": [{}]}]
)
def test_what_is_no_completion_is_malformed(payload):
    with pytest.raises(ProviderMalformed):
        chat_reply(payload, "d", {})


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1e999}', b"[" * 200_000,
        b'{"a": ' + b"9" * 5_000 + b"}", b'{"a":' * 150 + b"1" + b"}" * 150,
    ],
)  # fmt: skip
def test_what_is_no_json_is_malformed(body):
    with pytest.raises(ProviderMalformed):
        parse_json(body, "d")


def test_what_cannot_be_encoded_is_replaced():
    value = parse_json(rb'{"a\ud800": ["\udfff", "\ud83d\ude00"]}', "d")
    assert value == {"a\ufffd": ["\ufffd", "\U0001f600"]}
    assert parse_json(b'"\xff"', "d") == "\ufffd"


def test_a_number_beyond_64_bits_is_a_float():
    assert parse_json(b'{"a": 18446744073709551616, "b": 9223372036854775807}', "d") == {
        "a": 2.0**64,
        "b": 2**63 - 1,
    }


CASES = int(os.environ.get("X25_GENERATED_CASES", "3000"))
"""Others in each run; a change of how answers are read is worth X25_GENERATED_CASES=10000."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = {
    "role": ANYTHING, "content": ANYTHING, "refusal": ANYTHING, "function_call": ANYTHING, "reasoning": ANYTHING,
    "tool_calls": st.lists(
        ANYTHING | st.fixed_dictionaries({}, optional={
            "id": ANYTHING, "type": ANYTHING, "index": ANYTHING,
            "function": ANYTHING | st.fixed_dictionaries({"name": ANYTHING}, optional={"arguments": ANYTHING}),
        }),
        max_size=3,
    ) | ANYTHING,
}  # fmt: skip
MESSAGE = st.fixed_dictionaries({}, optional=FIELDS)
CHOICE = st.fixed_dictionaries(
    {"message": MESSAGE | ANYTHING}, optional={"finish_reason": ANYTHING | st.just("stop")}
)
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cost", "prompt_tokens_details")
USAGE = st.fixed_dictionaries({}, optional=dict.fromkeys(COUNTS, ANYTHING))
PAYLOAD = ANYTHING | st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2) | ANYTHING},
    optional={"usage": USAGE | ANYTHING, "model": ANYTHING},
)


@given(PAYLOAD)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_answered_is_a_typed_completion_or_a_named_failure(payload):
    assert_typed(json.dumps(payload).encode())


@pytest.mark.slow
@given(PAYLOAD)
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def test_thousands_of_answers_are_typed_completions_or_named_failures(payload):
    assert_typed(json.dumps(payload).encode())


def assert_typed(body):
    try:
        reply = chat_reply(parse_json(body, "d"), "d", {})
    except ProviderError:
        return
    content, calls = reply.message["content"], reply.message.get("tool_calls", [])
    assert content is None or isinstance(content, str) or all(isinstance(one["type"], str) for one in content)
    assert all(isinstance(call["function"]["arguments"], str) for call in calls if call["type"] == "function")
    assert len({call["id"] for call in calls}) == len(calls)
    assert reply.finish_reason in {"stop", "length", "tool_calls", "function_call"}
    json.dumps(reply.message, allow_nan=False, ensure_ascii=False).encode()
