"""How long the event loop was held up: while one piece of work keeps it, every other call waits."""

import asyncio
from collections.abc import Callable
from time import monotonic, process_time

EVERY_S = 0.025
WINDOW_S = 60.0
"""A pause is told for at least so long, and at most twice as long."""


class Pulse:
    """Beats on the event loop, and notes how late each beat came; `tell` is told it, too."""

    def __init__(self, tell: Callable[[float], None] | None = None) -> None:
        self._tell = tell
        self._window_began_s = monotonic()
        self._longest_s = self._longest_before_s = 0.0

    @property
    def longest_ms(self) -> float:
        """The longest pause of the last minute or two, ms."""
        return round(max(self._longest_s, self._longest_before_s) * 1e3, 1)

    async def beat_for_ever(self) -> None:
        """Beat until cancelled."""
        while True:
            at_s, worked_s = monotonic(), process_time()
            await asyncio.sleep(EVERY_S)
            self.note(monotonic() - at_s - EVERY_S, process_time() - worked_s)

    def note(self, late_s: float, worked_s: float) -> None:
        """Take in one beat that came `late_s` too late, while this process worked for `worked_s`.

        Of the two the shorter counts: a process that had to wait for a processor was not held up by its own work.
        """
        now_s = monotonic()
        if now_s - self._window_began_s > WINDOW_S:
            self._window_began_s = now_s
            self._longest_before_s, self._longest_s = self._longest_s, 0.0
        self._longest_s = max(self._longest_s, min(late_s, worked_s))
        if self._tell is not None:
            self._tell(late_s)
