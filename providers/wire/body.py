"""Read the body of an HTTP answer, whatever is sent: bounded in bytes, before and after decompression."""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

from ...state.errors import ProviderMalformed

MAX_BODY_BYTES = 32 * 2**20
"""Longest body read, decompressed: an hour of speech or a dozen pictures fit."""
ACCEPTED_ENCODINGS = "gzip, deflate"
"""What `Accept-Encoding` asks for: formats that can be expanded a piece at a time."""
_PIECE_BYTES = 2**18
_ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


async def read_body(
    sent: AsyncIterator[bytes], encoding: str, deployment: str, limit: int = MAX_BODY_BYTES
) -> bytes:
    """Return the whole body of a streamed answer, decompressed.

    Parameters
    ----------
    sent
        The body as it arrives.
    encoding
        The answer's `Content-Encoding`; "" without one.

    Raises
    ------
    ProviderMalformed
        When it is longer than `limit` bytes, or is not compressed as it says.
    """
    body = bytearray()
    async for piece in pieces_of(sent, encoding, deployment):
        body += piece
        if len(body) > limit:
            raise ProviderMalformed(f"{deployment} sent a body of more than {limit:,} bytes")
    return bytes(body)


def pieces_of(sent: AsyncIterator[bytes], encoding: str, deployment: str) -> AsyncIterator[bytes]:
    """Return a body as it arrives, decompressed.

    Raises
    ------
    ProviderMalformed
        When it is in an encoding that was not asked for; while it is read, when it is not compressed as it says.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return sent
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _inflated(sent, deployment)
    raise ProviderMalformed(f"{deployment} sent a body in an encoding that was not asked for")


async def _inflated(received: AsyncIterator[bytes], deployment: str) -> AsyncIterator[bytes]:
    """Yield a compressed body in pieces of a bounded length, however far a few bytes expand."""
    inflater: _Inflater = zlib.decompressobj(_ZLIB_OR_GZIP)
    start, is_known = b"", False
    async for sent in received:
        waiting = sent
        start += b"" if is_known else sent
        while waiting and not inflater.eof:
            try:
                piece = inflater.decompress(waiting, _PIECE_BYTES)
            except zlib.error as error:
                if is_known or not start:
                    raise ProviderMalformed(f"{deployment} sent a body that cannot be decoded") from error
                # Some servers mean the bare format by "deflate".
                inflater, waiting, start = zlib.decompressobj(-zlib.MAX_WBITS), start, b""
                continue
            is_known = is_known or bool(piece)
            waiting = inflater.unconsumed_tail
            yield piece
    if not inflater.eof:
        raise ProviderMalformed(f"{deployment} sent a body that ends too early")
