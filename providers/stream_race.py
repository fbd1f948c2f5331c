"""Two streams that race for one reader: whose first piece comes first is read, and the other is broken off there.

A stream cannot be awaited to its end before a winner is named, as a whole answer is: its first piece is the decision.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..state.errors import HedgeLost
from ..state.types import JSONObject
from .deltas import Ending, Sending, Source

_Outcome = TypeVar("_Outcome")


class StreamRace:
    """A race for the reader of one answer; use it in one event loop, whatever loops the providers send from.

    Parameters
    ----------
    sending
        The answer's; nothing of it was sent yet.
    """

    def __init__(self, sending: Sending) -> None:
        self.sending = sending
        """The answer's own, which tells what the winner sent once the race is over."""
        self._loop = asyncio.get_running_loop()
        self._said = asyncio.Event()
        self.lanes = (_Lane(self), _Lane(self))
        self.sendings = tuple(replace(sending, reader=lane) for lane in self.lanes)
        """What the first and the second request send to."""
        self.winner: _Lane | None = None
        """Whose first piece came first; None until one came."""

    @property
    def is_seconds(self) -> bool:
        """Whether the second request speaks."""
        return self.winner is self.lanes[1]

    async def run(
        self,
        first: Callable[[], Awaitable[_Outcome]],
        second: Callable[[], Awaitable[_Outcome]],
        late_s: float,
        is_good: Callable[[_Outcome], bool],
    ) -> _Outcome:
        """Return what came of the one that spoke first; where neither did, the first good outcome, or the first one's.

        `second` is begun where `first` said nothing for `late_s`. The loser is cancelled as soon as the other speaks,
        and has ended when this returns.
        """
        tasks = [asyncio.ensure_future(first())]
        said = asyncio.ensure_future(self._said.wait())
        self.sending.reader.on_leave(self._left)
        try:
            done, _ = await asyncio.wait({*tasks, said}, timeout=late_s, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return await tasks[0]
            tasks.append(asyncio.ensure_future(second()))
            waiting = {*tasks}
            while waiting and not self._said.is_set():
                done, rest = await asyncio.wait({*waiting, said}, return_when=asyncio.FIRST_COMPLETED)
                waiting = rest - {said}
                for task in sorted(done - {said}, key=tasks.index):
                    outcome: _Outcome = task.result()
                    if self.winner is None and is_good(outcome):
                        return outcome
            return await self._spoken(tasks) if self.winner is not None else tasks[0].result()
        finally:
            for task in (*tasks, said):
                task.cancel()
            await asyncio.gather(*tasks, said, return_exceptions=True)
            self.sending.reader.on_leave(None)
            self._take_over()

    async def _spoken(self, tasks: Sequence[asyncio.Future[_Outcome]]) -> _Outcome:
        """Break the other one off and return what comes of the one that speaks."""
        tasks[not self.is_seconds].cancel()
        return await tasks[self.is_seconds]

    def claim(self, lane: "_Lane", source: Source) -> None:
        """Let the first lane speak; HedgeLost for the other one."""
        if self.winner is None:
            self.winner = lane
            self.sending.reader.begin(source)
            self._loop.call_soon_threadsafe(self._said.set)
        if self.winner is not lane:
            raise HedgeLost("another request brought the answer first")

    def _left(self) -> None:
        for lane in self.lanes:
            lane.tell_left()

    def _take_over(self) -> None:
        """Write down in the answer's own sending what the winner sent."""
        if self.winner is not None:
            won = self.sendings[self.is_seconds]
            self.sending.pieces, self.sending.first_at_s = won.pieces, won.first_at_s
            self.sending.is_unread = won.is_unread

    async def take(self, delta: JSONObject, logprobs: JSONObject | None) -> None:
        """Send a piece of the winner's on."""
        await self.sending.reader.take(delta, logprobs)

    @property
    def has_left(self) -> bool:
        """Whether nobody reads any more."""
        return self.sending.reader.has_left


class _Lane:
    """The reader as one of the two sees it."""

    def __init__(self, race: StreamRace) -> None:
        self._race = race
        self._tell: Callable[[], None] | None = None

    @property
    def has_left(self) -> bool:
        return self._race.has_left

    def on_leave(self, tell: Callable[[], None] | None) -> None:
        self._tell = tell
        if self.has_left:
            self.tell_left()

    def tell_left(self) -> None:
        if self._tell is not None:
            self._tell()

    def begin(self, source: Source) -> None:
        self._race.claim(self, source)

    async def take(self, delta: JSONObject, logprobs: JSONObject | None = None) -> None:
        await self._race.take(delta, logprobs)

    def end(self, ending: Ending) -> None:
        raise NotImplementedError("whoever began the answer says that it ends")
