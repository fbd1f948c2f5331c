import json

from x25.api.pieces import Piece
from x25.api.surfaces.chats import ChatStream, completion_of
from x25.providers.deltas import Ending, Source

CALL = {"id": "k1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
REPLY = {
    "call_id": "c1", "model_used": "v/m", "finish_reason": "stop", "usage": {"total_tokens": 5}, "service_tier": "flex",
    "logprobs": None, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}, "explain": {},
}  # fmt: skip
SOURCE = Source("c1", "v/m", "v", "mid")


def chunks(events):
    return [json.loads(event[6:]) if event != b"data: [DONE]\n\n" else None for event in events]


def test_a_completion_has_one_choice_and_the_receipt():
    told = completion_of(REPLY)
    assert (told["id"], told["object"], told["service_tier"]) == ("chatcmpl-c1", "chat.completion", "flex")
    assert told["choices"][0]["message"]["tool_calls"] == [CALL]
    assert told["x25"]["model_used"] == "v/m"


def test_a_judged_answer_is_one_chunk_and_its_calls_have_an_index():
    first, last, usage, done = chunks(ChatStream(wants_usage=True).answer(REPLY))
    assert first["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **CALL}]
    assert (last["choices"][0]["finish_reason"], usage["usage"]["total_tokens"], done) == ("stop", 5, None)


def test_tokens_that_no_vendor_counted_are_null_and_no_empty_object_that_clients_trip_over():
    uncounted = {**REPLY, "usage": {}}
    assert completion_of(uncounted)["usage"] is None
    *_, usage, _ = chunks(ChatStream(wants_usage=True).answer(uncounted))
    assert usage["usage"] is None


def test_the_first_piece_has_the_role_and_all_have_one_id():
    stream = ChatStream(wants_usage=False)
    told = chunks(stream.take(SOURCE, [Piece({"content": "a"}, None), Piece({"content": "b"}, None)]))
    *ended, done = chunks(stream.close(SOURCE, Ending("stop", {}, 7), None))
    assert [one["choices"][0]["delta"] for one in told] == [
        {"role": "assistant", "content": "a"},
        {"content": "b"},
    ]
    assert {one["id"] for one in [*told, *ended]} == {"chatcmpl-c1"}
    assert (ended[0]["x25"]["quality_source"], done) == ("pending", None)


def test_a_failure_is_an_error_and_no_end():
    assert chunks(ChatStream(wants_usage=False).fail(502, {"error": {"code": "x"}})) == [
        {"error": {"code": "x"}}
    ]
