"""What moves on open pages: read once for all that show the same, and sent to those where it changed.

There is one task, however many pages are open. It looks every few seconds, less often where sending takes more than a
fiftieth of the loop, and sends nothing to a page that nobody sees. A message goes beside NiceGUI's own, which would
make, encode and remember one for each page.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..state.errors import X25Error
from .viewers import Viewer

EVERY_S = 4.0
AT_LEAST_S = 0.25
MOST_EVERY_S = 60.0
SHARE = 0.02
"""Of the loop's time, at most, in sending."""
SLICE = 20
"""Pages that are sent something without a pause for calls."""
MOST_LEFT = 50
"""Pages that may have left until the memory that they held is looked for, which holds up calls for some ms."""
COLLECTS_AFTER_S = 2.0
"""How long that waits for further ones."""
EVENT, SEEN, LEAVE = "x25", "x25_seen", "leave"
"""The websocket's event to pages, that of pages, and the part of a page that means: this session is over."""
Read = Callable[[], Awaitable[str]]
Send = Callable[[str, Mapping[str, str], Sequence[str]], Awaitable[None]]
"""Sends an event with the markup of parts to pages, by their ids."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page that moves."""

    name: str
    """What the page calls it: its `data-live`."""
    key: object
    """Pages that have it in common show the same."""
    read: Read


@dataclass(slots=True)
class Page:
    """An open page, and what it shows."""

    viewer: Viewer
    parts: Sequence[Part]
    is_seen: bool = False
    """Whether somebody looks, which the page says itself once it listens."""
    shown: dict[str, str] = field(default_factory=dict)


class Live:
    """Keeps open pages current."""

    def __init__(self, is_still: Callable[[Viewer], Awaitable[bool]]) -> None:
        self._is_still = is_still
        self._pages: dict[str, Page] = {}
        self._send: Send | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._left = 0

    def __len__(self) -> int:
        """Return how many pages are open."""
        return len(self._pages)

    def join(self, page_id: str, viewer: Viewer, parts: Sequence[Part], send: Send) -> None:
        """Keep a page current from now on; `send` reaches it and all others."""
        self._pages[page_id] = Page(viewer, parts)
        self._send = send
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_for_ever())

    def leave(self, page_id: str) -> None:
        """Forget a page that is closed, or never came to be open; once many are, what they held is given up as well."""
        self._pages.pop(page_id, None)
        self._left += 1
        if self._left == MOST_LEFT:
            # A page's elements hold one another, and a gateway looks through its oldest objects hardly ever.
            asyncio.get_running_loop().call_later(COLLECTS_AFTER_S, self._collect)

    def _collect(self) -> None:
        self._left = 0
        gc.collect()

    def see(self, page_id: str, *, is_seen: bool) -> None:
        """Send to a page that somebody looks at, first what changed while nobody did; and no more once nobody does."""
        page = self._pages.get(page_id)
        if page is not None and page.is_seen != is_seen:
            page.is_seen = is_seen
            if is_seen:
                self._wake.set()

    async def look(self) -> float:
        """Send what changed since the last look, and return the seconds that sending took."""
        await self._drop_strangers()
        taken_s = 0.0
        found: dict[tuple[str, object], str] = {}
        changed: dict[tuple[str, str], list[str]] = {}
        for page_id, page in list(self._pages.items()):
            for part in page.parts if page.is_seen else ():
                key = (part.name, part.key)
                if key not in found:
                    found[key] = await part.read()
                markup = found[key]
                if page.shown.get(part.name) != markup:
                    page.shown[part.name] = markup
                    changed.setdefault((part.name, markup), []).append(page_id)
        for (name, markup), page_ids in changed.items():
            taken_s += await self._to_all({name: markup}, page_ids)
        return taken_s

    async def _look_for_ever(self) -> None:
        while self._pages:
            self._wake.clear()
            taken_s = 0.0
            try:
                taken_s = await self.look()
            except X25Error as error:  # the store is away for a moment
                _log.warning("open pages are not kept current: %s", error)
            await self._pause(min(MOST_EVERY_S, max(EVERY_S, taken_s / SHARE)))

    async def _pause(self, seconds: float) -> None:
        """Wait, and no longer once somebody looks at a page that shows nothing yet."""
        await asyncio.sleep(AT_LEAST_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds - AT_LEAST_S):
                await self._wake.wait()

    async def _drop_strangers(self) -> None:
        gone = [
            viewer
            for viewer in {one.viewer for one in self._pages.values()}
            if not await self._is_still(viewer)
        ]
        over = [page_id for page_id, page in self._pages.items() if page.viewer in gone]
        if over:
            await self._to_all({LEAVE: "sign-in"}, over)
        for page_id in over:
            self._pages.pop(page_id, None)  # closed meanwhile, perhaps

    async def _to_all(self, parts: Mapping[str, str], page_ids: Iterable[str]) -> float:
        assert self._send is not None
        taken_s, left = 0.0, iter(page_ids)
        while some := list(islice(left, SLICE)):
            began_s = time.monotonic()
            await self._send(EVENT, parts, some)
            taken_s += time.monotonic() - began_s
            await asyncio.sleep(0)
        return taken_s


def send_by(emit: Callable[..., Awaitable[Any]]) -> Send:
    """Return a sender by Socket.IO's `emit`, which encodes a message once for all whom it is for."""

    async def send(event: str, parts: Mapping[str, str], page_ids: Sequence[str]) -> None:
        await emit(event, dict(parts), room=list(page_ids))

    return send
