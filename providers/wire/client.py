"""How bytes go to vendors and come back: kept connections, one deadline, bounded answers."""

import asyncio
import io
import select
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError

from ...state.errors import ConfigError, ProviderTimeout
from ...state.types import JSONObject
from ..errors_map import HttpAnswer, error_from_aiohttp
from .body import ACCEPTED_ENCODINGS, MAX_BODY_BYTES, pieces_of, read_body
from .json_text import encode_json
from .proxies import Proxies

CONNECT_TIMEOUT_S = 5.0
"""For the host's name, the connection and TLS together."""
KEPT_S = 4.5
"""How long a connection is kept that nobody uses: many servers close theirs after five seconds."""
MAX_ERROR_BYTES = 2**20
"""Longest body read of an answer that is an error."""
MAX_HEADER_BYTES = 100 * 2**10
MAX_HEADERS = 1_000
_AT_ONCE_BYTES = 2**20
"""A longer request is handed to the connection in pieces."""
_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": ACCEPTED_ENCODINGS,
    "Content-Type": "application/json",
    "User-Agent": "x25",
}


TAIL_S = 0.02
"""How long the end of a stream's body is waited for after its last event, so that its connection can be kept."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body comes in pieces; read inside `VendorClient.stream`."""

    status: int
    headers: Mapping[str, str]
    _response: aiohttp.ClientResponse
    _deployment: str

    @property
    def is_events(self) -> bool:
        """Whether its body is a stream of events: whatever does not call itself JSON."""
        return "json" not in self.headers.get("content-type", "").lower()

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, decompressed."""
        encoding = self.headers.get("content-encoding", "")
        return pieces_of(self._response.content.iter_any(), encoding, self._deployment)

    async def whole(self) -> HttpAnswer:
        """Return the answer with its whole body, for one that is no stream."""
        limit = MAX_BODY_BYTES if 200 <= self.status < 300 else MAX_ERROR_BYTES
        encoding = self.headers.get("content-encoding", "")
        sent = self._response.content.iter_any()
        return HttpAnswer(self.status, self.headers, await read_body(sent, encoding, self._deployment, limit))

    async def read_tail(self) -> None:
        """Read what is left after the last event, a moment at most."""
        content = self._response.content
        try:
            async with asyncio.timeout(TAIL_S):
                while not content.at_eof():
                    await content.readany()
        except (TimeoutError, aiohttp.ClientError):
            return


@cache
def _authorities() -> ssl.SSLContext:
    """Return the authorities httpx trusts (of `SSL_CERT_FILE`, `SSL_CERT_DIR`, or certifi), read from disk once."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class VendorClient:
    """Posts JSON, to any number of vendors at once. `async with` opens it, in the event loop that will use it.

    Redirects are not followed, cookies are not kept, and nothing is sent twice. Nobody waits for a free connection:
    how many calls are under way is for the door to say.
    """

    def __init__(self, connect_timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._proxies = Proxies()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        authorities = await asyncio.to_thread(_authorities)
        connector = _Connector(
            limit=0, keepalive_timeout=KEPT_S, ssl=authorities, resolver=aiohttp.ThreadedResolver()
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout_s),
            auto_decompress=False,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(  # noqa: PLR0913 - an exchange in one call
        self,
        url: str,
        body: JSONObject,
        headers: Mapping[str, str],
        *,
        deployment: str,
        timeout_s: float,
        most_bytes: int = MAX_BODY_BYTES,
    ) -> HttpAnswer:
        """Return the answer to a request, of whatever status.

        Parameters
        ----------
        deployment
            Whom the errors name.
        timeout_s
            Seconds from connecting to the last byte.
        most_bytes
            Longest body read of an answer that is no error, decompressed.

        Raises
        ------
        ProviderError
            `ProviderTimeout`, `ProviderConnection` or `ProviderMalformed`: there was no answer that can be read.
        """
        sent = encode_json(body)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(url, sent, headers, deployment, most_bytes)
        except (aiohttp.ClientError, HttpProcessingError, ValueError) as error:
            raise error_from_aiohttp(error, deployment=deployment) from error
        except TimeoutError as error:
            raise ProviderTimeout(f"{deployment} did not finish within {timeout_s:g} s") from error

    @asynccontextmanager
    async def stream(
        self, url: str, body: JSONObject, headers: Mapping[str, str], *, deployment: str
    ) -> AsyncIterator[Streamed]:
        """Send a request and yield its answer, of whatever status, once its head is there; the caller keeps the time.

        Raises
        ------
        ProviderError
            `ProviderTimeout`, `ProviderConnection` or `ProviderMalformed`: there was no answer, or it broke off.
        """
        try:
            response = await self._send(url, encode_json(body), {**headers, "Accept-Encoding": "identity"})
        except (aiohttp.ClientError, HttpProcessingError, ValueError) as error:
            raise error_from_aiohttp(error, deployment=deployment) from error
        try:
            yield Streamed(response.status, _plain(response.headers), response, deployment)
        except (aiohttp.ClientError, HttpProcessingError) as error:
            raise error_from_aiohttp(error, deployment=deployment) from error
        finally:
            response.close()

    async def _exchange(
        self, url: str, sent: bytes, headers: Mapping[str, str], deployment: str, most_bytes: int
    ) -> HttpAnswer:
        response = await self._send(url, sent, headers)
        try:
            received = _plain(response.headers)
            limit = most_bytes if 200 <= response.status < 300 else MAX_ERROR_BYTES
            encoding = received.get("content-encoding", "")
            content = await read_body(response.content.iter_any(), encoding, deployment, limit)
        finally:
            # One whose body was not read to its end takes its connection with it.
            response.close()
        return HttpAnswer(response.status, received, content)

    async def _send(self, url: str, sent: bytes, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        if self._session is None:
            raise ConfigError("the HTTP client is not open")
        return await self._session.request(
            "POST",
            url,
            data=sent if len(sent) <= _AT_ONCE_BYTES else io.BytesIO(sent),
            headers=headers,
            allow_redirects=False,
            proxy=self._proxies.to(url),
        )


def _plain(headers: Any) -> dict[str, str]:
    """Return headers by their names in lower case; what was sent under one name several times with commas between."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


class _Connector(aiohttp.TCPConnector):
    """Hands out no kept connection on which something came that nobody asked for: mostly its end, or a second answer.

    A request on one that has ended fails, and could not be repeated without the risk of a second bill; a second answer
    would be taken for the next caller's.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._used: weakref.WeakSet[ResponseHandler] = weakref.WeakSet()

    async def connect(self, req: Any, traces: list[Any], timeout: aiohttp.ClientTimeout) -> Connection:  # noqa: ASYNC109 - aiohttp's signature
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol = connection.protocol
            if protocol is None:
                return connection
            if protocol not in self._used:
                self._used.add(protocol)
                return connection
            if not (protocol.should_close or _has_more(connection)):
                return connection
            connection.close()


def _has_more(connection: Connection) -> bool:
    """Return whether there is something on a connection that the event loop has not read yet."""
    transport = connection.transport
    if transport is None:
        return True
    look = select.poll()
    look.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(look.poll(0))
