import gzip
import tracemalloc
import zlib

import pytest

from x25.providers.wire.body import read_body
from x25.state.errors import ProviderMalformed


async def arriving(*pieces):
    for piece in pieces:
        yield piece


async def read(*pieces, encoding="", limit=1_000_000):
    return await read_body(arriving(*pieces), encoding, "d", limit)


@pytest.mark.parametrize("text", [b"", b"hello" * 1_000])
async def test_a_body_is_read_in_any_encoding_asked_for(text):
    bare = zlib.compressobj(wbits=-15)
    sent = {
        "": text, "identity": text, "gzip": gzip.compress(text), "deflate": zlib.compress(text),
        "Deflate": bare.compress(text) + bare.flush(),
    }  # fmt: skip
    for encoding, body in sent.items():
        half = len(body) // 2
        assert await read(body[:half], body[half:], encoding=encoding) == text


@pytest.mark.slow
async def test_a_few_bytes_that_expand_without_end_are_stopped_early():
    bomb = gzip.compress(b"\0" * 200_000_000)
    assert len(bomb) < 200_000
    tracemalloc.start()
    with pytest.raises(ProviderMalformed, match="more than 1,000,000 bytes"):
        await read(bomb, encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


async def test_a_body_without_end_is_stopped():
    with pytest.raises(ProviderMalformed, match="more than"):
        await read(*[b"x" * 1_000] * 2_000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"plain", "gzip"),
        (gzip.compress(b"x" * 99, mtime=0)[:-9], "gzip"),
        (b"x", "br"),
        (b"x", "gzip, gzip"),
    ],
)
async def test_a_body_that_is_not_what_it_says_is_malformed(body, encoding):
    with pytest.raises(ProviderMalformed):
        await read(body, encoding=encoding)
