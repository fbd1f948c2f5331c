import json

import httpx
import pytest

from x25.api.pieces import Piece
from x25.api.surfaces.messages_reply import MessageStream, anthropic_error, message_of
from x25.providers.deltas import Ending, Source
from x25.state.usage import Usage

REPLY = {
    "call_id": "c1", "org": "lab", "model_used": "v/m", "provider": "v", "tier": "mid", "audit_hash": "a" * 64,
    "cost_usd": 1e-6, "judge_cost_usd": 0.0, "cost_saved_usd": 0.0, "finish_reason": "stop", "logprobs": None,
    "service_tier": None, "text": "hi", "message": {"role": "assistant", "content": "hi"}, "explain": {},
    "usage": {
        "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1},
    },
}  # fmt: skip
CALL = {"id": "k1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def events(reply):
    dialect = MessageStream("c1", "auto")
    told = b"".join([*dialect.begin(None), *dialect.answer(reply)]).decode()
    return [json.loads(block.partition("data: ")[2]) for block in told.strip().split("\n\n")]


def test_a_message_tells_the_answer():
    told = message_of(REPLY)
    assert (told["content"], told["stop_reason"]) == ([{"type": "text", "text": "hi"}], "end_turn")
    assert (told["usage"]["input_tokens"], told["usage"]["cache_read_input_tokens"]) == (2, 1)


def test_what_was_written_to_a_cache_is_told_apart():
    usage = Usage(100, 10, cached_tokens=20, cache_write_tokens=60).to_openai()
    assert message_of({**REPLY, "usage": usage})["usage"] == {
        "input_tokens": 20,
        "output_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 60,
    }


@pytest.mark.parametrize(
    ("changes", "stop"),
    [
        ({"finish_reason": "length"}, "max_tokens"),
        ({"finish_reason": "content_filter"}, "refusal"),
        ({"message": {"role": "assistant", "content": None, "refusal": "No."}}, "refusal"),
        ({"message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}, "tool_use"),
    ],
)
def test_why_it_ended(changes, stop):
    assert message_of({**REPLY, **changes})["stop_reason"] == stop


def test_events_build_the_message_up():
    told = events({**REPLY, "message": {"role": "assistant", "content": "I call.", "tool_calls": [CALL]}})
    assert [event["type"] for event in told] == [
        "message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop",
        "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert json.loads(told[6]["delta"]["partial_json"]) == {"a": 1}
    assert told[5]["content_block"]["input"] == {}
    assert told[8]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (502, "api_error"),
        (402, "billing_error"),
        (405, "invalid_request_error"),
        (422, "invalid_request_error"),
    ],
)
def test_errors_are_in_anthropics_shape(status, kind):
    told = anthropic_error(status, {"error": {"type": "x", "message": "m", "code": "c"}})
    assert (told["type"], told["error"]["type"], told["error"]["message"]) == ("error", kind, "m")


def test_every_refusal_of_the_door_is(http, strict_gateway, fault):
    good = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    for body, status, kind in (
        ({"messages": good["messages"]}, 422, "invalid_request_error"),
        ({**good, "made_up": 1}, 422, "invalid_request_error"),
        ({**good, "model": "claude-nope"}, 404, "not_found_error"),
    ):
        answer = http.post("/v1/messages", json=body)
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    locked = httpx.post(f"{strict_gateway.url}/v1/messages", json=good)
    assert (locked.status_code, locked.json()["error"]["type"]) == (401, "authentication_error")
    assert httpx.get(f"{strict_gateway.url}/stats/x").json()["error"]["type"] == "invalid_request_error"
    fault("500")
    failed = http.post("/v1/messages", json=good)
    assert (failed.status_code, failed.json()["error"]["type"]) == (502, "api_error")


def test_tokens_are_counted(http):
    few = http.post(
        "/v1/messages/count_tokens", json={"messages": [{"role": "user", "content": "hi"}]}
    ).json()
    many = http.post(
        "/v1/messages/count_tokens", json={"messages": [{"role": "user", "content": "hi " * 400}]}
    ).json()
    assert 0 < few["input_tokens"] < 10
    assert many["input_tokens"] > 200


def test_pieces_are_told_as_they_come_each_block_begun_and_ended_once():
    source = Source("c1", "v/m", "v", "mid")
    stream = MessageStream("c1", "auto")
    call = {"index": 0, "id": "k1", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
    deltas = ({"content": "I "}, {"content": "call."}, {"reasoning_content": "hm"}, {"tool_calls": [call]},
              {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]})  # fmt: skip
    told = [*stream.begin(source), *stream.take(source, [Piece(delta, None) for delta in deltas])]
    told += stream.close(source, Ending("tool_calls", {"prompt_tokens": 4, "completion_tokens": 2}, 5), None)
    found = [json.loads(one.partition(b"data: ")[2]) for one in told]
    assert found[0]["message"]["model"] == "v/m"
    assert [(one["type"].removeprefix("content_block_"), one["index"]) for one in found if "index" in one] == [
        ("start", 0), ("delta", 0), ("delta", 0), ("stop", 0), ("start", 1), ("delta", 1), ("delta", 1), ("stop", 1),
    ]  # fmt: skip
    assert (
        "".join(one["delta"]["partial_json"] for one in found if "partial_json" in one.get("delta", ()))
        == '{"a":1}'
    )
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    assert (found[-2]["usage"]["input_tokens"], found[-2]["x25"]["quality_source"]) == (4, "pending")


@pytest.mark.parametrize("said", ["{oops", "[" * 100_000])
def test_arguments_that_are_no_json_are_told_as_a_text_in_an_object(said):
    message = {"tool_calls": [{**CALL, "function": {"name": "f", "arguments": said}}]}
    told = events({**REPLY, "message": message})
    assert json.loads(told[3]["delta"]["partial_json"]) == {"input": said}
    assert message_of({**REPLY, "message": message})["content"][0]["input"] == {"input": said}
