"""One circuit breaker: what failed again and again is left alone for a while, then asked once to see.

Closed → open after several failures in a row → half-open when its rest is over: one probe decides between closed and a
rest twice as long. Pure: the time comes with each call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """When a breaker opens, and for how long.

    A provider that fails three requests in ten at random opens one of eight in a row every twenty thousand requests;
    rolling health (`health.py`) lowers its share in the meantime.
    """

    failures: int = 8
    """Failures in a row that open it."""
    rest_s: float = 5.0
    """The first rest; twice as long after each probe that failed."""
    longest_rest_s: float = 120.0
    probe_s: float = 60.0
    """How long a probe may be out before another takes its place: its process may have died."""


DEFAULT_TOLERANCE = Tolerance()


@dataclass(frozen=True, slots=True)
class Breaker:
    """What one breaker remembers. Times are readings of one monotonic clock, in seconds."""

    failures: int = 0
    """In a row, counted up to the moment it opened."""
    openings: int = 0
    """How often it opened since the last answer; 0 = closed."""
    until_s: float = 0.0
    """When its rest is over."""
    probe_until_s: float = 0.0
    """Until when a probe counts as out; 0 = none is."""

    def state(self, now_s: float) -> BreakerState:
        """Return what it is at a moment."""
        if not self.openings:
            return "closed"
        return "open" if now_s < self.until_s else "half_open"

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until a request may be made: 0 where it may now."""
        if not self.openings:
            return 0.0
        return max(0.0, self.until_s - now_s, self.probe_until_s - now_s)

    def probing(self, now_s: float, tolerance: Tolerance = DEFAULT_TOLERANCE) -> "Breaker":
        """Return it with its probe sent; ValueError where none may be sent."""
        if not self.openings or self.wait_s(now_s) > 0:
            raise ValueError(f"a breaker that is {self.state(now_s)} sends no probe now")
        return replace(self, probe_until_s=now_s + tolerance.probe_s)

    def without_probe(self) -> "Breaker":
        """Return it with its probe given up: nothing is known of how it would have ended."""
        return replace(self, probe_until_s=0.0)

    def after_failure(self, now_s: float, tolerance: Tolerance = DEFAULT_TOLERANCE) -> "Breaker":
        """Return it after a failure; while it rests those of requests sent earlier change nothing."""
        state = self.state(now_s)
        if state == "open":
            return self
        failures = self.failures + (state == "closed")
        if state == "closed" and failures < tolerance.failures:
            return replace(self, failures=failures)
        return replace(self, failures=failures).opened(now_s, tolerance)

    def opened(self, now_s: float, tolerance: Tolerance = DEFAULT_TOLERANCE) -> "Breaker":
        """Return it open once more, for twice as long as the last time."""
        # 2**openings of a provider that is away for a week would not fit a float.
        rest_s = min(tolerance.longest_rest_s, tolerance.rest_s * 2 ** min(self.openings, 30))
        return Breaker(self.failures, self.openings + 1, now_s + rest_s)


CLOSED = Breaker()
"""One that nothing speaks against; an answer makes any breaker this."""

ORGS_TO_OPEN = 2
"""Orgs whose requests must have failed before everybody's are kept away."""


@dataclass(frozen=True, slots=True)
class CommonBreaker:
    """The breaker that the requests of all orgs meet: what one org sends can neither open it nor keep it open.

    It opens after as many failures in a row as any, of which no org's count for more than half, and rests again once
    probes of two orgs failed. Beside it each org has a plain one of its own, which its own failures open.
    """

    breaker: Breaker = CLOSED
    blamed: Mapping[str, int] = field(default_factory=dict)
    """By org, failures since the last sign of life; while it is half-open, failed probes."""

    def after_failure(
        self, org: str, now_s: float, tolerance: Tolerance = DEFAULT_TOLERANCE, *, times: int = 1
    ) -> "CommonBreaker":
        """Return it after failures of an org's requests; of one that is half-open, ready for another org's probe."""
        state = self.breaker.state(now_s)
        if state == "open":
            return self
        most = (tolerance.failures + 1) // ORGS_TO_OPEN
        blamed = {**self.blamed, org: min(most, self.blamed.get(org, 0) + times)}
        is_enough = state == "half_open" or sum(blamed.values()) >= tolerance.failures
        if len(blamed) < ORGS_TO_OPEN or not is_enough:
            return CommonBreaker(self.breaker.without_probe(), blamed)
        failing = replace(self.breaker, failures=max(self.breaker.failures, sum(blamed.values())))
        return CommonBreaker(failing.opened(now_s, tolerance))
