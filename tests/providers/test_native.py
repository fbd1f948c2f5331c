# ruff: noqa: E501 - what vendors send is easier to read in one line
"""The native dialects on the wire, against stubs of what each vendor documents."""

import json
import struct
import threading
from binascii import crc32
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from x25.providers.base import ProviderRequest
from x25.providers.deltas import Sending, Source
from x25.providers.native import native_providers
from x25.providers.specs import Deployment
from x25.state.errors import ConfigError, ProviderRateLimit, ProviderServer, Unsupported
from x25.state.usage import Usage

TOOL = {"type": "function", "function": {"name": "weather", "description": "Weather of a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}  # fmt: skip
BODY = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Capital of France?"},
    ],
    "max_tokens": 50,
    "temperature": 0.2,
}


def sse(*events, named=True):
    lines = []
    for event in events:
        head = f"event: {event['type']}\n" if named and isinstance(event, dict) and "type" in event else ""
        lines.append(f"{head}data: {event if isinstance(event, str) else json.dumps(event)}\n\n")
    return "".join(lines).encode()


def frame(kind, content):
    """Return one message of AWS's event stream: prelude, headers, payload, checksums."""
    payload = json.dumps(content).encode()
    headers = b""
    for name, value in (
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ):
        headers += (
            struct.pack("!B", len(name))
            + name.encode()
            + b"\x07"
            + struct.pack("!H", len(value))
            + value.encode()
        )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    prelude += struct.pack("!I", crc32(prelude))
    message = prelude + headers + payload
    return message + struct.pack("!I", crc32(message))


ANTHROPIC_TEXT = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn",
    "stop_sequence": None, "content": [{"type": "text", "text": "Paris"}],
    "usage": {"input_tokens": 12, "output_tokens": 3, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 0},
}  # fmt: skip
ANTHROPIC_STREAM = sse(
    {"type": "message_start", "message": {**ANTHROPIC_TEXT, "content": [], "stop_reason": None,
                                          "usage": {"input_tokens": 12, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Pa"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "ris"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"input_tokens": 12, "output_tokens": 3}},
    {"type": "message_stop"},
)  # fmt: skip
ANTHROPIC_TOOL = {**ANTHROPIC_TEXT, "stop_reason": "tool_use",
                  "content": [{"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}]}  # fmt: skip


def gemini(text, **more):
    part = (
        {"text": text}
        if text is not None
        else {"functionCall": {"name": "weather", "args": {"city": "Paris"}}}
    )
    return {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0, **more}],
            "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 3, "totalTokenCount": 15},
            "modelVersion": "gemini-x"}  # fmt: skip


def converse(content, stop="end_turn"):
    return {"output": {"message": {"role": "assistant", "content": [content]}}, "stopReason": stop,
            "usage": {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}, "metrics": {"latencyMs": 10}}  # fmt: skip


BEDROCK_STREAM = b"".join([
    frame("messageStart", {"role": "assistant"}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Pa"}}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "ris"}}),
    frame("contentBlockStop", {"contentBlockIndex": 0}),
    frame("messageStop", {"stopReason": "end_turn"}),
    frame("metadata", {"usage": {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}, "metrics": {"latencyMs": 9}}),
])  # fmt: skip


def openai(message, reason="stop"):
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-x",
            "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}  # fmt: skip


def chunk(delta, reason=None, usage=None):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x", "usage": usage,
            "choices": [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}]}  # fmt: skip


AZURE_STREAM = sse(
    chunk({"role": "assistant", "content": "Pa"}), chunk({"content": "ris"}), chunk({}, "stop"),
    chunk({}, usage={"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}), "[DONE]", named=False,
)  # fmt: skip
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}

DIALECTS = {
    # dialect: model, path asked, header of the key, text, stream (body, content type), tool call, busy
    "anthropic": ("claude-x", "/v1/messages", ("authorization", "Bearer k1"), ANTHROPIC_TEXT, (ANTHROPIC_STREAM, "text/event-stream"),
                  ANTHROPIC_TOOL, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}),
    "gemini": ("gemini-x", "/v1/models/gemini-x:generateContent", ("x-goog-api-key", "k1"),
               gemini("Paris", finishReason="STOP"),
               (sse(gemini("Pa"), gemini("ris", finishReason="STOP"), named=False), "text/event-stream"),
               gemini(None, finishReason="STOP"),
               {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}),
    "bedrock": ("anthropic.claude-x-v1:0", "/model/anthropic.claude-x-v1%3A0/converse", ("authorization", "Bearer k1"),
                converse({"text": "Paris"}), (BEDROCK_STREAM, "application/vnd.amazon.eventstream"),
                converse({"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Paris"}}}, "tool_use"),
                {"message": "Too many requests", "__type": "ThrottlingException"}),
    "azure": ("gpt-x", "/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21", ("api-key", "k1"),
              openai({"content": "Paris"}), (AZURE_STREAM, "text/event-stream"),
              openai({"content": None, "tool_calls": [CALL]}, "tool_calls"),
              {"error": {"code": "429", "message": "Requests have exceeded the call rate limit"}}),
}  # fmt: skip
PACKAGES = {
    "anthropic": "langchain_anthropic",
    "gemini": "langchain_google_genai",
    "bedrock": "langchain_aws",
}
pytestmark = [
    pytest.mark.slow,  # importing the vendors' libraries takes seconds
    pytest.mark.parametrize("dialect", DIALECTS),
]


class Stub:
    def __init__(self):
        self.answers, self.requests = [], []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                stub.requests.append((self.path, headers, json.loads(body)))
                status, content, kind, more = stub.answers.pop(0)
                sent = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(sent)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_):
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def stub():
    stub = Stub()
    yield stub
    stub.server.shutdown()
    stub.server.server_close()


@pytest.fixture
def asked(dialect, stub, model):
    if dialect in PACKAGES:
        pytest.importorskip(PACKAGES[dialect])
    deployment = Deployment("one", stub.url, DIALECTS[dialect][0], ("K",), dialect=dialect)
    provider = native_providers()[dialect]

    def asked(body):
        return provider, ProviderRequest(model(), deployment, body, "att-0", 20.0, "k1")

    return asked


class Reader:
    has_left = False

    def __init__(self):
        self.deltas = []

    def on_leave(self, tell):
        return

    def begin(self, source):
        return

    async def take(self, delta, logprobs=None):
        self.deltas.append(delta)


async def test_a_text(dialect, asked, stub):
    _, path, (header, value), text, *_ = DIALECTS[dialect]
    stub.answers.append((200, text, "application/json", {}))
    provider, request = asked(BODY)
    completion = await provider.complete(request)
    assert (completion.message["content"], completion.finish_reason) == ("Paris", "stop")
    assert (completion.usage.completion_tokens, completion.usage.prompt_tokens >= 12) == (3, True)
    (found, headers, sent) = stub.requests[0]
    assert found == path
    assert headers[header] == value
    assert "Be brief." in json.dumps(sent)
    assert "50" in json.dumps(sent)


async def test_a_stream(dialect, asked, stub):
    body, kind = DIALECTS[dialect][4]
    stub.answers.append((200, body, kind, {}))
    provider, request = asked(BODY)
    reader = Reader()
    sending = Sending(
        reader, Source("c", "m", "p", "slm"), lambda _: Usage(prompt_tokens=1, completion_tokens=1)
    )
    completion = await provider.stream(request, sending)
    assert "".join(one.get("content", "") for one in reader.deltas) == "Paris"
    assert sending.pieces >= 2
    assert (completion.message["content"], completion.finish_reason) == ("Paris", "stop")
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (12, 3)


async def test_a_stream_that_does_not_count_its_prompt_is_estimated_not_free(dialect, asked, stub):
    if dialect != "anthropic":
        pytest.skip("its library alone counts such a prompt as nothing")
    body, kind = DIALECTS[dialect][4]
    stub.answers.append(
        (
            200,
            body.replace(
                b'"usage": {"input_tokens": 12, "output_tokens": 3}', b'"usage": {"output_tokens": 3}'
            ),
            kind,
            {},
        )
    )
    provider, request = asked(BODY)
    guess = Usage(prompt_tokens=9, completion_tokens=3)
    completion = await provider.stream(
        request, Sending(Reader(), Source("c", "m", "p", "slm"), lambda _: guess)
    )
    assert completion.usage == guess


async def test_a_tool_call(dialect, asked, stub):
    stub.answers.append((200, DIALECTS[dialect][5], "application/json", {}))
    provider, request = asked({**BODY, "tools": [TOOL]})
    completion = await provider.complete(request)
    (call,) = completion.message["tool_calls"]
    assert completion.finish_reason == "tool_calls"
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (
        "weather",
        {"city": "Paris"},
    )
    assert "weather" in json.dumps(stub.requests[0][2])


async def test_a_busy_vendor_is_asked_once_and_its_wait_is_read(dialect, asked, stub):
    stub.answers += [(429, DIALECTS[dialect][6], "application/json", {"Retry-After": "7"})] * 3
    provider, request = asked(BODY)
    with pytest.raises(ProviderRateLimit) as caught:
        await provider.complete(request)
    assert (len(stub.requests), caught.value.status) == (1, 429)
    if dialect != "gemini":  # its library drops the headers of an error
        assert caught.value.retry_after_s == 7.0
    assert "k1" not in str(caught.value)


async def test_a_failing_vendor_is_told_from_a_busy_one(dialect, asked, stub):
    stub.answers += [(500, {"error": {"message": "internal"}}, "application/json", {})] * 3
    provider, request = asked(BODY)
    with pytest.raises(ProviderServer):
        await provider.complete(request)
    assert len(stub.requests) == 1


async def test_what_has_no_word_there_is_refused_by_name(dialect, asked, stub):
    provider, request = asked({**BODY, "logit_bias": {"1": 5}})
    with pytest.raises(Unsupported) as caught:
        await provider.complete(request)
    assert (caught.value.parameter, stub.requests) == ("logit_bias", [])


async def test_without_its_package_the_error_says_what_to_install(dialect, asked, stub, monkeypatch):
    if dialect == "azure":
        pytest.skip("it comes with the gateway")
    provider, request = asked(BODY)
    monkeypatch.setitem(__import__("sys").modules, PACKAGES[dialect], None)
    with pytest.raises(ConfigError, match=rf"x25\[{dialect}\]"):
        await provider.complete(request)
