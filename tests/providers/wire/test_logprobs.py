import math

import pytest

from x25.providers.wire import logprobs as gate
from x25.providers.wire.json_text import parse_json
from x25.providers.wire.logprobs import MOST_ALTERNATIVES, MOST_TOKEN_CHARS, logprobs_of
from x25.providers.wire.reply import chat_reply
from x25.state.errors import ProviderMalformed, Unsupported
from x25.state.usage import Usage

SAID = {"role": "assistant", "content": "hi"}
ASKED = {"logprobs": True, "top_logprobs": 1}
HI = {"token": "hi", "logprob": -0.25, "bytes": [104, 105]}
TOKEN = {**HI, "top_logprobs": [HI]}


def read(given, message=SAID, options=ASKED):
    return logprobs_of({"logprobs": given}, message, options, "d")


def test_what_was_asked_for_is_read_as_openai_writes_it():
    assert read({"content": [TOKEN, TOKEN], "refusal": None}) == {"content": [TOKEN, TOKEN], "refusal": None}
    refused = {"role": "assistant", "content": None, "refusal": "no"}
    assert read({"content": None, "refusal": [TOKEN]}, refused) == {"content": None, "refusal": [TOKEN]}


def test_what_a_vendor_leaves_out_is_null_or_empty_and_what_it_adds_is_left_out():
    brief = {"token": "hi", "logprob": 0, "id": 7}
    assert read({"content": [brief], "extra": 1}) == {
        "content": [{"token": "hi", "logprob": 0.0, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }
    assert isinstance(read({"content": [brief]})["content"][0]["logprob"], float)


@pytest.mark.parametrize("options", [{}, {"logprobs": False}, {"logprobs": None}, {"logprobs": 1}])
@pytest.mark.parametrize("given", [{"content": [TOKEN]}, None, "odd", {"content": 5}])
def test_nothing_is_read_for_those_who_did_not_ask(given, options):
    assert read(given, options=options) is None


def changed(**part):
    return {"content": [{**TOKEN, **part}]}


@pytest.mark.parametrize(
    "given",
    [
        "yes", 5, True, [], [TOKEN], {"content": TOKEN}, {"content": "hi"}, {"content": [None]}, {"content": ["hi"]},
        {"content": [TOKEN], "refusal": 5}, {"content": [{}]},
        changed(token=None), changed(token=5), changed(token="x" * (MOST_TOKEN_CHARS + 1)),
        changed(logprob=None), changed(logprob="-1"), changed(logprob=True), changed(logprob=math.inf),
        changed(logprob=-math.inf), changed(logprob=math.nan),
        changed(bytes="hi"), changed(bytes=[256]), changed(bytes=[-1]), changed(bytes=[1.0]), changed(bytes=[True]),
        changed(bytes=[0] * (4 * MOST_TOKEN_CHARS + 1)),
        changed(top_logprobs={}), changed(top_logprobs=[5]), changed(top_logprobs=[{"token": "a"}]),
        changed(top_logprobs=[HI] * (MOST_ALTERNATIVES + 1)),
    ],
    ids=lambda given: str(given)[:60],
)  # fmt: skip
def test_anything_of_another_shape_is_malformed(given):
    with pytest.raises(ProviderMalformed, match=r"^d: logprobs") as caught:
        read(given)
    assert caught.value.may_have_billed


def test_the_number_of_tokens_is_bounded(monkeypatch):
    monkeypatch.setattr(gate, "MOST_TOKENS", 2)
    assert len(read({"content": [TOKEN] * 2})["content"]) == 2
    with pytest.raises(ProviderMalformed, match="no list of at most 2"):
        read({"content": [TOKEN] * 3})


@pytest.mark.parametrize("given", [None, {}, {"content": None}, {"content": []}])
def test_a_text_without_any_is_of_a_model_that_does_not_take_the_parameter(given):
    with pytest.raises(Unsupported) as caught:
        read(given)
    assert (caught.value.parameter, caught.value.may_have_billed) == ("logprobs", True)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [{"id": "c"}]},
        {"role": "assistant", "content": None, "function_call": {"name": "f"}},
        {"role": "assistant", "content": ""},
    ],
)
def test_an_answer_that_is_no_text_may_come_without(message):
    assert read(None, message) is None
    assert read({"content": None}, message) == {"content": None, "refusal": None}


def test_the_gate_of_replies_settles_a_malformed_answer_at_what_it_cost():
    choice = (
        '{"message": {"content": "hi"}, "finish_reason": "stop", "logprobs": {"content": [{"token": 5}]}}'
    )
    body = f'{{"choices": [{choice}], "usage": {{"prompt_tokens": 3, "completion_tokens": 2}}}}'
    with pytest.raises(ProviderMalformed) as caught:
        chat_reply(parse_json(body, "d"), "d", ASKED)
    assert caught.value.usage == Usage(3, 2)
    assert chat_reply(parse_json(body, "d"), "d", {}).logprobs is None
