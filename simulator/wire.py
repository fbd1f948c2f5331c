"""How answers and faults reach the socket: JSON, server-sent events, error bodies, cut connections."""

import json
import re
from asyncio import sleep, timeout
from collections.abc import Iterator
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .faults import STATUS_TO_ERROR, Fault

JSONObject = dict[str, Any]

_TRANSPORT = "x25.transport"
_SIMULATED = (b"x-simulated", b"true")


class SimulatorProtocol(HttpToolsProtocol):
    """Puts the connection into the ASGI scope, because ASGI itself cannot close one without an answer."""

    def on_message_begin(self) -> None:
        """Begin a request whose scope also names its transport."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[_TRANSPORT] = self.transport


class Exchange:
    """One HTTP request and the ways to answer it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: bytes) -> str:
        """Return a request header, "" when it is absent."""
        return self.headers.get(name, b"").decode("latin-1")

    async def read(self) -> bytes:
        """Return the whole request body."""
        body, more = b"", True
        while more:
            message = await self._receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body

    async def send_json(self, content: JSONObject, *, status: int = 200, retry_after_s: float = -1) -> None:
        """Send a JSON document; a negative `retry_after_s` sends no Retry-After header."""
        body = dump(content)
        extra = [(b"retry-after", b"%d" % retry_after_s)] if retry_after_s >= 0 else []
        await self._start(status, b"application/json", [(b"content-length", b"%d" % len(body)), *extra])
        await self._send({"type": "http.response.body", "body": body})

    async def send_error(self, fault: Fault) -> None:
        """Send the error body of a status fault."""
        kind, code, message = STATUS_TO_ERROR[fault.kind]
        retry_after_s = fault.parameters.get("retry_after", -1)
        content = error_body(message, kind=kind, code=code)
        await self.send_json(content, status=int(fault.kind), retry_after_s=retry_after_s)

    async def send_completion(self, completion: JSONObject, body: JSONObject, fault: Fault | None) -> None:
        """Send a completion the way the caller asked for it, bent by a fault that spares the status line."""
        kind = fault.kind if fault is not None else ""
        if kind == "missing_usage":
            completion = {key: value for key, value in completion.items() if key != "usage"}
        parts, content_type = _render(completion, body)
        if kind == "malformed":
            parts = [parts[0][: len(parts[0]) // 2]]
        length = [(b"content-length", b"%d" % len(parts[0]))] if len(parts) == 1 else []
        await self._start(200, content_type, length)
        if fault is not None and kind == "slow_first_token":
            await sleep(fault["seconds"])
        if fault is not None and kind == "cut_stream":
            await self._send_cut(parts, int(fault["after"]))
            return
        for part in parts[:-1]:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self._send({"type": "http.response.body", "body": parts[-1]})

    async def hang(self, seconds: float) -> None:
        """Send nothing until the caller leaves or the seconds are over, then close the connection."""
        try:
            async with timeout(seconds):
                await self._left()
        except TimeoutError:
            await self.close()

    async def close(self) -> None:
        """Close the connection without another byte, so the caller sees it break.

        Raises
        ------
        ConnectionResetError
            Under a server that does not run `SimulatorProtocol`.
        """
        if _TRANSPORT not in self._scope:
            raise ConnectionResetError("the simulated connection broke")
        self._scope[_TRANSPORT].close()
        await self._left()

    async def _send_cut(self, parts: list[bytes], after: int) -> None:
        kept = parts[:after] if len(parts) > 1 else [parts[0][: len(parts[0]) // 2]]
        for part in kept:
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
        await self.close()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, content_type: bytes, extra: list[tuple[bytes, bytes]]) -> None:
        headers = [(b"content-type", content_type), _SIMULATED, *extra]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


def dump(content: JSONObject) -> bytes:
    """Return compact UTF-8 JSON."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def error_body(message: str, *, kind: str, code: str) -> JSONObject:
    """Return an OpenAI error body that is labelled as simulated."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}, "x25_simulated": True}


def _render(completion: JSONObject, body: JSONObject) -> tuple[list[bytes], bytes]:
    if not body.get("stream"):
        return [dump(completion)], b"application/json"
    usage_wanted = bool((body.get("stream_options") or {}).get("include_usage"))
    events = [b"data: " + dump(chunk) + b"\n\n" for chunk in _chunks(completion, usage_wanted)]
    return [*events, b"data: [DONE]\n\n"], b"text/event-stream"


def _chunks(completion: JSONObject, usage_wanted: bool) -> Iterator[JSONObject]:
    shared = {key: completion[key] for key in ("id", "created", "model", "x25_simulated")}
    shared["object"] = "chat.completion.chunk"
    choice = completion["choices"][0]
    logprobs = choice.get("logprobs")
    for delta in _deltas(choice["message"]):
        piece = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        yield {**shared, "choices": [piece]}
        logprobs = None  # said once, with the first piece: tokens end elsewhere than pieces
    last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": choice["finish_reason"]}
    yield {**shared, "choices": [last]}
    if usage_wanted and "usage" in completion:
        yield {**shared, "choices": [], "usage": completion["usage"]}


def _deltas(message: JSONObject) -> Iterator[JSONObject]:
    yield {"role": "assistant", "content": ""}
    for word in re.findall(r"\s*\S+\s*", message["content"] or ""):
        yield {"content": word}
    for index, call in enumerate(message.get("tool_calls", [])):
        yield {"tool_calls": [{"index": index, **call}]}
