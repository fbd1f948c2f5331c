"""Who may come in: a call more than the gateway can serve is refused before any work was put into it.

Calls wait for their models for seconds, and hundreds of them cost next to nothing. What runs out first is this
process's processor time; then every step of every call waits for its turn on the event loop, and how long is measured
there (`pulse`). Once that wait is too long, fewer calls may be under way at once, as few as bring it back down: a new
one comes in when one ends, so calls come in at the rate at which they are served, whatever the rate at which they come.
"""

from collections.abc import Collection
from math import ceil

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import error_body
from .headers import path_of
from .pulse import EVERY_S

LASTS_S = 0.1
"""How long beats must go on being late after a first one before anybody is refused: a pause is no overload."""
AGAIN_BEATS = 2
"""For how many while it is not over: one alone may have waited for another process to leave the processor."""
SHRINKS = 0.5, 0.9
"""A late beat leaves of the calls under way what its delay is above the target, at least and at most this part."""
GROWS, GROWS_BY = 0.2, 0.005
"""By how many calls a beat in time, one each 25 ms, widens a limit that is reached: so many, and this part of it."""
LEAST = 64
"""Calls under way that are let in whatever the wait: so few are no overload, and a slow machine answers them, too."""
CALM_S = 5.0
"""Once nobody was refused for so long it is over, and the next overload has to last again before it counts."""
REMEMBERS = 0.05
"""Weight of the newest call in the share of those let in."""
LONGEST_WAIT_S = 10


class Admission:
    """Counts the calls under way, and says whether one more is let in.

    Parameters
    ----------
    most
        Calls under way at once.
    target_s
        How long a step of a call may wait for its turn; 0 = for ever.
    """

    def __init__(self, most: int, target_s: float) -> None:
        self._most = most
        self._target_s = target_s
        self.in_flight = 0
        self.refused = 0
        self.limit = float(most)
        """Calls that may be under way now; `most` unless there is an overload."""
        self._share = 1.0
        self._late_beats = 0
        self._late_s = 0.0
        self._unrefused_s = 0.0

    @property
    def is_overloaded(self) -> bool:
        """Whether fewer calls than the most are let in."""
        return self.limit < self._most

    def note(self, late_s: float) -> None:
        """Take in by how much a beat of the event loop came too late."""
        if self._target_s <= 0:
            return
        self._unrefused_s += EVERY_S + late_s
        if late_s > self._target_s:
            self._late_beats += 1
            self._late_s += EVERY_S + late_s if self._late_beats > 1 else 0.0
            if self._late_s >= LASTS_S or (self.is_overloaded and self._late_beats >= AGAIN_BEATS):
                least, most = SHRINKS
                part = min(max(self._target_s / late_s, least), most)
                self.limit = max(LEAST, min(self.limit, self.in_flight) * part)
            return
        self._late_beats, self._late_s = 0, 0.0
        if not self.is_overloaded:
            return
        if self._unrefused_s > CALM_S:
            self.limit = float(self._most)
        elif self.in_flight + 1 > self.limit:
            self.limit = min(float(self._most), self.limit * (1 + GROWS_BY) + GROWS)

    def admits(self) -> bool:
        """Return whether one more call may come in."""
        lets_in = self.in_flight + 1 <= self.limit
        self._share += REMEMBERS * (lets_in - self._share)
        if not lets_in:
            self.refused += 1
            self._unrefused_s = 0.0
        return lets_in

    @property
    def retry_after_s(self) -> int:
        """When to come back: the fewer are let in, the later, and not all at the same time."""
        span_s = min(LONGEST_WAIT_S, ceil(1.0 / max(self._share, 0.01)))
        return 1 + self.refused % span_s


class Admitting:
    """Middleware that refuses POST on some paths while the gateway is overloaded; nothing of the request is read."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or path_of(scope) not in self._paths or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        admission: Admission = scope["app"].state.admission
        if not admission.admits():
            await _refusal(admission.retry_after_s)(scope, receive, send)
            return
        admission.in_flight += 1
        try:
            await self._app(scope, receive, send)
        finally:
            admission.in_flight -= 1


def _refusal(wait_s: int) -> JSONResponse:
    sentence = f"the gateway has more calls than it can serve; nothing was done, ask again in {wait_s} s"
    body = error_body("overloaded", sentence, kind="server_error", retry_after_s=wait_s)
    return JSONResponse(body, status_code=503, headers={"Retry-After": str(wait_s)})
