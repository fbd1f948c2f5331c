"""Answers that are given again, over HTTP."""

import json

import pytest

from x25.api.routes.feedback import take
from x25.graph.feedback import Feedback

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def chat(http, org):
    def post(headers=None, status=200, path="/v1/chat/completions", **more):
        x25 = {"org": org, **more.pop("x25", {})}
        body = {"model": "sim/small-2", "messages": QUESTION, "x25": x25, **more}
        response = http.post(path, json=body, headers=headers or {})
        assert response.status_code == status, response.text
        return response

    return post


def events_of(response):
    lines = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def test_headers_and_receipt_tell_hits_from_others(chat):
    x25 = {"cache": "exact"}
    first, second = chat(x25=x25), chat(x25=x25)
    assert first.headers["x-x25-cache-hit"] == "false"
    assert "x-x25-cache-type" not in first.headers
    assert (second.headers["x-x25-cache-hit"], second.headers["x-x25-cache-type"]) == ("true", "exact")
    assert (second.headers["x-x25-cost-usd"], second.headers["x-x25-lane-used"]) == ("0.000000000", "turbo")
    told = second.json()
    assert told["x25"]["cached"]["call_id"] == first.json()["x25"]["call_id"]
    assert told["usage"]["total_tokens"] == 0
    assert told["choices"] == first.json()["choices"]


@pytest.mark.parametrize("streamed_first", [True, False])
def test_streamed_hits_stream(chat, streamed_first):
    x25 = {"cache": "exact"}
    whole = chat(x25=x25, stream=streamed_first)
    hit = chat(x25=x25, stream=True, stream_options={"include_usage": True})
    assert hit.headers["content-type"].startswith("text/event-stream")
    assert hit.headers["x-x25-cache-type"] == "exact"
    chunks = events_of(hit)
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])
    if streamed_first:
        expected = "".join(
            chunk["choices"][0]["delta"].get("content") or ""
            for chunk in events_of(whole)
            if chunk["choices"]
        )
    else:
        expected = whole.json()["choices"][0]["message"]["content"]
    assert text == expected
    assert chunks[-1]["usage"]["total_tokens"] == 0
    assert hit.text.rstrip().endswith("data: [DONE]")


def test_the_mode_of_the_header_goes_before_the_bodys_and_that_before_the_orgs(chat, http, org):
    http.put(f"/orgs/{org}/settings", json={"mode": "cache"}).raise_for_status()
    assert chat().json()["x25"]["cached"]["kept"]
    assert chat().headers["x-x25-cache-hit"] == "true"
    assert chat(x25={"mode": "proxy"}).headers["x-x25-cache-hit"] == "false"
    assert chat({"x-x25-mode": "cache"}, x25={"mode": "proxy"}).headers["x-x25-cache-hit"] == "true"
    assert chat({"X-Intelligence-Mode": "proxy"}, x25={"mode": "full"}).headers["x-x25-cache-hit"] == "false"
    problem = chat({"x-x25-mode": "turbo"}, status=422).json()["error"]
    assert (problem["field"], "proxy, cache, full" in problem["message"]) == ("x-x25-mode", True)


def test_cache_control_is_honoured(chat):
    x25 = {"cache": "exact"}
    chat(x25=x25)
    for header, hit in (
        ("no-store", "false"),
        ("no-cache", "false"),
        ("max-age=60", "true"),
        ("max-age=0", "false"),
    ):
        assert chat({"cache-control": header}, x25=x25).headers["x-x25-cache-hit"] == hit, header
    assert chat({"cache-control": "only-if-cached"}, status=422).json()["error"]["field"] == "cache-control"


def test_every_door_gives_kept_answers(chat, http, org):
    words = {
        "input": "What is the capital of France?",
        "model": "sim/small-2",
        "x25": {"org": org, "cache": "exact"},
    }
    assert [http.post("/v1/responses", json=words).headers["x-x25-cache-hit"] for _ in range(2)] == [
        "false",
        "true",
    ]
    body = {"prompt": "What is the capital of Peru?", "org": org, "cache": "exact"}
    replies = [http.post("/route", json=body) for _ in range(2)]
    assert [one.headers["x-x25-cache-hit"] for one in replies] == ["false", "true"]
    assert replies[1].json()["text"] == replies[0].json()["text"]
    stats = http.get(f"/stats/{org}").json()
    assert stats["cache_hits"] == 2
    assert stats["cache_saved_usd"] > 0


async def test_what_is_said_of_a_hit_is_said_of_the_call_that_bought_it_and_a_wrong_answer_goes(open_gateway):
    cascade = await open_gateway(judge="none")
    asked = {"prompt": "What is the capital of France?", "cache": "exact"}
    first = await cascade.route(asked)
    hit = await cascade.route(asked)
    await cascade.services.store.transact(
        lambda connection: connection.exec_driver_sql("UPDATE orgs SET call_count = 10000")
    )
    await take(cascade, "default", hit["call_id"], Feedback(outcome="good"))
    assert (await cascade.route(asked))["cached"]["hit"]
    taken = await take(cascade, "default", hit["call_id"], Feedback(outcome="bad"))
    assert taken.labelled.model_id == first["model_used"]
    assert not (await cascade.route(asked))["cached"]["hit"]


def test_an_answer_that_was_cut_off_is_not_kept_and_that_is_said(chat):
    x25 = {"cache": "exact"}
    told = chat(x25=x25, max_tokens=1).json()["x25"]["cached"]
    assert not told["kept"]
    assert "ended early" in told["reason"]
    assert chat(x25=x25, max_tokens=1).headers["x-x25-cache-hit"] == "false"


def test_a_wish_that_is_none_is_refused_by_name(chat):
    assert chat(status=422, x25={"cache": "maybe"}).json()["error"]["field"] == "cache"
    assert chat(status=422, x25={"cache": "near"}).json()["error"]["field"] == "cache"
