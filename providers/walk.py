"""One completion's way through deployments and keys: what was tried, what came of it, what may still be asked."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from ..state.errors import HedgeLost, ProviderError
from ..state.types import JSONObject
from .base import AttemptRecord, Completion
from .deltas import Sending
from .keyring import OwnKey
from .specs import Deployment, ModelSpec
from .stream_race import StreamRace


@dataclass(slots=True)
class Race:
    """Two requests for one answer."""

    is_won: bool = False
    """Whether one of them brought it."""


@dataclass(slots=True)
class Walk:
    """One completion's way through the deployments."""

    spec: ModelSpec
    body: JSONObject
    record: AttemptRecord
    timeout_s: float
    deadline_s: float
    sending: Sending | None = None
    hedged: bool = False
    """Whether a late request gets a second one beside it."""
    own_keys: Sequence[OwnKey] = ()
    """Keys that the caller's org brought along."""
    org: str = ""
    """Whose request it is."""
    tries: int | None = None
    """Most requests at one deployment; None = the gateway's own patience says."""
    failures: list[ProviderError] = field(default_factory=list)
    requests: int = 0
    """Made so far, answered or not."""
    race: Race | None = None
    """The race that its present request is part of."""
    out: str | None = None
    """Attempt whose request is out."""
    unused: Completion | None = None
    """What it brought too late."""
    beyond: set[tuple[str, str]] = field(default_factory=set, repr=False)
    """Keys, each with its address, whose accounts allow no request as large."""
    failed_own: set[tuple[str, str]] = field(default_factory=set, repr=False)
    """The caller's own keys, likewise, with which a request failed: another is used where there is one."""
    pending: tuple[str, ProviderError] | None = None
    """Attempt that failed, may have been billed, and can be repeated under its id without a second bill."""
    pending_with: str | None = None
    """The caller's own key that it was made with; None = the gateway's."""

    @property
    def is_bound(self) -> bool:
        """Whether nobody else may be asked: words were sent, or nobody waits for them."""
        return self.sending is not None and (self.sending.pieces > 0 or self.sending.reader.has_left)

    def passing_over(
        self,
        keys: Collection[tuple[str, str]],
        deployment: Deployment,
        wait_of: Callable[[str], float] | None,
    ) -> Callable[[str], float] | None:
        """Return what tells the seconds until a key may be used, these ones never being it; None where all may now."""
        if not keys:
            return wait_of

        def wait_s(key: str) -> float:
            if (key, deployment.base_url) in keys:
                return inf
            return 0.0 if wait_of is None else wait_of(key)

        return wait_s

    async def note_failure(self, attempt_id: str, error: ProviderError, deployment: Deployment) -> None:
        """Remember a failure; settle its attempt unless a repeat could still find the answer paid for."""
        error.may_have_billed = error.may_have_billed or self.pending is not None
        self.failures.append(error)
        self.pending = (attempt_id, error)
        if self.is_bound or not (error.may_have_billed and deployment.idempotent):
            await self.close()

    def fork(self, race: Race, streams: StreamRace | None = None) -> "Walk":
        """Return the walk of a second request that races this one's; `streams` where both send what they bring."""
        self.race = race
        beside = replace(self, hedged=False, failures=[], requests=0, out=None, unused=None, race=race)
        if streams is not None:
            self.sending, beside.sending = streams.sendings
        return beside

    async def join(self, beside: "Walk", streams: StreamRace | None, *, is_answered: bool) -> None:
        """Take over what a second request came to, and settle what was broken off."""
        self.failures += beside.failures
        self.requests += beside.requests
        self.race = None
        if streams is not None:
            self.sending = streams.sending
        await beside.lose()
        if is_answered or (streams is not None and streams.is_seconds):
            await self.lose()

    async def finish(self, attempt_id: str, completion: Completion) -> HedgeLost | None:
        """Settle an answered attempt; return an error instead where the other request of its race was faster."""
        if self.race is not None and self.race.is_won:
            self.unused = completion
            return HedgeLost("another request brought the answer first")
        if self.race is not None:
            self.race.is_won = True
        self.out = None
        await self.record.finish(attempt_id, completion)
        return None

    async def lose(self) -> None:
        """Settle the request whose answer is not needed any more: what it took, where that is known, or the most."""
        out, self.out = self.out, None
        if out is not None:
            self.pending = None
            lost = HedgeLost("another request brought the answer first")
            lost.usage = None if self.unused is None else self.unused.usage
            await self.record.fail(out, lost)
        await self.close()

    async def close(self) -> None:
        """Settle the pending attempt as failed."""
        if self.pending is not None:
            await self.record.fail(*self.pending)
            self.pending = None


def summed_up(failures: list[ProviderError]) -> ProviderError:
    """Return the last failure, telling of the earlier ones."""
    for earlier in failures[:-1]:
        failures[-1].add_note(f"before that: {earlier.code}: {earlier}")
    return failures[-1]
