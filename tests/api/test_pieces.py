import asyncio

import pytest

from x25.api import pieces as module
from x25.api.pieces import Pieces
from x25.providers.deltas import Ending, Source


async def test_what_was_taken_is_unread_once_and_news_of_it_comes_at_once():
    pieces = Pieces()
    assert not await pieces.news(0.01)
    waiting = asyncio.create_task(pieces.news(5.0))
    await asyncio.sleep(0)
    pieces.begin(Source("c", "m", "p", "slm"))
    await pieces.take({"content": "a"})
    assert await waiting
    assert [piece.delta for piece in pieces.unread()] == [{"content": "a"}]
    assert pieces.unread() == []
    pieces.end(Ending("stop", {}, 0))
    assert await pieces.news(5.0)


async def test_a_slow_reader_holds_its_model_back_and_one_that_leaves_does_not(monkeypatch):
    monkeypatch.setattr(module, "MOST_UNREAD", 2)
    pieces = Pieces()
    await pieces.take({"content": "a"})
    full = asyncio.create_task(pieces.take({"content": "b"}))
    await asyncio.sleep(0.01)
    assert not full.done()
    assert len(pieces.unread()) == 2
    await asyncio.wait_for(full, 1)
    await pieces.take({"content": "c"})
    full = asyncio.create_task(pieces.take({"content": "d"}))
    await asyncio.sleep(0.01)
    pieces.leave()
    await asyncio.wait_for(full, 1)


async def test_whoever_waits_for_it_is_told_once_when_the_reader_leaves():
    told = []
    pieces = Pieces()
    pieces.on_leave(lambda: told.append(1))
    pieces.leave()
    pieces.leave()
    assert told == [1]
    pieces.on_leave(lambda: told.append(2))
    assert told == [1, 2]
    ended = Pieces()
    ended.on_leave(lambda: told.append(3))
    ended.end(Ending("stop", {}, 0))
    ended.leave()
    assert told == [1, 2]


async def test_waiting_for_news_can_be_cancelled():
    waiting = asyncio.create_task(Pieces().news(30.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
