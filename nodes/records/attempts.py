"""Write every provider request of a call down, before it is made and when it is settled."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from ...providers.base import Completion
from ...providers.specs import ModelSpec
from ...state.errors import AttemptInterrupted, OverBudget, ProviderError
from ...state.money.attempts import NO_CHARGE
from ...state.money.budgets import Charge
from ...state.money.disputes import quarantined
from ...state.records import Attempt, AttemptKind
from ...state.types import JSONObject
from ...state.usage import Usage
from ..services import Services
from .together import PLACE, Place


def attempt_prefix(org: str, call_id: str, kind: AttemptKind, step: int) -> str:
    """Return the beginning of the ids of a step's attempts.

    Ids reach providers as idempotency keys, so they are hashed: an org's name is nobody else's business. They are
    the same when a call is resumed, so that a provider that knows the key does not bill again.
    """
    return f"{sha256(f'{org}/{call_id}'.encode()).hexdigest()[:24]}-{kind[0]}{step}"


@dataclass
class Recording:
    """The attempts of one step of one call: kept in the store, and for the working memory."""

    services: Services
    org: str
    call_id: str
    step: int
    kind: AttemptKind
    spec: ModelSpec
    reserved_nusd: int
    left_nusd: int | None = None
    """What the caller's cap leaves for this step; None without a cap."""
    charge: Charge = NO_CHARGE
    """Budgets of the org that every request of this step is charged to."""
    reserved_tokens: int = 0
    """Most tokens that one request can take; 0 where none are counted."""
    keeps_words: bool = True
    """Whether an answer may be written down, so that a resumed call finds it."""
    open_attempts: dict[str, Attempt] = field(default_factory=dict)
    open_charges: dict[str, Charge] = field(default_factory=dict)
    """What each of them reserved."""
    adopted: Attempt | None = None
    """One that was out when its process died, and is yet to be repeated under its id."""
    settled: list[Attempt] = field(default_factory=list)

    @property
    def made(self) -> tuple[Attempt, ...]:
        """What was made and settled, without the texts that came back."""
        return tuple(one if one.response is None else replace(one, response=None) for one in self.settled)

    @property
    def spent_nusd(self) -> int:
        """What this step's settled attempts count for."""
        return sum(one.spent_nusd for one in self.settled)

    @property
    def is_bounded(self) -> bool:
        """Whether a cap, a ceiling or a quota says what may be spent."""
        return self.left_nusd is not None or any(budget.is_bounded for budget in self.charge.budgets)

    async def recall(self) -> Attempt | None:
        """Take over what this step asked before its process died; return the newest such attempt, None without any."""
        made = await self.services.store.attempts.for_call(self.org, self.call_id)
        prior = [one for one in made if (one.step, one.kind) == (self.step, self.kind)]
        self.settled += [one for one in prior if one.status != "started"]
        return prior[-1] if prior else None

    async def paid_before(self) -> Completion | None:
        """Return the answer this step paid for before its process died, or None when it must ask.

        Raises
        ------
        AttemptInterrupted
            When a request was out and a repetition might be billed again.
        """
        prior = await self.recall()
        if prior is not None and prior.status == "finished" and prior.response is not None:
            return _completion(prior.response, prior.deployment)
        if prior is None or prior.status != "started":
            return None
        if not any(one.idempotent for one in self.spec.deployments if one.name == prior.deployment):
            raise await self.interrupt(prior)
        self.adopt(prior)
        return None

    async def begin(self, deployment: str, byok_key: str | None = None) -> str:
        """Reserve the most a request can cost, and return its attempt id; an adopted one is reserved already.

        `byok_key` names the org's own provider key that it is made with.

        Raises
        ------
        ProviderError
            When attempts that failed here may have cost what the caller's cap left.
        OverBudget
            When a budget of the org leaves too little, for this call or for another of the same request; nothing is
            reserved then.
        """
        place = PLACE.get() if self.is_bounded else None
        if place is not None:
            place.check()
        if self.adopted is not None and self.adopted.deployment == deployment:
            adopted, self.adopted = self.adopted, None
            return adopted.attempt_id
        spent_nusd = self.spent_nusd + sum(one.reserved_nusd for one in self.open_attempts.values())
        if self.left_nusd is not None and spent_nusd and spent_nusd + self.reserved_nusd > self.left_nusd:
            raise ProviderError(f"another request to {self.spec.model_id} could pass the caller's cost cap")
        number = len(self.settled) + len(self.open_attempts)
        attempt = Attempt(
            attempt_id=f"{attempt_prefix(self.org, self.call_id, self.kind, self.step)}-{number}",
            org=self.org,
            call_id=self.call_id,
            step=self.step,
            kind=self.kind,
            model_id=self.spec.model_id,
            tier=self.spec.tier,
            deployment=deployment,
            status="started",
            reserved_nusd=self.reserved_nusd,
            started_at=self.services.now(),
            byok_key=byok_key,
        )
        charge = replace(self.charge, tokens=self.reserved_tokens)
        await self.services.store.attempts.start(
            attempt, charge, opens_call=self.kind == "answer" and self.step == 0 and number == 0
        )
        self.open_charges[attempt.attempt_id] = charge
        self.open_attempts[attempt.attempt_id] = attempt
        if place is not None:
            await self._arrive(place, attempt)
        return attempt.attempt_id

    async def finish(self, attempt_id: str, completion: Completion) -> None:
        """Settle a request that was answered; without usage its cost stays what was reserved."""
        self._note(self.open_attempts[attempt_id].deployment, completion.latency_ms)
        self.services.fitness.answered(self.spec.known_as, self.org)
        usage = completion.usage
        cost_nusd, source = (
            (self.reserved_nusd, "reserved")
            if usage is None
            else self.spec.charge_nusd(usage, completion.service_tier)
        )
        source = "estimated" if usage is not None and usage.is_estimate else source
        await self._settle(
            self.open_attempts.pop(attempt_id),
            None if usage is None else usage.prompt_tokens + usage.completion_tokens,
            status="finished",
            cost_nusd=cost_nusd,
            cost_source=source,
            prompt_tokens=usage.prompt_tokens if usage else 0,
            cached_tokens=usage.cached_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
            reasoning_tokens=usage.reasoning_tokens if usage else 0,
            latency_ms=round(completion.latency_ms, 3),
            response=_response(completion) if self.services.limits.resumable and self.keeps_words else None,
        )

    async def fail(self, attempt_id: str, error: ProviderError) -> None:
        """Settle a request that failed: nothing was spent, unless it was counted or the work may have been done.

        Of an answer that broke off nobody knows what the vendor bills. What was read of it is an estimate, which is
        good enough where nothing bounds the call, and may be less than the bill; so under a cap, a budget or a quota
        the reservation counts.
        """
        if error.is_providers_fault:
            self._note(self.open_attempts[attempt_id].deployment, None)
        self.services.fitness.note(self.spec.known_as, error, self.services.clock_s(), self.org)
        cost_nusd, source = (self.reserved_nusd, "reserved") if error.may_have_billed else (0, "computed")
        tokens = None if error.may_have_billed else 0
        if error.usage is not None and error.usage.is_estimate and self.is_bounded:
            cost_nusd, source, tokens = self.reserved_nusd, "reserved", None
        elif error.usage is not None:
            cost_nusd, source = self.spec.charge_nusd(error.usage)
            source = "estimated" if error.usage.is_estimate else source
            tokens = error.usage.prompt_tokens + error.usage.completion_tokens
        await self._settle(
            self.open_attempts.pop(attempt_id),
            tokens,
            status="failed",
            error=error.code,
            cost_nusd=cost_nusd,
            cost_source=source,
        )

    def adopt(self, prior: Attempt) -> None:
        """Go on with an attempt that was out when its process died, under its own id, so that it is billed once."""
        self.open_attempts[prior.attempt_id] = self.adopted = prior

    async def interrupt(self, prior: Attempt) -> AttemptInterrupted:
        """Settle an attempt nobody can ask about any more, its reservation spent; return the error to raise."""
        error = AttemptInterrupted(
            f"attempt {prior.attempt_id} was out when its process died; it may have been billed"
        )
        await self._settle(
            prior,
            None,
            status="interrupted",
            error=error.code,
            cost_nusd=prior.reserved_nusd,
            cost_source="reserved",
        )
        return error

    async def _arrive(self, place: Place, attempt: Attempt) -> None:
        """Wait for the other calls of the request; nothing was asked where the wait ends otherwise."""
        is_had = False
        try:
            await place.arrive()
            is_had = True
        finally:
            if not is_had:
                self.open_attempts.pop(attempt.attempt_id)
                code = OverBudget.code
                await self._settle(
                    attempt, 0, status="failed", error=code, cost_nusd=0, cost_source="computed"
                )

    def _note(self, deployment: str, latency_ms: float | None) -> None:
        """Tell the health book how the request went: its latency, or None when the provider failed."""
        self.services.health.note(
            self.spec.known_as, deployment, latency_ms, self.services.clock_s(), self.org
        )

    async def _settle(self, attempt: Attempt, tokens: int | None, **outcome: Any) -> None:
        """Write down what came of a request: fields of its attempt, and the tokens it took, None for all reserved."""
        left_nusd = None if self.left_nusd is None else self.left_nusd - self.spent_nusd
        attempt = quarantined(replace(attempt, finished_at=self.services.now(), **outcome), left_nusd)
        made = self.services.store.attempts
        # What a dead process paid for is taken up again from here, so then it must be known to be kept.
        finish = made.finish if self.services.limits.resumable else made.finish_later
        # One that another process began reserved what this one would.
        reserved = replace(self.charge, tokens=self.reserved_tokens)
        await finish(attempt, self.open_charges.pop(attempt.attempt_id, reserved), tokens)
        self.settled.append(attempt)


def _response(completion: Completion) -> JSONObject:
    return {
        "message": completion.message,
        "finish_reason": completion.finish_reason,
        "usage": completion.usage.to_openai() if completion.usage else None,
        "model": completion.model,
        "latency_ms": completion.latency_ms,
        "service_tier": completion.service_tier,
        "logprobs": completion.logprobs,
    }


def _completion(response: JSONObject, deployment: str) -> Completion:
    return Completion(
        message=response["message"],
        finish_reason=response["finish_reason"],
        usage=Usage.from_openai(response["usage"]),
        model=response["model"],
        latency_ms=response["latency_ms"],
        deployment=deployment,
        service_tier=response.get("service_tier"),
        logprobs=response.get("logprobs"),
    )
