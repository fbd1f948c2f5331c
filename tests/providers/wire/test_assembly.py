import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.providers.wire.assembly import PIECES, Assembly
from x25.providers.wire.json_text import parse_json
from x25.providers.wire.reply import chat_reply
from x25.state.errors import ProviderMalformed, Unsupported

TEXT = "Zürich 🌍 says:\r\n\u2028\u0085 “hi”"
TOKEN = {"token": "hi", "logprob": -0.5, "bytes": None, "top_logprobs": []}


def chunk(delta=None, finish=None, **more):
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish, **more}], "model": "up/m"}


def units(text):
    """Cut a text into UTF-16 units, as vendors do that count in these."""
    wide = text.encode("utf-16-le")
    return [wide[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(wide), 2)]


@given(st.lists(st.integers(0, len(units(TEXT))), max_size=8))
def test_a_text_is_whole_wherever_its_characters_are_cut(cuts):
    at = sorted({0, len(units(TEXT)), *cuts})
    assembly, sent = Assembly({}, "d"), ""
    for a, b in itertools.pairwise(at):
        raw = json.dumps(chunk({"content": "".join(units(TEXT)[a:b])}))
        piece, _ = assembly.add(parse_json(raw, "d", PIECES))
        piece.get("content", "").encode()  # nothing is sent that could not be
        sent += piece.get("content", "")
    assembly.add(chunk(finish="stop"))
    assert (sent, assembly.rest()) == (TEXT, {})
    assert chat_reply(assembly.payload(), "d", {}).message["content"] == TEXT


def test_half_a_character_at_the_end_is_replaced_and_sent():
    assembly = Assembly({}, "d")
    assembly.add(chunk({"content": "a\ud83c"}, "stop"))
    assert assembly.rest() == {"content": "\ufffd"}
    assert assembly.message()["content"] == "a\ufffd"


def test_usage_tier_and_thoughts_are_kept_and_other_choices_passed_over():
    assembly = Assembly({}, "d")
    details = [
        {"index": 0, "type": "reasoning.text", "text": "I "},
        {"index": 0, "type": "reasoning.text", "text": "am"},
    ]
    for one in details:
        piece, _ = assembly.add(
            chunk({"reasoning_details": [one], "reasoning": one["text"], "role": "assistant"})
        )
        assert piece == {"reasoning_details": [one], "reasoning": one["text"]}
    assembly.add({"choices": [{"index": 1, "delta": {"content": "other"}}]})
    assert assembly.add({"choices": [], "prompt_filter_results": []}) == ({}, None)
    assert assembly.add({"type": "ping"}) == ({}, None)
    assembly.add(
        chunk({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes"}]}, "stop")
    )
    assembly.add(
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}, "service_tier": "flex"}
    )
    reply = chat_reply(assembly.payload(), "d", {})
    assert reply.message["content"] == "Yes"
    assert reply.message["reasoning"] == "I am"
    assert reply.message["reasoning_details"] == [{"index": 0, "type": "reasoning.text", "text": "I am"}]
    assert (reply.usage.completion_tokens, reply.service_tier, reply.model) == (2, "flex", "up/m")


@pytest.mark.parametrize(
    "last",
    [
        {"x_groq": {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 2}}},
        {"choices": [{"index": 0, "delta": {}, "usage": {"prompt_tokens": 3, "completion_tokens": 2}}]},
    ],
    ids=["groq", "moonshot"],
)
def test_tokens_are_counted_wherever_a_vendor_says_them(last):
    assembly = Assembly({}, "up")
    assembly.add(chunk({"content": "hi"}, "stop"))
    assembly.add({"choices": [], **last})
    assert assembly.usage == {"prompt_tokens": 3, "completion_tokens": 2}


def test_a_legacy_call_goes_on_as_it_was_asked_for():
    said = [
        chunk({"function_call": {"name": "f"}}),
        chunk({"function_call": {"arguments": "{}"}}, "function_call"),
    ]
    legacy, new = Assembly({"functions": [{}]}, "d"), Assembly({}, "d")
    assert [legacy.add(one)[0] for one in said] == [
        {"function_call": {"name": "f"}}, {"function_call": {"arguments": "{}"}},
    ]  # fmt: skip
    assert legacy.message()["function_call"] == {"name": "f", "arguments": "{}"}
    first, second = (new.add(one)[0] for one in said)
    assert first == second == {}
    assert new.rest()["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}


def test_probabilities_go_with_their_pieces_and_a_text_without_is_another_models_to_say():
    assembly = Assembly({"logprobs": True}, "d")
    assert assembly.add(chunk({"role": "assistant", "content": ""})) == ({}, None)
    _, likely = assembly.add(chunk({"content": "hi"}, logprobs={"content": [TOKEN]}))
    assert likely == {"content": [TOKEN], "refusal": None}
    assembly.add(chunk({"content": "!"}, "stop"))
    assert assembly.payload()["choices"][0]["logprobs"] == {"content": [TOKEN]}
    early = Assembly({"logprobs": True}, "d")
    early.add(chunk({"role": "assistant", "content": ""}, logprobs={"content": [TOKEN]}))
    assert early.add(chunk({"content": "hi"})) == ({"content": "hi"}, None)
    with pytest.raises(Unsupported):
        Assembly({"logprobs": True}, "d").add(chunk({"content": "hi"}))
    assert Assembly({}, "d").add(chunk({"content": "hi"}, logprobs={"content": [TOKEN]})) == (
        {"content": "hi"},
        None,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        [], "x", 1, {"choices": "x"}, {"choices": [1]}, {"choices": [{"delta": "x"}]},
        {"choices": [{"delta": {"content": 7}}]}, {"choices": [{"delta": {"tool_calls": "x"}}]},
        {"choices": [{"delta": {"function_call": "x"}}]},
    ],
)  # fmt: skip
def test_what_is_no_chunk_is_refused(wrong):
    with pytest.raises(ProviderMalformed):
        Assembly({}, "d").add(wrong)


def test_what_is_said_at_once_instead_of_in_pieces_is_read_where_nothing_was_said_before():
    whole = {
        "choices": [{"index": 1, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]
    }
    assembly = Assembly({}, "d")
    assert assembly.add(whole) == ({"content": "hi"}, None)
    assert assembly.add(whole) == ({}, None)
    assert assembly.reply().message["content"] == "hi"


def test_a_thought_that_is_no_text_is_kept_as_it_is():
    assembly = Assembly({}, "d")
    assert assembly.add(chunk({"reasoning": {"summary": "hm"}})) == ({"reasoning": {"summary": "hm"}}, None)
    assembly.add(chunk({"content": "hi"}, "stop"))
    assert assembly.reply().message["reasoning"] == {"summary": "hm"}


@pytest.mark.parametrize(
    "place", [{"x_groq": {"usage": {"prompt_tokens": 7, "completion_tokens": 1}}}, {"usage": None}]
)
def test_usage_of_a_stream_is_found_where_some_vendors_put_it(place):
    assembly, usage = Assembly({}, "d"), {"prompt_tokens": 7, "completion_tokens": 1}
    assembly.add(chunk({"content": "hi"}))
    last = chunk(finish="stop", **({} if "x_groq" in place else {"usage": usage}))
    assembly.add({**last, **place})
    assert assembly.reply().usage.prompt_tokens == 7
