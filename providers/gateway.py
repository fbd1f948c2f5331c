"""The waterfall: which deployment and key to try next, and when to stop."""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..state.errors import (
    BeyondAllowance,
    ConfigError,
    ProviderAuth,
    ProviderBilling,
    ProviderError,
    ProviderTimeout,
    ReaderLeft,
    StreamRefused,
)
from ..state.types import JSONObject
from .base import AttemptRecord, ChatProvider, Completion, ProviderRequest
from .blame import lies_with_the_body, lies_with_the_key
from .breakers import BreakerBook
from .deltas import Sending
from .errors_map import hide_secret, logged
from .hedging import Lateness, first_good
from .hindrance import hindrance_of
from .key_rest import rest_key
from .keyring import Keyring, Lease, OwnKey
from .patience import MAX_BACKOFF_S, Patience, backoff_s
from .registry import wanted_variables
from .specs import Deployment, ModelSpec
from .stream_race import StreamRace
from .walk import Race, Walk, summed_up

logger = logging.getLogger(__name__)

ITS_TIME = 0.9
"""Share of the usual time from which on a request that came to nothing is its deployment's fault."""
OPENAI_WIRE = "openai"
"""Key of the provider that speaks for every deployment not named in `providers`."""


class Gateway:
    """Makes one completion of one model out of its deployments and keys.

    Parameters
    ----------
    providers
        By dialect or deployment name; the one under "openai" speaks for all others.
    breakers
        Whom not to ask for a while; this gateway's own where absent.
    """

    def __init__(
        self,
        providers: Mapping[str, ChatProvider],
        keyring: Keyring,
        patience: Patience | None = None,
        breakers: BreakerBook | None = None,
    ) -> None:
        self._providers = providers
        self.keyring = keyring
        self._patience = patience or Patience()
        self.breakers = BreakerBook() if breakers is None else breakers
        self._lateness, self._first_lateness = Lateness(), Lateness()

    async def complete(  # noqa: PLR0913 - a request in one call
        self,
        spec: ModelSpec,
        body: JSONObject,
        *,
        record: AttemptRecord,
        timeout_s: float,
        deadline_s: float,
        sending: Sending | None = None,
        hedged: bool = False,
        own_keys: Sequence[OwnKey] = (),
        org: str = "",
        tries: int | None = None,
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
        sending
            Somebody who reads the answer while it is written; a failure after the first piece ends the walk, and
            `timeout_s` bounds no stream: its own limits and the deadline do.
        hedged
            Ask a second time where the first request takes longer than 95 in 100 did, and take what comes first: the
            answer, or the first piece of one that is sent while it is written.
        own_keys
            Keys that the caller's org brought along: each is used at its provider before the gateway's.
        org
            Whose request it is: what fails for one org alone is left alone for that org.
        tries
            Requests at one deployment whose failures do not lie with the key; this gateway's own patience where absent.

        Raises
        ------
        ProviderError
            The last failure, with the earlier ones as notes.
        """
        walk = Walk(spec, body, record, timeout_s, deadline_s, sending, hedged, own_keys, org, tries)
        for deployment in spec.deployments:
            completion = await self._try_deployment(walk, deployment)
            await walk.close()
            if completion is not None:
                return completion
            if walk.is_bound or (walk.failures and lies_with_the_body(walk.failures[-1])):
                break
        raise summed_up(walk.failures) if walk.failures else self._why_nothing_was_tried(walk)

    async def probe(self, spec: ModelSpec, body: JSONObject, *, timeout_s: float) -> Completion:
        """Return one answer of a model's first deployment that can be used, asked once and written down nowhere.

        Raises
        ------
        ProviderError
            When it gives none.
        """
        for deployment in spec.deployments:
            lease = self.keyring.next_key(deployment, self._patience.clock())
            provider = self._providers.get(deployment.dialect)
            if lease is not None and provider is not None:
                attempt_id = f"probe-{secrets.token_hex(8)}"
                return await provider.complete(
                    ProviderRequest(spec, deployment, body, attempt_id, timeout_s, lease.key)
                )
        raise ProviderAuth(
            f"no deployment of {spec.model_id} can be used; set {' or '.join(wanted_variables(spec))}"
        )

    async def _try_deployment(self, walk: Walk, deployment: Deployment) -> Completion | None:
        """Return its answer, or None when it gives none."""
        tries, most_tries = 0, self._patience.max_tries
        if deployment is walk.spec.deployments[-1]:
            most_tries = self._patience.last_tries
        most_tries = most_tries if walk.tries is None else walk.tries
        while walk.requests < self._patience.max_requests:
            left_s = walk.deadline_s - self._patience.clock()
            lease = await self._admitted(walk, deployment)
            if lease is None or left_s <= 0:
                break
            timeout_s = left_s if walk.sending is not None else min(walk.timeout_s, left_s)
            outcome = await self._ask(walk, deployment, lease, timeout_s)
            if isinstance(outcome, Completion):
                return outcome
            if walk.is_bound:
                break
            if isinstance(outcome, StreamRefused) or lies_with_the_key(outcome, lease.key):
                continue
            tries += 1
            if tries >= most_tries or not await self._may_repeat(walk, deployment, outcome, tries):
                break
        return None

    async def _admitted(self, walk: Walk, deployment: Deployment) -> Lease | None:
        """Return a key to ask a deployment with now; None where it has none that is rested, or is left alone."""
        now_s = self._patience.clock()
        wait_of = self.breakers.wait_of_key(deployment, now_s, walk.org)
        lease = None
        for passed_over in (walk.beyond | walk.failed_own, walk.beyond):
            allowed = walk.passing_over(passed_over, deployment, wait_of)
            lease = self.keyring.next_key(deployment, now_s, walk.own_keys, allowed)
            if (lease is not None and lease.wait_s == 0) or not walk.failed_own:
                break
        if lease is None or lease.wait_s > 0:
            return None
        return lease if await self.breakers.admit(deployment, lease.key, now_s, walk.org) else None

    async def _ask(
        self, walk: Walk, deployment: Deployment, lease: Lease, timeout_s: float
    ) -> Completion | ProviderError:
        """Make a request and, where it is late and that is wanted, a second one beside it."""
        lateness = self._lateness if walk.sending is None else self._first_lateness
        late_s = lateness.late_after_s(deployment) if walk.hedged and walk.pending is None else None
        if late_s is None or late_s >= timeout_s:
            return await self._request(walk, deployment, lease, timeout_s)
        race = None if walk.sending is None else StreamRace(walk.sending)
        beside, began_s = walk.fork(Race(), race), self._patience.clock()

        async def second() -> Completion | ProviderError:
            later = walk.spec.deployments[walk.spec.deployments.index(deployment) + 1 :]
            for other in (*later, deployment):
                if (found := await self._admitted(walk, other)) is not None:
                    try:
                        return await self._request(beside, other, found, timeout_s - late_s)
                    except ProviderError as error:  # it may not be begun: a cap or a budget is in the way
                        return error
            return ProviderTimeout("nobody else may be asked now")

        run = first_good if race is None else race.run
        outcome = await run(
            lambda: self._request(walk, deployment, lease, timeout_s),
            second, late_s, lambda came: isinstance(came, Completion),
        )  # fmt: skip
        if walk.out is not None:
            # At least so long: without it, only quick answers would be remembered.
            lateness.note(deployment, (self._patience.clock() - began_s) * 1e3)
        await walk.join(beside, race, is_answered=isinstance(outcome, Completion))
        return outcome

    async def _request(
        self, walk: Walk, deployment: Deployment, lease: Lease, timeout_s: float
    ) -> Completion | ProviderError:
        provider = self._providers.get(deployment.dialect)
        if provider is None:
            raise ConfigError(
                f"no provider speaks for deployment {deployment.name!r} of {walk.spec.model_id}"
            )
        if walk.pending_with != lease.byok_key:  # whoever pays for a repeat pays for all of its attempt
            await walk.close()
        pending, walk.pending_with = walk.pending, lease.byok_key
        attempt_id = pending[0] if pending else await walk.record.begin(deployment.name, lease.byok_key)
        walk.out, walk.requests = attempt_id, walk.requests + 1
        request = ProviderRequest(walk.spec, deployment, walk.body, attempt_id, timeout_s, lease.key)
        began_s = 0.0 if walk.sending is None else walk.sending.clock_s()
        try:
            if walk.sending is None:
                completion = await provider.complete(request)
            else:
                completion = await provider.stream(request, walk.sending)
        except ProviderError as error:
            hide_secret(error, lease.key)
            logger.info("attempt %s failed at %s: %s", attempt_id, deployment.name, logged(error))
            walk.out = None
            is_hurried = walk.sending is None and timeout_s < ITS_TIME * walk.timeout_s
            self._count_failure(request, error, walk.org, is_hurried=is_hurried)
            self._rest_key(walk, lease, deployment, error)
            await walk.note_failure(attempt_id, error, deployment)
            return error
        except asyncio.CancelledError:
            self.breakers.gave_up(deployment, lease.key, walk.org)
            raise
        self._note_answer(walk, request, completion, began_s)
        if walk.requests > 1:
            completion = replace(completion, tries=walk.requests)
        return await walk.finish(attempt_id, completion) or completion

    def _note_answer(
        self, walk: Walk, request: ProviderRequest, completion: Completion, began_s: float
    ) -> None:
        """Remember what an answer tells of the deployment and its key."""
        walk.pending, deployment = None, request.deployment
        self.breakers.answered(deployment, request.api_key, walk.org)
        self._lateness.note(deployment, completion.latency_ms)
        if walk.sending is not None and walk.sending.pieces:
            self._first_lateness.note(deployment, (walk.sending.first_at_s - began_s) * 1e3)
        if request.api_key is not None:
            self.keyring.accept(request.api_key, deployment)

    def _count_failure(
        self, request: ProviderRequest, error: ProviderError, org: str, *, is_hurried: bool
    ) -> None:
        """Tell the breakers of a failure, unless the time was short or nobody waited: no fault of the deployment."""
        if isinstance(error, ReaderLeft) or (is_hurried and isinstance(error, ProviderTimeout)):
            self.breakers.gave_up(request.deployment, request.api_key, org)
            return
        now_s = self._patience.clock()
        self.breakers.failed(request.spec, request.deployment, request.api_key, error, now_s, org)

    def _rest_key(self, walk: Walk, lease: Lease, deployment: Deployment, error: ProviderError) -> None:
        """Let the key rest when the failure may lie with it, also where nothing more may be asked for this answer."""
        if (key := lease.key) is None:
            return
        if isinstance(error, BeyondAllowance):
            walk.beyond.add((key, deployment.base_url))
        elif lease.byok_key is not None:
            walk.failed_own.add((key, deployment.base_url))
        rest_key(self.keyring, lease, deployment, error, now_s=self._patience.clock(), org=walk.org)

    async def _may_repeat(self, walk: Walk, deployment: Deployment, error: ProviderError, tries: int) -> bool:
        """Wait out the backoff and return True; return False when it must not be asked again."""
        if not error.retryable or isinstance(error, ProviderAuth | ProviderBilling):
            return False  # what wants another key has been asked with it; without any, nothing helps
        if error.may_have_billed and not deployment.idempotent:
            return False
        wait_s = max(backoff_s(tries, self._patience.rng), error.retry_after_s or 0.0)
        if wait_s > MAX_BACKOFF_S or self._patience.clock() + wait_s >= walk.deadline_s:
            return False
        await self._patience.sleep(wait_s)
        return True

    def _why_nothing_was_tried(self, walk: Walk) -> ProviderError:
        hindrance = self.hindrance(walk.spec, own_keys=walk.own_keys, org=walk.org)
        return hindrance or ProviderTimeout(f"no time was left to ask for {walk.spec.model_id}")

    def hindrance(
        self, spec: ModelSpec, *, own_keys: Sequence[OwnKey] = (), org: str = ""
    ) -> ProviderError | None:
        """Return why a model cannot be asked for an org now, keys and breakers considered; None where it can."""
        return hindrance_of(
            spec, self.keyring, self.breakers, self._patience.clock(), own_keys=own_keys, org=org
        )
