import math

import pytest

from x25.simulator.logprobs import logprobs_of

TEXT = "Grüße, 391."
ASKED = {"logprobs": True}


def test_the_tokens_joined_are_the_text_and_as_many_as_are_billed():
    said = logprobs_of(TEXT, ASKED, 7)
    tokens = said["content"]
    assert "".join(one["token"] for one in tokens) == TEXT
    assert len(tokens) == math.ceil(len(TEXT) / 4)
    assert all(bytes(one["bytes"]).decode() == one["token"] for one in tokens)
    assert all(-0.7 < one["logprob"] < 0 and one["top_logprobs"] == [] for one in tokens)
    assert said["refusal"] is None


@pytest.mark.parametrize("most", [1, 5, 20])
def test_as_many_of_the_likeliest_are_told_as_are_asked_for_the_token_first(most):
    for one in logprobs_of(TEXT, {**ASKED, "top_logprobs": most}, 7)["content"]:
        top = one["top_logprobs"]
        assert len(top) == most
        assert (top[0]["token"], top[0]["logprob"]) == (one["token"], one["logprob"])
        assert [rank["logprob"] for rank in top] == sorted((rank["logprob"] for rank in top), reverse=True)
        assert sum(math.exp(rank["logprob"]) for rank in top) <= 1
        assert all(rank["token"].startswith("<simulated") for rank in top[1:])


def test_the_same_seed_says_the_same_and_another_one_something_else():
    assert logprobs_of(TEXT, ASKED, 7) == logprobs_of(TEXT, ASKED, 7) != logprobs_of(TEXT, ASKED, 8)


@pytest.mark.parametrize(("text", "body"), [(TEXT, {}), (TEXT, {"logprobs": False}), (None, ASKED)])
def test_nothing_is_told_unasked_or_of_a_call_of_a_tool(text, body):
    assert logprobs_of(text, body, 7) is None


def test_an_empty_text_has_no_tokens():
    assert logprobs_of("", ASKED, 7) == {"content": [], "refusal": None}
