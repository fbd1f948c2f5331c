"""Streams at the door, read as clients read them."""

import asyncio
import json
import threading
import time

import httpx
import openai
import pytest

from x25.api import sse
from x25.api.pieces import Pieces
from x25.api.sse import DONE, event, streamed
from x25.api.surfaces.chats import ChatStream
from x25.providers.deltas import Ending, Source

HELLO = {"messages": [{"role": "user", "content": "What is 17 * 23?"}], "stream": True}


def chunks_of(text):
    """Return what a client finds, split at what line splitters take for an end."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(one) if one != "[DONE]" else one for one in data]


def words_of(chunks):
    return [one["choices"][0]["delta"]["content"] for one in chunks if one != "[DONE]" and one.get("choices")
            and one["choices"][0]["delta"].get("content")]  # fmt: skip


async def post(client, **more):
    answer = await client.post("/v1/chat/completions", json={"model": "auto", **HELLO, **more})
    return answer, chunks_of(answer.text)


async def test_a_model_asked_for_directly_is_passed_on_word_by_word_with_one_receipt(open_app):
    async with open_app() as client:
        answer, chunks = await post(client, model="sim/small-2", stream_options={"include_usage": True})
        *said, last, usage, done = chunks
        words = words_of(said)
        assert len(words) > 3
        assert said[0]["choices"][0]["delta"]["role"] == "assistant"
        assert {one["id"] for one in [*said, last, usage]} == {f"chatcmpl-{answer.headers['x-x25-call-id']}"}
        assert (answer.headers["x-x25-model"], answer.headers["x-x25-tier"]) == ("sim/small-2", "slm")
        assert last["choices"][0]["finish_reason"] == "stop"
        assert all(one["choices"][0]["finish_reason"] is None for one in said)
        assert last["x25"]["audit_hash"]
        assert last["x25"]["cost_usd"] > 0
        assert (usage["choices"], usage["usage"]["completion_tokens"] > 0, done) == ([], True, "[DONE]")


@pytest.mark.parametrize(
    ("more", "is_straight"),
    [
        ({}, False),
        ({"x25": {"stream_mode": "auto"}}, False),
        ({"x25": {"stream_mode": "direct"}}, True),
        ({"model": "sim/small-2", "x25": {"stream_mode": "judged"}}, False),
        ({"model": "xrouter-classic"}, True),
        ({"model": "single-model"}, True),
        ({"x25": {"policy": {"max_tier": "slm", "allowed_providers": ["sim-a"]}}}, True),
    ],
)
async def test_what_cannot_be_replaced_goes_straight_through(open_app, more, is_straight):
    async with open_app() as client:
        _, chunks = await post(client, **more)
        assert (len(words_of(chunks)) > 1) is is_straight
        assert chunks[-1] == "[DONE]"


async def test_the_mode_is_honoured_or_refused_by_name(open_app):
    async with open_app() as client:
        for body, field in (
            ({**HELLO, "stream": False, "x25": {"stream_mode": "direct"}}, "x25.stream_mode"),
            ({**HELLO, "x25": {"stream_mode": "fast"}}, "x25.stream_mode"),
            ({**HELLO, "x25": {"stream_modes": "direct"}}, "x25.stream_modes"),
        ):
            answer = await client.post("/v1/chat/completions", json=body)
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
        answer = await client.post("/route", json={"prompt": "hi", "stream_mode": "direct"})
        assert answer.status_code == 422


async def test_a_receipt_says_pending_while_the_judge_is_at_work_and_the_log_has_the_verdict(open_app, fault):
    fault("latency;ms=900", "sim/judge-*")
    asked = {"stream_mode": "direct", "policy": {"judged_share": 1.0}, "org": "later", "call_id": "j1"}
    async with open_app() as client:
        began = time.perf_counter()
        _, chunks = await post(client, x25=asked)
        assert time.perf_counter() - began < 0.8
        told = chunks[-2]["x25"]
        assert (told["quality_source"], told["audit_hash"], told["judge_cost_usd"]) == ("pending", None, None)
        assert (told["call_id"], told["cost_usd"] > 0) == ("j1", True)
        for _ in range(50):
            stats = (await client.get("/stats/later")).json()
            if stats["total_calls"]:
                break
            await asyncio.sleep(0.1)
        assert stats["total_calls"] == 1
        assert stats["total_judge_cost_usd"] > 0


async def test_an_answer_that_nobody_judges_is_logged_before_its_stream_ends(open_app):
    async with open_app(judge="none") as client:
        for number in range(20):  # a busy machine may take longer than the stream waits
            _, chunks = await post(client, x25={"stream_mode": "direct", "call_id": f"j{number}"})
            if told := chunks[-2]["x25"]["audit_hash"]:
                break
        assert told


async def test_what_breaks_off_ends_with_an_error_and_without_done(open_app, fault):
    fault("error_frame;after=4")
    async with open_app() as client:
        answer, chunks = await post(client, model="sim/small-2")
        assert answer.status_code == 200
        assert words_of(chunks)
        error = chunks[-1]["error"]
        assert (error["code"], error["type"]) == ("stream_broken", "upstream_error")
        assert error["message"] == "the answer broke off (sim/small-2: server)"
        assert error["attempts"][0]["cost_source"] == "estimated"
        assert "[DONE]" not in answer.text
        fault("500")
        answer, _ = await post(client, model="sim/small-2")
        assert answer.status_code == 502


async def test_calls_of_tools_come_in_fragments_that_clients_put_together(open_app):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "get_weather", "description": "w", "parameters": schema}}
    asked = {"tools": [tool], "tool_choice": "required", "model": "sim/small-2"}
    async with open_app() as client:
        _, chunks = await post(client, **asked)
        deltas = [one["choices"][0]["delta"] for one in chunks[:-1]]
        parts = [delta["tool_calls"][0] for delta in deltas if delta.get("tool_calls")]
        assert len(parts) > 1
        assert (parts[0]["index"], parts[0]["type"], parts[0]["function"]["name"]) == (
            0,
            "function",
            "get_weather",
        )
        assert json.loads("".join(part["function"]["arguments"] for part in parts))["city"]
        assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


async def test_probabilities_of_tokens_come_with_a_stream_that_asks_for_them(open_app):
    async with open_app() as client:
        _, chunks = await post(client, model="sim/large-5", logprobs=True, top_logprobs=1)
        assert chunks[-1] == "[DONE]"
        likely = [one["choices"][0]["logprobs"] for one in chunks[:-1] if one["choices"][0]["logprobs"]]
        tokens = [token["token"] for one in likely for token in one["content"]]
        assert "".join(tokens) == "".join(words_of(chunks))


async def test_an_event_is_one_line_to_whoever_splits_lines():
    text = "a\u2028b\u2029c\x85d\re\nf\x0bg\x1ch é 🌍"
    sent = event({"text": text}).decode()
    assert len(sent.strip().splitlines()) == 1
    assert json.loads(sent[6:]) == {"text": text}


async def test_comments_come_between_slow_words_and_a_receipt_that_cannot_be_made_is_pending(
    monkeypatch, caplog
):
    monkeypatch.setattr(sse, "ALIVE_EVERY_S", 0.02)
    pieces = Pieces()

    async def call():
        pieces.begin(Source("c", "m", "p", "slm"))
        await pieces.take({"content": "a"})
        await asyncio.sleep(0.1)
        pieces.end(Ending("stop", {"prompt_tokens": 1}, 5))
        raise KeyError("store")

    response = await streamed(asyncio.create_task(call()), ChatStream(wants_usage=False), pieces)
    told = b"".join([piece async for piece in response.body_iterator])
    found = [piece + b"\n\n" for piece in told.split(b"\n\n")[:-1]]
    assert json.loads(found[0][6:])["choices"][0]["delta"] == {"role": "assistant", "content": "a"}
    assert found.count(sse.KEEP_ALIVE) >= 2
    assert found[-1] == DONE
    assert json.loads(found[-2][6:])["x25"]["quality_source"] == "pending"
    assert "could not be closed" in caplog.text


@pytest.mark.slow
def test_the_official_client_reads_words_as_they_come_and_raises_what_broke(rows, fault):
    with openai.OpenAI(base_url=f"{rows.url}/v1", api_key="none", max_retries=0) as client:
        fault("slow_tokens;ms=60")
        began, at = time.monotonic(), []
        for chunk in client.chat.completions.create(model="sim/small-2", **HELLO):
            assert chunk.choices  # many clients look at the first without asking
            at.append(time.monotonic() - began)
        assert at[0] < 0.5 * at[-1]
        fault("cut_stream;after=4")
        stream = client.chat.completions.create(model="sim/small-2", **HELLO)
        assert next(stream).choices[0].delta.content
        with pytest.raises(openai.APIError, match="broke off"):
            list(stream)


@pytest.mark.slow
def test_clients_that_hang_up_leave_no_attempt_open(rows, fault):
    fault("slow_tokens;ms=200")

    def hang_up():
        body = {"model": "sim/small-2", **HELLO}
        with httpx.stream("POST", f"{rows.url}/v1/chat/completions", json=body, timeout=20) as answer:
            next(answer.iter_lines())

    threads = [threading.Thread(target=hang_up) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(50):
        if rows("SELECT count(*) FROM calls WHERE status = 'cancelled'") == [(20,)]:
            break
        time.sleep(0.1)
    assert rows("SELECT status, count(*) FROM calls GROUP BY status") == [("cancelled", 20)]
    assert rows("SELECT status, cost_source, count(*) FROM attempts GROUP BY 1, 2") == [
        ("failed", "estimated", 20)
    ]
    assert rows("SELECT count(*) FROM open_calls") == [(0,)]
    assert httpx.get(f"{rows.url}/verify").json()["intact"]
