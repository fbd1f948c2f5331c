"""Read server-sent events from bytes, wherever these were cut."""

import re

from ...state.errors import ProviderMalformed

DONE = b"[DONE]"
MOST_EVENT_BYTES = 8 * 2**20
"""Longest event read: a picture in a piece of an answer fits."""
MOST_STREAM_BYTES = 256 * 2**20
"""Longest stream read: each token comes with some 200 bytes about it."""
_LINE_END = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"


class EventReader:
    """Makes the data of events of the bytes of a stream (WHATWG, Server-sent events, 9.2.6).

    Lines end with a line feed, a carriage return or both, and with nothing else that Unicode takes for an end.
    Comments, ids and names of events are passed over: vendors say in the data what an event is.
    """

    def __init__(self, deployment: str) -> None:
        self._deployment = deployment
        self._held = b""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._read_bytes = 0
        self._was_return = False

    def feed(self, received: bytes) -> list[bytes]:
        """Return the data of the events that are whole now.

        Raises
        ------
        ProviderMalformed
            When an event or the stream is longer than any answer.
        """
        if not self._read_bytes:
            received = received.removeprefix(_MARK)
        self._read_bytes += len(received)
        if self._was_return and received:
            # The other half of a line's end, cut in two.
            received, self._was_return = received.removeprefix(b"\n"), False
        *lines, held = _LINE_END.split(self._held + received if self._held else received)
        self._was_return = received.endswith(b"\r")
        self._held = held
        if len(held) + self._data_bytes > MOST_EVENT_BYTES or self._read_bytes > MOST_STREAM_BYTES:
            raise ProviderMalformed(f"{self._deployment} sent a stream that is too long")
        return [event for line in lines if (event := self._line(line)) is not None]

    def rest(self) -> list[bytes]:
        """Return the data of an event that the end of the stream ends."""
        lines = [self._held, b""]
        self._held = b""
        return [event for line in lines if (event := self._line(line)) is not None]

    def _line(self, line: bytes) -> bytes | None:
        if not line:
            data, self._data, self._data_bytes = b"\n".join(self._data).strip(), [], 0
            return data or None  # some vendors keep a connection alive by events that say nothing
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(value)
        return None
