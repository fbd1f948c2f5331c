"""The waterfall: which deployment and key to try next, and when to stop."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from ..state.errors import (
    ConfigError,
    ContentFiltered,
    ContextLengthExceeded,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderError,
    ProviderRateLimit,
    ProviderTimeout,
)
from ..state.types import JSONObject
from .base import AttemptRecord, ChatProvider, Completion, ProviderRequest
from .keyring import Keyring
from .registry import wanted_variables
from .specs import Deployment, ModelSpec

logger = logging.getLogger(__name__)

OPENAI_WIRE = "openai"
"""Key of the provider that speaks for every deployment not named in `providers`."""
RATE_LIMIT_REST_S = 5.0
"""How long a key rests after a rate limit that does not say how long."""
SHORTEST_REST_S = 0.5
"""How long it rests at least, so that "retry after 0" cannot spin."""
LONGEST_REST_S = 300.0
"""How long it rests at most, whatever the provider asks for: then it is tried again."""
REFUSED_REST_S = 300.0
"""How long a key rests that is unknown to the provider or has no credit left."""
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 2.0


@dataclass(slots=True)
class _Walk:
    """One completion's way through the deployments."""

    spec: ModelSpec
    body: JSONObject
    record: AttemptRecord
    timeout_s: float
    deadline_s: float
    failures: list[ProviderError] = field(default_factory=list)
    pending: tuple[str, ProviderError] | None = None
    """Attempt that failed, may have been billed, and can be repeated under its id without a second bill."""

    async def note_failure(self, attempt_id: str, error: ProviderError, deployment: Deployment) -> None:
        """Remember a failure; settle its attempt unless a repeat could still find the answer paid for."""
        error.may_have_billed = error.may_have_billed or self.pending is not None
        self.failures.append(error)
        self.pending = (attempt_id, error)
        if not (error.may_have_billed and deployment.idempotent):
            await self.close()

    async def close(self) -> None:
        """Settle the pending attempt as failed."""
        if self.pending is not None:
            await self.record.fail(*self.pending)
            self.pending = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a deployment is asked, and by which clock, sleep and chance the gateway waits in between."""

    max_tries: int = 2
    """Requests at one deployment whose failures do not lie with the key."""
    clock: Callable[[], float] = time.monotonic
    """Seconds on a monotonic clock."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)


class Gateway:
    """Makes one completion of one model out of its deployments and keys.

    Parameters
    ----------
    providers
        By deployment name; the one under "openai" speaks for all others.
    """

    def __init__(
        self, providers: Mapping[str, ChatProvider], keyring: Keyring, patience: Patience | None = None
    ) -> None:
        self._providers = providers
        self._keyring = keyring
        self._patience = patience or Patience()

    async def complete(
        self, spec: ModelSpec, body: JSONObject, *, record: AttemptRecord, timeout_s: float, deadline_s: float
    ) -> Completion:
        """Return the first answer found on the way down the deployments.

        A refused key rests and the next key is tried. Where asking again may help, the same deployment is
        asked again, unless the failed request may have been billed and the deployment would bill it twice:
        then the next deployment is. Repeats that are not billed twice share one attempt id.

        Parameters
        ----------
        record
            Told of every request before it is made and when it is settled; gives the attempt ids.
        timeout_s
            Seconds for one request.
        deadline_s
            Reading of the clock after which nothing more is started.

        Raises
        ------
        ProviderError
            The last failure, with the earlier ones as notes.
        """
        walk = _Walk(spec, body, record, timeout_s, deadline_s)
        for deployment in spec.deployments:
            completion = await self._try_deployment(walk, deployment)
            await walk.close()
            if completion is not None:
                return completion
            if walk.failures and _lies_with_the_body(walk.failures[-1]):
                break
        raise _summed_up(walk.failures) if walk.failures else self._why_nothing_was_tried(walk)

    async def _try_deployment(self, walk: _Walk, deployment: Deployment) -> Completion | None:
        """Return its answer, or None when it gives none."""
        tries = 0
        while (lease := self._keyring.next_key(deployment, self._patience.clock())) and lease.wait_s == 0:
            left_s = walk.deadline_s - self._patience.clock()
            if left_s <= 0:
                break
            outcome = await self._request(walk, deployment, lease.key, min(walk.timeout_s, left_s))
            if isinstance(outcome, Completion):
                return outcome
            if self._rest_key(lease.key, deployment, outcome):
                continue
            tries += 1
            if tries >= self._patience.max_tries or not await self._may_repeat(
                walk, deployment, outcome, tries
            ):
                break
        return None

    async def _request(
        self, walk: _Walk, deployment: Deployment, key: str | None, timeout_s: float
    ) -> Completion | ProviderError:
        provider = self._providers.get(deployment.name) or self._providers.get(OPENAI_WIRE)
        if provider is None:
            raise ConfigError(
                f"no provider speaks for deployment {deployment.name!r} of {walk.spec.model_id}"
            )
        attempt_id = walk.pending[0] if walk.pending else await walk.record.begin(deployment.name)
        request = ProviderRequest(walk.spec, deployment, walk.body, attempt_id, timeout_s, key)
        try:
            completion = await provider.complete(request)
        except ProviderError as error:
            logger.info("attempt %s failed at %s: %s", attempt_id, deployment.name, error.code)
            await walk.note_failure(attempt_id, error, deployment)
            return error
        walk.pending = None
        if key is not None:
            self._keyring.accept(key, deployment)
        completion = replace(completion, tries=len(walk.failures) + 1)
        await walk.record.finish(attempt_id, completion)
        return completion

    def _rest_key(self, key: str | None, deployment: Deployment, error: ProviderError) -> bool:
        """Let the key rest when the failure may lie with it; return whether it may."""
        if key is None or not isinstance(error, ProviderRateLimit | ProviderBilling | ProviderAuth):
            return False
        now_s = self._patience.clock()
        if isinstance(error, ProviderRateLimit):
            self._keyring.rest(key, deployment, now_s + rest_s(error))
        else:
            self._keyring.refuse(key, deployment, now_s + REFUSED_REST_S)
        return True

    async def _may_repeat(
        self, walk: _Walk, deployment: Deployment, error: ProviderError, tries: int
    ) -> bool:
        """Wait out the backoff and return True; return False when it must not be asked again."""
        if not error.retryable:
            return False
        if error.may_have_billed and not deployment.idempotent:
            return False
        backoff_s = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (tries - 1)) * self._patience.rng.uniform(
            0.5, 1.0
        )
        wait_s = max(backoff_s, error.retry_after_s or 0.0)
        if wait_s > MAX_BACKOFF_S or self._patience.clock() + wait_s >= walk.deadline_s:
            return False
        await self._patience.sleep(wait_s)
        return True

    def _why_nothing_was_tried(self, walk: _Walk) -> ProviderError:
        now_s, model_id = self._patience.clock(), walk.spec.model_id
        leases = [self._keyring.next_key(deployment, now_s) for deployment in walk.spec.deployments]
        waits = [lease.wait_s for lease in leases if lease is not None]
        if not waits:
            names = " or ".join(wanted_variables(walk.spec))
            return ProviderAuth(f"no deployment of {model_id} can be used; set {names}")
        if min(waits) > 0:
            return ProviderRateLimit(
                f"every key of {model_id} is resting, the first for {min(waits):.1f} s more",
                retry_after_s=min(waits),
            )
        return ProviderTimeout(f"no time was left to ask for {model_id}")


def rest_s(error: ProviderRateLimit) -> float:
    """Return how long to leave a provider alone that is busy: as long as it asks, within bounds."""
    asked_s = RATE_LIMIT_REST_S if error.retry_after_s is None else error.retry_after_s
    return min(LONGEST_REST_S, max(SHORTEST_REST_S, asked_s))


def _lies_with_the_body(error: ProviderError) -> bool:
    """Return whether the same body fails at every deployment of the model."""
    return isinstance(error, ContextLengthExceeded | ContentFiltered | ProviderBadRequest)


def _summed_up(failures: list[ProviderError]) -> ProviderError:
    """Return the last failure, telling of the earlier ones."""
    for earlier in failures[:-1]:
        failures[-1].add_note(f"before that: {earlier.code}: {earlier}")
    return failures[-1]
