"""Circuit breakers that gateways share through a Redis: what one found out, the others need not.

Changes are written behind the calls and read once a second, so that no call waits for Redis but the one that would be a
half-open breaker's probe, a twentieth of a second at most. Times are Redis's own, since replicas' clocks differ.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from ..state.redis_link import PREFIX, RedisLink
from .breaker import Breaker
from .breaker_places import Label
from .breakers import BreakerBook

_log = logging.getLogger(__name__)

EVERY_S = 1.0
CLAIM_S = 0.05
"""Longest wait of a call for the right to be the probe."""
KEPT_S = 600
"""Seconds after its rest that an open breaker is remembered which nobody asks any more."""
MOST_OPENINGS = 10**9
"""Times in a row that a breaker can have opened, were it every second for thirty years."""
BOOK = f"{PREFIX}breakers"
PROBE = f"{PREFIX}probe:"


class SharedBreakers:
    """Keeps a book of breakers in step with those of other gateways."""

    def __init__(self, link: RedisLink, book: BreakerBook, clock: Callable[[], float] = monotonic) -> None:
        self._link = link
        self._book = book
        self._clock = clock
        self._changes: dict[str, tuple[Breaker, Label] | None] = {}
        """By place, what is yet to be written; None = closed."""
        self._released: set[str] = set()
        """Places whose probe is over, and closed nothing."""
        self._shared: set[str] = set()
        """Places that Redis held open when last looked at."""
        self._unreadable: set[str] = set()
        """Those of them that hold no breaker; each is logged once."""

    def opened(self, place: str, breaker: Breaker, label: Label) -> None:
        """Write, soon, that a breaker opened."""
        self._changes[place] = breaker, label

    def closed(self, place: str) -> None:
        """Write, soon, that it closed."""
        self._changes[place] = None

    def released(self, place: str) -> None:
        """Write, soon, that another probe may be sent."""
        self._released.add(place)

    async def claim_probe(self, place: str, seconds: float) -> bool:
        """Return whether no other gateway's probe is out; True, too, where Redis does not say."""
        if self._link.is_away:
            return True
        lasts_ms = max(1, int(seconds * 1e3))
        answer = await self._link.ask(
            self._link.client.set(PROBE + place, "1", nx=True, px=lasts_ms), CLAIM_S
        )
        return bool(answer) or self._link.is_away

    async def follow(self) -> None:
        """Write and read once a second, for ever."""
        while True:
            await self.exchange()
            await asyncio.sleep(EVERY_S)

    async def exchange(self) -> None:
        """Write what changed here and take over what changed elsewhere."""
        moment = await self._link.ask(self._link.client.time())
        if moment is None:
            return
        redis_s, now_s = moment[0] + moment[1] / 1e6, self._clock()
        changes, self._changes = self._changes, {}
        released, self._released = self._released, set()
        answers = await self._link.ask(self._written(changes, released, redis_s - now_s).execute())
        if answers is None:
            self._changes = changes | self._changes
            self._released |= released
            return
        found: dict[str, str] = answers[-1]
        for place, text in found.items():
            self._adopt(place, text, redis_s, now_s)
        for place in self._shared - found.keys() - self._changes.keys():
            self._book.forget(place)
        self._shared = {*found}
        self._unreadable &= found.keys()

    def _written(
        self, changes: dict[str, tuple[Breaker, Label] | None], released: set[str], ahead_s: float
    ) -> Any:
        """Return the commands that write changes and read the book, for one way to Redis and back."""
        pipe = self._link.client.pipeline(transaction=True)
        for place in released:
            pipe.delete(PROBE + place)
        for place, change in changes.items():
            if change is None:
                pipe.hdel(BOOK, place)
                pipe.delete(PROBE + place)
                continue
            breaker, label = change
            row = {
                "until": breaker.until_s + ahead_s, "openings": breaker.openings, "model": label.model_id,
                "deployment": label.deployment, "key": label.key, "owner": label.owner,
            }  # fmt: skip
            pipe.hset(BOOK, place, json.dumps(row))
            pipe.delete(PROBE + place)
        pipe.expire(BOOK, KEPT_S)
        pipe.hgetall(BOOK)
        return pipe

    def _adopt(self, place: str, text: str, redis_s: float, now_s: float) -> None:
        if place in self._changes:
            return
        try:
            label, until_s, openings = _read(text)
        except (ValueError, KeyError, TypeError, OverflowError):
            if place not in self._unreadable:
                _log.warning("a breaker in Redis is not readable and passed over: %s", place)
                self._unreadable.add(place)
            return
        wait_s = until_s - redis_s
        if wait_s < -KEPT_S:
            # Nobody asked it since: its model is gone, and with it whoever would close it.
            self._changes[place] = None
            self._book.forget(place)
            return
        self._book.adopt(
            place, label, min(max(0.0, wait_s), self._book.tolerance.longest_rest_s), openings, now_s
        )


def _read(text: str) -> tuple[Label, float, int]:
    """Return whose breaker a row is, until when by Redis's clock, and how often it opened; ValueError and others."""
    row = json.loads(text)
    label = Label(str(row["model"]), str(row["deployment"]), str(row["key"]), str(row["owner"]))
    until_s, openings = float(row["until"]), int(row["openings"])
    if not math.isfinite(until_s) or not 1 <= openings <= MOST_OPENINGS:
        raise ValueError("no breaker opens so often, or for so long")
    return label, until_s, openings


@asynccontextmanager
async def sharing(link: RedisLink | None, book: BreakerBook) -> AsyncIterator[None]:
    """Keep a book in step with other gateways' while the block runs; without a link it stays this process's own."""
    if link is None:
        yield
        return
    shared = SharedBreakers(link, book)
    book.replicas = shared
    following = asyncio.create_task(shared.follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        book.replicas = None
