import asyncio

import pytest

from x25.api.pieces import Pieces
from x25.providers.deltas import Sending, Source, watched
from x25.state.errors import ProviderTimeout, ReaderLeft
from x25.state.usage import Usage

SOURCE = Source("c", "m", "p", "slm")


def sending(**limits):
    return Sending(Pieces(), SOURCE, lambda message: Usage(1, len(message), is_estimate=True), **limits)


async def test_a_piece_that_says_nothing_is_not_sent():
    found = sending(clock_s=lambda: 7.0)
    await found.send({})
    assert (found.pieces, found.reader.source, found.first_at_s) == (0, None, 0.0)
    await found.send({"content": "a"})
    await found.send({"content": "b"})
    assert (found.pieces, found.reader.source, found.first_at_s) == (2, SOURCE, 7.0)


async def test_nothing_is_sent_to_whoever_left():
    found = sending()
    found.reader.leave()
    with pytest.raises(ReaderLeft):
        await found.send({"content": "a"})
    with pytest.raises(ReaderLeft):
        async with watched(found, 5.0, "d"):
            await asyncio.sleep(5)


async def read(found, timeout_s, pieces, pause_s=5.0, pauses=1):
    """Read a stream of some pieces, and of signs of life between pauses."""
    async with watched(found, timeout_s, "d") as watch:
        for _ in range(pieces):
            await found.send({"content": "a"})
        for _ in range(pauses):
            watch.heard()
            await asyncio.sleep(pause_s)


@pytest.mark.parametrize(
    ("limits", "timeout_s", "pieces", "words"),
    [
        ({"first_token_s": 0.02}, 5.0, 0, "said nothing"),
        ({"idle_s": 0.02}, 5.0, 1, "fell silent"),
        ({}, 0.02, 1, "did not finish in time"),
    ],
)
async def test_each_limit_is_named(limits, timeout_s, pieces, words):
    with pytest.raises(ProviderTimeout, match=words):
        await read(sending(**limits), timeout_s, pieces)


async def test_signs_of_life_keep_a_stream_and_none_replaces_a_first_word():
    await read(sending(first_token_s=0.05, idle_s=0.1), 5.0, 1, pause_s=0.05, pauses=4)
    with pytest.raises(ProviderTimeout):
        await read(sending(first_token_s=0.05), 5.0, 0, pause_s=0.02, pauses=20)
