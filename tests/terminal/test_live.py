import asyncio

import pytest

from x25.state.errors import StoreError
from x25.terminal import live as module
from x25.terminal.live import EVENT, LEAVE, SLICE, Live, Part, send_by
from x25.terminal.viewers import OWNER, Viewer

ANN = Viewer("ann", ("acme",), "token")


class Desk:
    """What pages show, how often it was read, and what was sent to whom."""

    def __init__(self):
        self.words, self.reads, self.sent, self.gone = "a", 0, [], set()
        self.live = Live(self.is_still)

    async def is_still(self, viewer):
        return viewer not in self.gone

    async def read(self):
        self.reads += 1
        return self.words

    async def send(self, event, parts, page_ids):
        assert event == EVENT
        self.sent.append((dict(parts), list(page_ids)))

    def open(self, *page_ids, viewer=OWNER, key=None):
        for one in page_ids:
            self.live.join(one, viewer, [Part("strip", key, self.read)], self.send)
            self.live.see(one, is_seen=True)

    async def look(self):
        self.sent.clear()
        await self.live.look()
        return self.sent


@pytest.fixture
async def desk(monkeypatch):
    found = Desk()
    monkeypatch.setattr(found.live, "_look_for_ever", lambda: asyncio.sleep(0))
    return found


async def test_pages_that_show_the_same_are_read_once_and_told_only_of_changes(desk):
    desk.open(*(f"p{n}" for n in range(SLICE + 1)))
    sent = await desk.look()
    assert [(parts, len(ids)) for parts, ids in sent] == [({"strip": "a"}, SLICE), ({"strip": "a"}, 1)]
    assert desk.reads == 1
    assert await desk.look() == []
    desk.words = "b"
    desk.open("late", key="other org")
    assert sum(len(ids) for _, ids in await desk.look()) == SLICE + 2
    assert desk.reads == 4


async def test_a_page_that_nobody_sees_is_sent_nothing_until_it_is_seen_again(desk):
    desk.live.join("p", OWNER, [Part("strip", None, desk.read)], desk.send)
    assert await desk.look() == []
    assert desk.reads == 0
    desk.live.see("p", is_seen=True)
    assert await desk.look() == [({"strip": "a"}, ["p"])]
    desk.live.see("p", is_seen=False)
    desk.words = "b"
    assert await desk.look() == []
    desk.live.see("p", is_seen=True)
    assert await desk.look() == [({"strip": "b"}, ["p"])]
    desk.live.leave("p")
    desk.live.see("p", is_seen=False)
    assert len(desk.live) == 0


async def test_whoever_may_look_no_more_is_sent_away_and_shown_nothing_further(desk):
    desk.open("p", viewer=ANN)
    desk.open("q")
    desk.gone.add(ANN)
    assert await desk.look() == [({LEAVE: "sign-in"}, ["p"]), ({"strip": "a"}, ["q"])]
    assert len(desk.live) == 1


async def test_one_task_looks_as_long_as_a_page_is_open_and_outlives_a_store_that_is_away(monkeypatch):
    monkeypatch.setattr(module, "EVERY_S", 0.01)
    monkeypatch.setattr(module, "AT_LEAST_S", 0.0)
    desk, came = Desk(), asyncio.Event()

    async def read():
        desk.reads += 1
        if desk.reads < 3:
            raise StoreError("away")
        came.set()
        return "here"

    desk.live.join("p", OWNER, [Part("strip", None, read)], desk.send)
    desk.live.see("p", is_seen=True)
    async with asyncio.timeout(5):
        await came.wait()
        desk.live.leave("p")
        await desk.live._task
    assert desk.sent == [({"strip": "here"}, ["p"])]


async def test_it_looks_less_often_where_sending_takes_long(monkeypatch):
    desk, pauses = Desk(), []

    async def pause(seconds):
        pauses.append(seconds)
        desk.live.leave("p")

    async def look():
        return 0.5

    monkeypatch.setattr(desk.live, "_pause", pause)
    monkeypatch.setattr(desk.live, "look", look)
    desk.live.join("p", OWNER, [], desk.send)
    await desk.live._task
    assert pauses == [pytest.approx(25.0)]


async def test_a_message_is_handed_over_once_for_all():
    given = []

    async def emit(event, parts, room):
        given.append((event, parts, room))

    await send_by(emit)("x25", {"strip": "a"}, ("p", "q"))
    assert given == [("x25", {"strip": "a"}, ["p", "q"])]


async def test_what_many_pages_held_is_looked_for_once_they_left_and_not_for_each(desk, monkeypatch):
    collected = []
    monkeypatch.setattr(module, "COLLECTS_AFTER_S", 0.0)
    monkeypatch.setattr(module.gc, "collect", lambda: collected.append(len(desk.live)))
    pages = [f"p{number}" for number in range(2 * module.MOST_LEFT)]
    desk.open(*pages)
    for page in pages[: module.MOST_LEFT - 1]:
        desk.live.leave(page)
    await asyncio.sleep(0.01)
    assert collected == []
    for page in pages[module.MOST_LEFT - 1 :]:
        desk.live.leave(page)
    await asyncio.sleep(0.01)
    assert collected == [0]


async def test_pages_that_never_came_to_be_open_held_as_much(desk, monkeypatch):
    collected = []
    monkeypatch.setattr(module, "COLLECTS_AFTER_S", 0.0)
    monkeypatch.setattr(module.gc, "collect", lambda: collected.append(len(desk.live)))
    for number in range(module.MOST_LEFT):
        desk.live.leave(f"p{number}")
    await asyncio.sleep(0.01)
    assert collected == [0]


async def test_a_page_that_is_sent_away_is_not_closed_by_that(desk):
    desk.open("p", viewer=ANN)
    desk.gone.add(ANN)
    await desk.look()
    assert desk.live._left == 0
