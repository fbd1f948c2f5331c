"""How answers and faults reach the socket: JSON, server-sent events, error bodies, cut connections."""

import json
import re
import socket
import struct
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

    async def send_completion(
        self, completion: JSONObject, body: JSONObject, fault: Fault | None, pace_s: float = 0.0
    ) -> None:
        """Send a completion the way the caller asked for it, bent by a fault that spares the status line.

        Parameters
        ----------
        pace_s
            Seconds that the events of a stream take together.
        """
        kind = fault.kind if fault is not None else ""
        if kind == "missing_usage":
            completion = {key: value for key, value in completion.items() if key != "usage"}
        if kind == "absurd_usage":
            completion = {**completion, "usage": _ABSURD_USAGE}
        parts, content_type = _render(completion, body)
        if kind == "malformed":
            parts = [parts[0][: len(parts[0]) // 2]]
        if kind == "wrong_type":
            parts = [_WRONG_TYPE if len(parts) == 1 else b"data: " + _WRONG_TYPE + b"\n\n"]
        if fault is not None and kind in ("gzip_garbage", "huge", "drip"):
            await self._send_unreadable(fault, b"".join(parts), content_type)
            return
        length = [(b"content-length", b"%d" % len(parts[0]))] if len(parts) == 1 else []
        await self._start(200, content_type, length)
        if fault is not None and kind == "slow_first_token":
            await sleep(fault["seconds"])
        if fault is not None and kind == "cut_stream":
            await self._send_cut(parts, int(fault["after"]))
            return
        if len(parts) > 1:
            await self._send_events(parts, fault, pace_s / len(parts))
            return
        await self._send({"type": "http.response.body", "body": parts[0]})

    async def _send_events(self, parts: list[bytes], fault: Fault | None, pause_s: float) -> None:
        """Send a stream event by event; a caller that leaves ends it."""
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "slow_tokens":
            pause_s = fault["ms"] / 1e3
        if fault is not None and kind == "ragged":
            whole, size = b"".join(parts), max(1, int(fault["bytes"]))
            parts = [whole[place : place + size] for place in range(0, len(whole), size)]
        for place, part in enumerate(parts):
            if fault is not None and kind in _FRAMES and place == fault["after"]:
                await self._send({"type": "http.response.body", "body": _FRAMES[kind], "more_body": True})
            if fault is not None and kind == "stall" and place == fault["after"]:
                await self.hang(fault["seconds"])
                return
            if pause_s and place and await self._has_left_within(pause_s):
                return
            await self._send(
                {"type": "http.response.body", "body": part, "more_body": place < len(parts) - 1}
            )

    async def _send_unreadable(self, fault: Fault, whole: bytes, content_type: bytes) -> None:
        """Send what is not compressed as it says, or too long, or comes too slowly; a caller that leaves ends it."""
        garbage = fault.kind == "gzip_garbage"
        await self._start(200, content_type, [(b"content-encoding", b"gzip")] if garbage else [])
        if garbage:
            await self._send({"type": "http.response.body", "body": b"\x1f\x8b" + whole[:400]})
            return
        if fault.kind == "huge":
            begin = (
                b'data: {"choices":[{"delta":{"content":"'
                if b"event-stream" in content_type
                else b'{"choices":"'
            )
            await self._send({"type": "http.response.body", "body": begin, "more_body": True})
            for _ in range(int(fault["megabytes"])):
                if await self._has_left_within(0.001):
                    return
                await self._send({"type": "http.response.body", "body": b"a" * 2**20, "more_body": True})
        for place in range(len(whole) if fault.kind == "drip" else 0):
            await self._send(
                {"type": "http.response.body", "body": whole[place : place + 1], "more_body": True}
            )
            if await self._has_left_within(fault["ms"] / 1e3):
                return
        await self._send({"type": "http.response.body", "body": b""})

    async def send_redirect(self) -> None:
        """Send the caller elsewhere: nobody who holds a key should go."""
        await self._start(
            302, b"text/plain", [(b"location", b"http://127.0.0.1:9/v1"), (b"content-length", b"0")]
        )
        await self._send({"type": "http.response.body", "body": b""})

    async def _has_left_within(self, seconds: float) -> bool:
        try:
            async with timeout(seconds):
                await self._left()
        except TimeoutError:
            return False
        return True

    async def hang(self, seconds: float) -> None:
        """Send nothing until the caller leaves or the seconds are over, then close the connection."""
        try:
            async with timeout(seconds):
                await self._left()
        except TimeoutError:
            await self.close()

    async def close(self, *, with_reset: bool = False) -> None:
        """Close the connection without another byte, so the caller sees it break, or with a reset.

        Raises
        ------
        ConnectionResetError
            Under a server that does not run `SimulatorProtocol`.
        """
        if _TRANSPORT not in self._scope:
            raise ConnectionResetError("the simulated connection broke")
        transport = self._scope[_TRANSPORT]
        if with_reset:
            linger = struct.pack("ii", 1, 0)  # on, for no time: what the other side gets is a reset
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.close()
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


_ABSURD_USAGE = {"prompt_tokens": -5, "completion_tokens": 10**18, "total_tokens": 3, "cost": 1e9}
_WRONG_TYPE = b'{"choices":{"0":{"message":"Paris"}},"usage":["many"]}'
_FRAMES = {
    "garbage_frame": b'data: {"choices": [{"delta"\n\n',
    "error_frame": b'data: {"error": {"message": "Simulated: the model failed.", "code": 500}}\n\n',
}
"""What comes in the middle of a stream, by fault."""


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
        function = call["function"]
        yield {
            "tool_calls": [{"index": index, **call, "function": {"name": function["name"], "arguments": ""}}]
        }
        for part in re.findall(r"(?s).{1,8}", function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
