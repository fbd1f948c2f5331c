"""Probabilities of tokens, asked for and told at every door of a gateway with the shipped defaults."""

from math import exp
from pathlib import Path

import httpx
import openai
import pytest
import yaml

from x25 import X25

PROMPT = "Calculate 18 * 23 + 9. Give the number."
ASKED = {"logprobs": True, "top_logprobs": 2}
CHAT = {"model": "auto", "messages": [{"role": "user", "content": PROMPT}]}


def spelt(logprobs: dict) -> str:
    return "".join(one["token"] for one in logprobs["content"])


def test_a_routed_reply_tells_how_likely_each_token_was_and_that_it_is_simulated(route) -> None:
    reply = route(PROMPT, options=ASKED)
    assert spelt(reply["logprobs"]) == reply["text"] != ""
    assert reply["logprobs"]["refusal"] is None
    assert len(reply["logprobs"]["content"]) == reply["usage"]["completion_tokens"]
    for one in reply["logprobs"]["content"]:
        assert 0 < exp(one["logprob"]) < 1
        assert [likely["token"] for likely in one["top_logprobs"]] == [one["token"], "<simulated 1>"]
    assert reply["simulated"]
    assert {need["name"] for need in reply["explain"]["request"]["needs"]} == {"logprobs"}


@pytest.mark.parametrize("options", [{}, {"logprobs": False}, {"logprobs": None, "top_logprobs": None}])
def test_a_reply_has_none_where_none_were_asked_for(route, http: httpx.Client, options: dict) -> None:
    assert route(PROMPT, options=options)["logprobs"] is None
    (choice,) = http.post("/v1/chat/completions", json={**CHAT, **options}).json()["choices"]
    assert choice["logprobs"] is None


def test_the_official_client_reads_the_same_from_a_chat_and_from_a_stream(gateway) -> None:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        said = client.chat.completions.create(**CHAT, **ASKED)
        (choice,) = said.choices
        assert spelt(choice.logprobs.model_dump()) == choice.message.content
        assert choice.logprobs.content[0].top_logprobs[0].bytes == list(choice.message.content[:4].encode())
        assert "logprobs" not in said.model_extra["x25"]
        first, last = list(client.chat.completions.create(**CHAT, **ASKED, stream=True))
    (piece,) = first.choices
    assert spelt(piece.logprobs.model_dump()) == piece.delta.content != ""
    assert last.choices[0].logprobs is None


def test_the_sdk_hands_them_out(gateway, org: str) -> None:
    with X25(org=org, gateway_url=gateway.url) as agent:
        reply = agent.complete(PROMPT, options={"logprobs": True})
        assert spelt(reply.logprobs) == reply.text
        assert agent.complete(PROMPT).logprobs is None


def test_a_call_of_a_tool_has_none(route) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    reply = route(PROMPT, options={**ASKED, "tools": [tool], "tool_choice": "required"})
    assert reply["finish_reason"] == "tool_calls"
    assert reply["logprobs"] is None


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": False, "top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"logprobs": 1}, "logprobs"),
    ],
)
def test_what_cannot_be_obeyed_is_refused_by_name(http: httpx.Client, part: dict, field: str) -> None:
    answer = http.post("/v1/chat/completions", json={**CHAT, **part})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"].removeprefix("options.") == field


def test_no_token_of_an_answer_is_in_any_file_where_words_are_not_kept(gateway, http: httpx.Client) -> None:
    body = {"prompt": PROMPT, "org": "private-tokens", "options": ASKED}
    assert "<simulated 1>" in http.post("/route", json=body).text
    files = [path for path in gateway.database.parent.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"x25.db", "checkpoints.db"}
    assert not [path.name for path in files if b"<simulated 1>" in path.read_bytes()]


@pytest.mark.slow
def test_models_of_ones_own_are_asked_where_their_file_says_so_and_the_others_told_why(
    start_gateway, simulator, tmp_path: Path
) -> None:
    prices = {"input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.4}
    for name, more in (("plain", {}), ("likely", {"capabilities": ["tools", "json_object", "logprobs"]})):
        entry = {
            "model_id": f"acme/{name}",
            "base_url": simulator.url,
            "tier": "slm",
            "prices": prices,
            **more,
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**entry, "model": "sim/tiny-1"}))
    gateway = start_gateway(X25_UPSTREAM="real", X25_MODELS_DIR=str(tmp_path), X25_JUDGE="none")
    with httpx.Client(base_url=gateway.url, timeout=30) as http:
        found = http.post("/route", json={"prompt": PROMPT, "options": ASKED}).json()
        refused = http.post("/v1/chat/completions", json={**CHAT, **ASKED, "model": "acme/plain"})
    objection = "logprobs: asked for by options.logprobs, and not among its capabilities"
    assert found["model_used"] == "acme/likely"
    assert spelt(found["logprobs"]) == found["text"]
    assert found["explain"]["removed"]["acme/plain"] == objection
    assert refused.status_code == 422
    assert refused.json()["error"]["removed"]["acme/plain"] == objection
