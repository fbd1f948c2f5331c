import json

import pytest

from x25.api.pieces import Piece
from x25.api.surfaces.responses_reply import ResponseStream, response_of
from x25.api.surfaces.responses_request import ResponseRequest
from x25.providers.deltas import Ending, Source
from x25.providers.wire.fragments import ToolFragments

REPLY = {
    "call_id": "c1", "org": "lab", "model_used": "v/m", "provider": "v", "tier": "mid", "audit_hash": "a" * 64,
    "cost_usd": 1e-6, "judge_cost_usd": 0.0, "cost_saved_usd": 0.0, "finish_reason": "stop", "logprobs": None,
    "service_tier": None, "text": "hi", "message": {"role": "assistant", "content": "hi"}, "explain": {},
    "usage": {
        "prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1},
    },
}  # fmt: skip
CALL = {"id": "k1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
BODY = ResponseRequest(input="x", metadata={"a": "b"}, instructions="Be brief.")


def events(reply, body=BODY):
    dialect = ResponseStream("c1", body)
    told = b"".join([*dialect.begin(None), *dialect.answer(reply)]).decode()
    return [json.loads(block.partition("data: ")[2]) for block in told.strip().split("\n\n")]


def test_a_response_tells_the_answer_and_its_request():
    whole = response_of(REPLY, BODY)
    assert (whole["id"], whole["status"], whole["model"]) == ("resp_c1", "completed", "v/m")
    assert whole["output"][0]["content"][0]["text"] == "hi"
    assert (whole["metadata"], whole["instructions"], whole["store"]) == ({"a": "b"}, "Be brief.", True)
    assert whole["usage"]["input_tokens_details"] == {"cached_tokens": 1}
    assert whole["x25"]["audit_hash"] == "a" * 64


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_is_incomplete(finish, reason):
    whole = response_of({**REPLY, "finish_reason": finish}, BODY)
    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert events({**REPLY, "finish_reason": finish})[-1]["type"] == "response.incomplete"


def test_the_events_of_a_text_come_in_the_documented_order():
    told = events(REPLY)
    assert [event["type"] for event in told] == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.delta", "response.output_text.done", "response.content_part.done",
        "response.output_item.done", "response.completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in told] == list(range(len(told)))


def test_so_do_those_of_calls_after_words():
    message = {"role": "assistant", "content": "I call.", "tool_calls": [CALL, {**CALL, "id": "k2"}]}
    told = events({**REPLY, "message": message})
    kinds = [event["type"] for event in told]
    assert kinds.count("response.function_call_arguments.done") == 2
    assert kinds.index("response.function_call_arguments.delta") > kinds.index("response.output_text.done")
    assert [item["type"] for item in told[-1]["response"]["output"]] == [
        "message",
        "function_call",
        "function_call",
    ]
    added = [event for event in told if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == [0, 1, 2]
    assert [event["item"].get("arguments") for event in added] == [None, "", ""]


def test_a_refusal_and_a_custom_call_have_events_of_their_own():
    refused = events({**REPLY, "message": {"role": "assistant", "content": None, "refusal": "No."}})
    assert {"response.refusal.delta", "response.refusal.done"} <= {event["type"] for event in refused}
    custom = {"id": "k", "type": "custom", "custom": {"name": "g", "input": "free"}}
    called = events({**REPLY, "message": {"role": "assistant", "content": None, "tool_calls": [custom]}})
    assert [
        event["input"] for event in called if event["type"] == "response.custom_tool_call_input.done"
    ] == ["free"]


def test_logprobs_are_told_once():
    likely = {"token": "hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}
    told = events({**REPLY, "logprobs": {"content": [likely], "refusal": None}})
    assert [event["logprobs"] for event in told if event["type"] == "response.output_text.delta"] == [
        [likely]
    ]


def test_a_failure_ends_the_stream_as_a_failed_response():
    dialect = ResponseStream("c1", BODY)
    (failed,) = dialect.fail(502, {"error": {"code": "call_failed", "message": "nobody"}})
    told = json.loads(failed.partition(b"data: ")[2])
    assert (told["type"], told["response"]["status"]) == ("response.failed", "failed")
    assert told["response"]["error"] == {"code": "server_error", "message": "nobody"}


SOURCE = Source("c1", "v/m", "v", "mid")


def straight(*deltas, finish="stop", keep=None):
    stream = ResponseStream("c1", BODY, keep)
    told = b"".join(stream.begin(None))
    told += b"".join(stream.take(SOURCE, [Piece(delta, None) for delta in deltas]))
    told += b"".join(stream.close(SOURCE, Ending(finish, {"prompt_tokens": 1}, 5), None))
    return [json.loads(block.partition("data: ")[2]) for block in told.decode().strip().split("\n\n")]


def fragment(index, text, **more):
    named = {"id": f"k{index}", "type": "function"} if more else {}
    return {"tool_calls": [{"index": index, **named, "function": {"arguments": text, **more}}]}


def test_pieces_are_told_as_they_come_and_the_end_has_the_same_items():
    kept = []
    told = straight(
        {"content": "I "}, {"content": "call."}, fragment(0, '{"a":', name="f"), fragment(0, "1}"),
        fragment(1, "{}", name="g"), keep=lambda *given: kept.append(given),
    )  # fmt: skip
    assert [event["delta"] for event in told if event["type"].endswith(".delta")] == [
        "I ",
        "call.",
        '{"a":',
        "1}",
        "{}",
    ]
    done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
    whole = told[-1]["response"]
    assert whole["output"] == done
    assert [item.get("arguments") for item in done] == [None, '{"a":1}', "{}"]
    assert (whole["model"], whole["x25"]["quality_source"], whole["x25"]["call_id"]) == (
        "v/m",
        "pending",
        "c1",
    )
    ((response, message),) = kept
    assert response == whole
    assert message["tool_calls"][0] == {**CALL, "id": "k0"}


def test_an_item_is_done_before_the_next_is_added():
    said = [fragment(0, '{"a":', name="f"), fragment(1, '{"b":', name="g"), {"content": "Wait."},
            fragment(0, "1}"), fragment(1, "2}")]  # fmt: skip
    fragments = ToolFragments("d")
    told = straight(
        *(
            {**delta, "tool_calls": fragments.add(delta["tool_calls"])} if "tool_calls" in delta else delta
            for delta in said
        )
    )
    assert [
        (event["type"].rpartition(".")[2], event["output_index"])
        for event in told
        if event["type"].startswith("response.output_item.")
    ] == [(verb, place) for place in range(3) for verb in ("added", "done")]
    output = told[-1]["response"]["output"]
    assert [item.get("arguments", item["type"]) for item in output] == ['{"a":1}', "message", '{"b":2}']


def test_what_was_cut_off_is_incomplete_and_only_that():
    told = straight({"content": "I call."}, fragment(0, '{"a":', name="f"), finish="length")
    assert [item["status"] for item in told[-1]["response"]["output"]] == ["completed", "incomplete"]


def test_a_failure_after_words_has_them():
    stream = ResponseStream("c1", BODY)
    list(stream.take(SOURCE, [Piece({"content": "The "}, None)]))
    (failed,) = stream.fail(502, {"error": {"code": "stream_broken", "message": "broke off"}})
    told = json.loads(failed.partition(b"data: ")[2])["response"]
    assert (told["output"][0]["status"], told["output"][0]["content"][0]["text"]) == ("incomplete", "The ")
