"""Close connections on which no request comes: the server waits for ever for the first, and for half of one."""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """A connection, closed when its next request is not there whole within `idle_s` seconds.

    What follows the head of a request, its body, is waited for by `bodies`; after a reply uvicorn waits by itself.
    """

    idle_s = 15.0

    cycle: Any
    transport: asyncio.Transport
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Read on, and wait no longer once a request began."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _look(self) -> None:
        if not self._is_between_requests():
            self._stop()
        elif self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(self.idle_s, self._give_up)

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self._is_between_requests():
            self.transport.close()

    def _is_between_requests(self) -> bool:
        if self.transport.get_protocol() is not self:
            return False  # it became a websocket, which has pings of its own
        return self.cycle is None or bool(self.cycle.response_complete)


def impatient(idle_s: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with a limit on the wait for a request, in seconds."""
    return type("Impatient", (Impatient,), {"idle_s": idle_s})
