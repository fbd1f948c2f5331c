import asyncio
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from x25.api.bodies import DRAINED, MAX_MARKS, BoundedBodies
from x25.graph.settings import Settings

LIMIT = 10_000_000


def body_of(size: int) -> bytes:
    frame = b'{"prompt": ""}'
    return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]


def in_pieces(body: bytes):
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/route", "/v1/chat/completions", "/nowhere"])
def test_a_body_beyond_the_default_limit_is_refused_whoever_sends_it(
    strict_gateway, path: str, chunked: bool
) -> None:
    body = body_of(LIMIT + 1)
    headers = {"content-type": "application/json"}
    content = in_pieces(body) if chunked else body
    answer = httpx.post(f"{strict_gateway.url}{path}", content=content, headers=headers, timeout=30)
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert (error["code"], error["type"], error["param"]) == (
        "request_too_large", "invalid_request_error", "body",
    )  # fmt: skip


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_exactly_the_limit_is_read(open_app, chunked: bool) -> None:
    async def pieces():
        for piece in in_pieces(body):
            yield piece

    async with open_app(max_body_bytes=1_000) as client:
        for size, status in ((1_000, 200), (1_001, 413)):
            body = body_of(size)
            content = pieces() if chunked else body
            answer = await client.post(
                "/route", content=content, headers={"content-type": "application/json"}
            )
            assert answer.status_code == status, answer.text


@pytest.mark.slow
def test_thirty_megabytes_of_brackets_stall_nobody(gateway) -> None:
    slowest = 0.0
    body = b'{"messages": [' + b"[]," * 10_000_000 + b"[]]}"
    with httpx.Client(timeout=60) as client:
        answer = client.post(
            f"{gateway.url}/route", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 413
        for _ in range(5):
            began = time.perf_counter()
            client.get(f"{gateway.url}/healthz").raise_for_status()
            slowest = max(slowest, time.perf_counter() - began)
    assert slowest < 2


def test_many_small_values_within_the_limit_of_bytes_are_refused_before_they_are_parsed(
    http: httpx.Client,
) -> None:
    body = b'{"prompt": "x", "policy": [' + b"1," * MAX_MARKS + b"1]}"
    answer = http.post("/route", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["field"]) == (413, "body")


@pytest.mark.slow
def test_a_body_that_stops_half_way_is_given_up(start_gateway) -> None:
    at = urlsplit(start_gateway(X25_BODY_TIMEOUT_S="0.5").url)
    with socket.create_connection((at.hostname, at.port), timeout=10) as connection:
        connection.sendall(
            b"POST /route HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b'Content-Type: application/json\r\n\r\n{"prompt'
        )
        reply = b""
        while piece := connection.recv(65_536):
            reply += piece
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["code"] == "request_timeout"


class App:
    """An application that must not be reached."""

    def __init__(self, settings: Settings) -> None:
        self.state = self
        self.cascade = self
        self.settings = settings
        self.reached = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached = True


async def status_for(messages: list[Message], headers: list[tuple[bytes, bytes]]) -> tuple[int | None, int]:
    """Return the status a body is answered with, and how many messages of it were read."""
    app = App(Settings(max_body_bytes=10))
    sent: list[Message] = []
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": headers, "app": app, "method": "POST", "path": "/"}
    await BoundedBodies(app)(scope, receive, send)
    assert app.reached is (not sent and bool(messages) and messages[-1]["type"] != "http.disconnect")
    return (sent[0]["status"] if sent else None), len(messages) - len(left)


def piece(size: int, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


async def test_a_length_far_beyond_the_limit_is_refused_unread() -> None:
    declared = [(b"content-length", str(10 * DRAINED + 1).encode())]
    assert await status_for([piece(1)], declared) == (413, 0)
    waits = [(b"content-length", b"11"), (b"expect", b"100-continue")]
    assert await status_for([piece(1)], waits) == (413, 0)


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    status, read = await status_for([piece(10)] * 100, [(b"transfer-encoding", b"chunked")])
    assert status == 413
    assert read <= DRAINED + 1


async def test_a_client_that_goes_away_is_not_answered() -> None:
    gone: Message = {"type": "http.disconnect"}
    assert await status_for([piece(1), gone], [(b"content-length", b"5")]) == (None, 2)


async def test_time_counts_for_the_whole_body() -> None:
    app = App(Settings(body_timeout_s=0.05))
    sent: list[Message] = []

    async def drip() -> Message:
        await asyncio.sleep(0.01)
        return piece(1)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(b"transfer-encoding", b"chunked")], "app": app}
    await BoundedBodies(app)(scope, drip, send)
    assert (sent[0]["status"], app.reached) == (408, False)
