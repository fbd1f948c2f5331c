"""Caps, budgets and capabilities, by a gateway with its defaults before an upstream that bills what it likes."""

import asyncio
import json
from base64 import b64encode
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import urandom
from threading import Thread
from time import sleep

import httpx
import pytest

pytestmark = pytest.mark.slow

MODEL = """
model_id: {provider}/{name}
provider: {provider}
tier: {tier}
prices: {{input_usd_per_mtok: {paid}, output_usd_per_mtok: {answered}}}
context_tokens: 128000
max_output_tokens: 16384
modalities: [{reads}]
capabilities: [{able}]
expected: {{latency_ms: 50, output_tokens: 200}}
deployments: [{{name: stub, base_url: "{url}/v1", model: {name}}}]
sources: [{{url: stub, date: "2026-01-01", what: all}}]
as_of: "2026-01-01"
"""
POOL = (
    {"provider": "acme", "name": "small", "tier": "slm", "paid": 0.1, "answered": 0.4, "reads": "text", "able": ""},
    {"provider": "bravo", "name": "mid", "tier": "mid", "paid": 0.5, "answered": 2, "reads": "text", "able": ""},
    {"provider": "corp", "name": "big", "tier": "frontier", "paid": 3, "answered": 12,
     "reads": "text, image, file, audio", "able": "tools, json_schema"},
)  # fmt: skip


class Upstream:
    """Bills a token for each byte of a request's JSON, attachments apart, unless `usage` says otherwise."""

    def __init__(self):
        self.usage = None
        self.wait_s = 0.0
        self.bodies = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                upstream.bodies.append(body)
                sleep(upstream.wait_s)
                reply = json.dumps(upstream.reply(body)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def reply(self, body):
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        sent = len(json.dumps([body["messages"], {k: v for k, v in body.items() if k != "messages"}]))
        usage = self.usage or {
            "prompt_tokens": sent,
            "completion_tokens": limit,
            "total_tokens": sent + limit,
        }
        message = {"role": "assistant", "content": "A plain answer."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {
            "id": "x",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [choice],
            "usage": usage,
        }


@pytest.fixture
def upstream():
    started = Upstream()
    yield started
    started.server.shutdown()


@pytest.fixture
async def client(upstream, make_gateway, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    for one in POOL:
        (folder / f"{one['name']}.yaml").write_text(MODEL.format(url=upstream.url, **one))
    settings = {"upstream": "real", "models_dir": str(folder), "judge": "none", "seed": "1"}

    class Nobody:
        url = ""

    async with (
        make_gateway(Nobody, **settings) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=120) as http,
    ):
        yield http


async def chat(http, messages, policy=None, org="default", **options):
    extra = {"org": org} | ({} if policy is None else {"policy": policy})
    return await http.post(
        "/v1/chat/completions", json={"model": "auto", "messages": messages, "x25": extra, **options}
    )


def user(*content):
    return [{"role": "user", "content": content[0] if len(content) == 1 else list(content)}]


HELLO = user("Say hello.")
LONG = "lorem ipsum " * 400
ATTACKS = {
    "reasoning_content": ([*HELLO, {"role": "assistant", "content": "a", "reasoning_content": LONG}, *HELLO], {}),
    "function_call": ([*HELLO, {"role": "assistant", "content": "a", "function_call": {"arguments": LONG}}], {}),
    "tool_calls": ([*HELLO, {"role": "assistant", "content": "a", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": LONG}}]}], {}),
    "name": ([{"role": "user", "name": LONG, "content": "hi"}], {}),
    "documents": (HELLO, {"documents": [{"text": LONG}]}),
    "prediction": (HELLO, {"prediction": {"type": "content", "content": LONG}}),
    "tools": (HELLO, {"tools": [{"type": "function", "function": {"name": "f", "description": LONG}}]}),
    "schema": (HELLO, {"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "schema": {"description": LONG}}}}),
    "unknown option": (HELLO, {"extra_context": LONG}),
    "unknown part": (user({"type": "text", "text": "hi"}, {"type": "hologram", "data": LONG}), {}),
    "file": (user({"type": "text", "text": "hi"}, {"type": "file", "file": {
        "filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 9_000}}), {}),
    "sound": (user({"type": "text", "text": "hi"}, {"type": "input_audio", "input_audio": {
        "data": "A" * 9_000, "format": "wav"}}), {}),
    "thinking budget": (HELLO, {"reasoning": {"max_tokens": 90_000}}),
    "paid by the search": (HELLO, {"web_search_options": {}}),
}  # fmt: skip


async def test_a_cap_is_never_passed_whatever_is_sent(client):
    statuses = {}
    for name, (messages, options) in ATTACKS.items():
        for cap_usd in (0.0005, 0.002, 0.02):
            reply = await chat(client, messages, {"max_cost_per_call_usd": cap_usd}, **options)
            statuses[name, cap_usd] = reply.status_code
            assert reply.status_code in (200, 422), (name, reply.text)
            if reply.status_code == 200:
                assert reply.json()["x25"]["cost_usd"] <= cap_usd, name
            else:
                assert reply.json()["error"]["field"], name
    assert statuses["tools", 0.02] == statuses["name", 0.02] == 200
    assert statuses["unknown part", 0.02] == statuses["sound", 0.02] == 422


async def test_a_days_budget_is_never_passed_whatever_is_sent(client):
    budget_usd = 0.05
    for messages, options in list(ATTACKS.values()) * 2:
        reply = await chat(client, messages, {"budget_usd_per_day": budget_usd}, **options)
        assert reply.status_code in (200, 422), reply.text
    assert 0 < (await client.get("/stats/default")).json()["total_cost_usd"] <= budget_usd


async def test_a_days_budget_counts_calls_that_did_not_carry_one(client):
    for _ in range(5):
        assert (await chat(client, HELLO)).status_code == 200
    spent_usd = (await client.get("/stats/default")).json()["total_cost_usd"]
    refused = await chat(client, HELLO, {"budget_usd_per_day": spent_usd})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "no_eligible_model")
    assert "budget_usd_per_day" in refused.json()["error"]["message"]


async def test_of_forty_calls_at_once_the_losers_are_refused_by_the_budgets_name(client, upstream):
    upstream.wait_s = 0.3
    upstream.usage = {"prompt_tokens": 60, "completion_tokens": 10, "total_tokens": 70}
    for round_ in range(3):
        org, policy = f"org-{round_}", {"budget_usd_per_day": 0.0005}
        replies = await asyncio.gather(*(chat(client, HELLO, policy, org, max_tokens=50) for _ in range(40)))
        counts = Counter(reply.status_code for reply in replies)
        assert counts.keys() == {200, 422}
        refused = [reply.json()["error"]["message"] for reply in replies if reply.status_code == 422]
        assert all("budget_usd_per_day" in message for message in refused)
        assert (await client.get(f"/stats/{org}")).json()["total_cost_usd"] <= 0.0005


async def test_an_absurd_bill_is_disputed_and_exhausts_no_budget(client, upstream):
    policy = {"budget_usd_per_day": 0.1}
    upstream.usage = {"prompt_tokens": 10**9, "completion_tokens": 10**9, "total_tokens": 2 * 10**9}
    first = (await chat(client, HELLO, policy)).json()["x25"]
    upstream.usage = None
    second = await chat(client, HELLO, policy)
    assert second.status_code == 200
    stats = (await client.get("/stats/default")).json()
    assert first["cost_usd"] < 0.02
    assert stats["total_cost_usd"] < 0.04
    assert stats["total_disputed_usd"] > 100
    assert stats["total_saved_usd"] < 1


async def test_thinking_beyond_the_limit_sent_passes_no_cap(client, upstream):
    upstream.usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 5_000}
    reply = (await chat(client, HELLO, {"max_cost_per_call_usd": 0.0001}, max_tokens=50)).json()
    assert reply["x25"]["cost_usd"] <= 0.0001
    assert (await client.get("/stats/default")).json()["total_disputed_usd"] > 0


async def test_requests_reach_only_models_that_can_do_what_they_need(client, upstream):
    photo = {
        "type": "image_url",
        "image_url": {"url": "data:image/jpeg;base64," + b64encode(urandom(1_600_000)).decode()},
    }
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    text = {"type": "text", "text": "What is this?"}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    wanted = [
        (user(text, photo), {}),
        (user(text, sound), {}),
        (HELLO, {"tools": [tool]}),
        (HELLO, {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}}),
    ]
    for messages, options in wanted:
        for _ in range(3):
            reply = await chat(client, messages, **options)
            assert (reply.status_code, reply.json().get("model")) == (200, "corp/big"), reply.text[:300]
    assert {body["model"] for body in upstream.bodies} == {"big"}
    refused = (await chat(client, user(text, photo), {"max_tier": "mid"})).json()["error"]
    assert refused["code"] == "no_eligible_model"
    assert refused["removed"]["acme/small"].startswith("image: asked for by")


async def test_one_limit_on_the_answer_is_sent(client, upstream):
    for limits in (
        {"max_tokens": 50, "max_completion_tokens": None},
        {"max_tokens": 50, "max_completion_tokens": 60},
    ):
        await chat(client, HELLO, **limits)
        sent = {key: value for key, value in upstream.bodies[-1].items() if key.startswith("max_")}
        assert list(sent.values()) == [50]
