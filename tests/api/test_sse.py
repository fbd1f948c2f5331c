import asyncio
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from x25.api import sse
from x25.api.receipts import receipt
from x25.api.sse import KEEP_ALIVE, streamed
from x25.api.surfaces.chats import ChatStream, completion_of
from x25.state.errors import CallFailed, InvalidRequest

HELLO = {"model": "auto", "messages": [{"role": "user", "content": "What is 17 * 23?"}], "stream": True}
REPLY = {
    "call_id": "c1", "conversation_id": "t1", "model_used": "v/m", "tier": "mid", "text": "391",
    "finish_reason": "stop", "usage": {}, "service_tier": None, "logprobs": None,
    "message": {"role": "assistant", "content": "391"}, "explain": {}, "org": "lab",
    "cost_usd": 3e-6, "judge_cost_usd": 0.0, "cost_saved_usd": 4e-5, "provider": "v", "audit_hash": "a" * 64,
    "cascade_steps": 1, "fallbacks": 0, "quality_source": "estimate",
}  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(sse, "HEAD_AFTER_S", 0.02)
    monkeypatch.setattr(sse, "ALIVE_EVERY_S", 0.02)


async def pieces(response):
    told = b"".join([piece async for piece in response.body_iterator])
    return [piece + b"\n\n" for piece in told.split(b"\n\n")[:-1]]


async def later(result, delay_s=0.15):
    await asyncio.sleep(delay_s)
    if isinstance(result, Exception):
        raise result
    return result


async def test_comments_come_while_the_cascade_works_and_then_the_answer(quick):
    response = await streamed(asyncio.create_task(later(REPLY, 0.5)), ChatStream(wants_usage=False))
    assert response.headers["x-accel-buffering"] == "no"
    found = await pieces(response)
    comments = [piece for piece in found if piece == KEEP_ALIVE]
    assert found[: len(comments)] == comments
    assert len(comments) >= 3
    first, last, done = found[len(comments) :]
    assert json.loads(first[6:])["choices"][0]["delta"]["content"] == "391"
    assert json.loads(last[6:])["x25"]["org"] == "lab"
    assert done == b"data: [DONE]\n\n"


async def test_the_logprobs_are_with_the_piece_that_has_the_words_and_what_went_wrong_in_the_receipt():
    said = {
        "content": [{"token": "391", "logprob": -0.5, "bytes": None, "top_logprobs": []}],
        "refusal": None,
    }
    reply = {**REPLY, "logprobs": said, "explain": {"degraded": {"encoder": "timeout"}}}
    first, last, _ = await pieces(
        await streamed(asyncio.create_task(later(reply, 0.0)), ChatStream(wants_usage=False))
    )
    (piece,), (end,) = json.loads(first[6:])["choices"], json.loads(last[6:])["choices"]
    assert (piece["delta"]["content"], piece["logprobs"], end["logprobs"]) == ("391", said, None)
    assert json.loads(last[6:])["x25"] == receipt(reply)
    assert receipt(reply)["degraded"] == {"encoder": "timeout"}
    assert receipt(REPLY)["degraded"] == {}  # a run that was asked not to explain
    whole = {"index": 0, "message": REPLY["message"], "logprobs": said, "finish_reason": "stop"}
    assert completion_of(reply)["choices"] == [whole]


async def test_what_fails_before_the_head_keeps_its_status_and_later_it_is_an_event(quick):
    refused = asyncio.create_task(later(InvalidRequest("no", field="hint"), delay_s=0.0))
    with pytest.raises(InvalidRequest):
        await streamed(refused, ChatStream(wants_usage=False))
    failed = CallFailed("no model answered", attempts=[{"error": "server"}], call_id="c1")
    *comments, error = await pieces(
        await streamed(asyncio.create_task(later(failed)), ChatStream(wants_usage=False))
    )
    assert set(comments) == {KEEP_ALIVE}
    told = json.loads(error[6:])["error"]
    assert (told["code"], told["type"], told["call_id"]) == ("call_failed", "upstream_error", "c1")
    assert "no model answered" in told["message"]


async def test_an_error_of_our_own_is_told_by_its_class_and_logged_whole(quick, caplog):
    response = await streamed(
        asyncio.create_task(later(KeyError("marmalade"))), ChatStream(wants_usage=False)
    )
    *_, error = await pieces(response)
    assert json.loads(error[6:])["error"]["code"] == "internal_error"
    assert b"marmalade" not in error
    assert "KeyError" in caplog.text


@pytest.fixture
def held(simulator):
    """An upstream before the simulator that answers each request when it is told to, with a status of choice."""

    class Held:
        status = 200
        asked = 0
        let_through = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            Held.asked += 1
            Held.let_through.wait(60)
            reply = httpx.post(f"{simulator.url}/chat/completions", content=raw, headers=dict(self.headers))
            content = reply.content if Held.status == 200 else b"{}"
            self.send_response(Held.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    Held.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield Held
    server.shutdown()


@pytest.fixture
def slow_gateway(start_gateway, held):
    return start_gateway(X25_SIMULATOR_URL=held.url, X25_JUDGE="none")


@pytest.mark.slow
def test_a_streaming_client_gets_its_head_and_comments_while_the_model_thinks(slow_gateway, held):
    began_s = monotonic()
    with httpx.stream("POST", f"{slow_gateway.url}/v1/chat/completions", json=HELLO, timeout=30) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        lines = answer.iter_lines()
        assert next(lines) == ": keep-alive"
        assert monotonic() - began_s < 4.0
        while ": keep-alive" not in next(lines):
            pass
        held.let_through.set()
        rest = [line for line in lines if line]
    assert rest[-1] == "data: [DONE]"


@pytest.mark.slow
def test_the_official_client_reads_an_answer_and_an_error_after_comments(slow_gateway, held):
    with openai.OpenAI(base_url=f"{slow_gateway.url}/v1", api_key="none", max_retries=0) as client:
        for status in (200, 500):
            held.status = status
            held.let_through.clear()
            threading.Timer(2.0, held.let_through.set).start()
            stream = client.chat.completions.create(**HELLO)
            if status == 200:
                assert [chunk for chunk in stream if chunk.choices[0].delta.content]
            else:
                with pytest.raises(openai.APIError, match="no model answered"):
                    list(stream)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/v1/chat/completions stream", "/v1/chat/completions", "/route"])
def test_a_client_that_leaves_in_the_middle_leaves_a_logged_call(slow_gateway, held, path):
    path, _, stream = path.partition(" ")
    body = {"prompt": "hi"} if path == "/route" else {**HELLO, "stream": bool(stream)}
    parts = urlsplit(slow_gateway.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
    while not held.asked:
        sleep(0.02)
    if stream:
        assert connection.getresponse().read1(1) == b":"
    connection.sock.close()
    sleep(0.5)
    held.let_through.set()
    for _ in range(100):
        stats = httpx.get(f"{slow_gateway.url}/stats/default").json()
        if stats["total_calls"]:
            break
        sleep(0.1)
    assert stats["total_calls"] == 1
    assert stats["total_cost_usd"] > 0
    assert httpx.get(f"{slow_gateway.url}/verify").json()["intact"]
