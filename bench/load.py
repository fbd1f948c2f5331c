"""A light load generator: keep-alive HTTP/1.1 on raw sockets, requests encoded beforehand."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, cast
from urllib.parse import urlsplit

TIMEOUT_S = 60.0
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_CHUNKED = b"\r\ntransfer-encoding: chunked"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_WORD = re.compile(rb'"content": ?"[^"]')


@dataclass(frozen=True, slots=True)
class Loop:
    """What a closed loop did."""

    answered: int
    errors: int
    seconds: float


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run on uvloop where it is installed, as the servers do; else on asyncio's own loop."""
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415 - not on every platform

        return uvloop.run(work)
    return asyncio.run(work)


def encode(url: str, body: dict[str, Any] | None = None) -> bytes:
    """Return a whole request: POST of the body as JSON, or GET without one."""
    parts = urlsplit(url)
    payload = b"" if body is None else json.dumps(body).encode()
    head = f"{'GET' if body is None else 'POST'} {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
    if body is not None:
        head += f"content-type: application/json\r\ncontent-length: {len(payload)}\r\n"
    return f"{head}\r\n".encode() + payload


def split_response(held: bytes) -> tuple[int, bytes] | None:
    """Return status and body once the response is whole; None before. The body of a chunked one stays as it came."""
    end = held.find(_END)
    if end < 0:
        return None
    head, body = held[:end].lower(), held[end + len(_END) :]
    place = head.find(_LENGTH)
    if place >= 0:
        wanted = int(head[place + len(_LENGTH) :].split(b"\r\n", 1)[0])
        return None if len(body) < wanted else (int(head[9:12]), body[:wanted])
    if _CHUNKED in head and not (body.endswith(_LAST_CHUNK) or body == _LAST_CHUNK[2:]):
        return None
    return int(head[9:12]), body


class Connection(asyncio.Protocol):
    """One client: a request is sent when the answer to the last one is here."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.first_word_s = 0.0
        """When the first word of the answer was here, by the clock of `perf_counter`; 0 until then."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where requests go."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand over the answer once it is whole."""
        self._held = self._held + data if self._held else data
        if self.first_word_s == 0.0 and _WORD.search(self._held):
            self.first_word_s = time.perf_counter()
        if self._answer is not None and not self._answer.done():
            whole = split_response(self._held)
            if whole is not None:
                self._held = b""
                self._answer.set_result(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed before the answer"))

    def ask(self, request: bytes) -> Awaitable[tuple[int, bytes]]:
        """Send a request; what is returned gives status and body.

        Raises
        ------
        ConnectionError
            When the server has closed the connection.
        """
        if self._transport is None:
            raise ConnectionError("the server closed the connection")
        self._answer = asyncio.get_running_loop().create_future()
        self.first_word_s = 0.0
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def connect(url: str) -> Connection:
    """Open a connection to the server of `url`."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(Connection, parts.hostname or "127.0.0.1", parts.port or 80)
    return connection


async def ask_once(url: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    connection = await connect(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await connection.ask(encode(url, body))
    finally:
        connection.close()


async def latencies_ms(url: str, requests: Sequence[bytes]) -> list[float]:
    """Send requests one after the other over one connection; return the milliseconds of each.

    Raises
    ------
    RuntimeError
        When an answer is no success; the message shows its beginning.
    """
    connection = await connect(url)
    found = []
    try:
        for request in requests:
            began = time.perf_counter()
            status, body = await connection.ask(request)
            found.append((time.perf_counter() - began) * 1e3)
            if status != 200:
                raise RuntimeError(f"{url} answered {status}: {body[:500]!r}")
    finally:
        connection.close()
    return found


async def first_words_ms(url: str, requests: Sequence[bytes]) -> list[float]:
    """Send requests for streams one after the other over one connection; return the milliseconds to each first word.

    Raises
    ------
    RuntimeError
        When an answer is no success or says nothing.
    """
    connection = await connect(url)
    found = []
    try:
        for request in requests:
            began = time.perf_counter()
            status, body = await connection.ask(request)
            if status != 200 or not connection.first_word_s:
                raise RuntimeError(f"{url} answered {status}: {body[:500]!r}")
            found.append((connection.first_word_s - began) * 1e3)
    finally:
        connection.close()
    return found


async def closed_loop(url: str, requests: Sequence[bytes], *, clients: int, seconds: float) -> Loop:
    """Keep `clients` clients busy, each with one request under way, and count what was answered."""
    return await send_all(url, cycle(requests), clients=clients, seconds=seconds)


async def send_all(
    url: str, requests: Iterator[bytes], *, clients: int, seconds: float = float("inf")
) -> Loop:
    """Send requests until there are none or the time is over, as `closed_loop` does."""
    counts = {True: 0, False: 0}
    connections = [await connect(url) for _ in range(clients)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(_work(url, connection, requests, counts, began + seconds))
    taken = time.perf_counter() - began
    return Loop(counts[True], counts[False], taken)


async def _work(
    url: str, connection: Connection, queue: Iterator[bytes], counts: dict[bool, int], until: float
) -> None:
    try:
        while time.perf_counter() < until and (request := next(queue, None)) is not None:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    status, _ = await connection.ask(request)
            except OSError:  # hung up, or took too long
                connection.close()
                status, connection = 0, await connect(url)
            counts[status == 200] += 1
    finally:
        connection.close()
