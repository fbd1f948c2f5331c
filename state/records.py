"""Frozen records: what is decided about, and what is kept. Ranges are checked once, on construction.

Money is counted in integer **nano-dollars** (``_nusd``, 1e-9 US dollar): micro-dollars would round a tenth away.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal

from .savings import paid, saved
from .types import TIERS

NANO = Decimal(1_000_000_000)


def usd_from_nusd(nusd: int) -> float:
    """Return US dollars; exact to the nano-dollar when printed, since nine decimals fit a double below $9 M."""
    return nusd / 1_000_000_000  # of whole numbers Python returns the nearest double


def nusd_from_usd(usd: Decimal | str | float) -> int:
    """Return nano-dollars, half to even. A float goes through its shortest decimal form."""
    return int((Decimal(str(usd)) * NANO).to_integral_value(ROUND_HALF_EVEN))


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def _prob(name: str, value: float) -> None:
    _require(0.0 <= value <= 1.0, f"{name} must be between 0 and 1, got {value!r}")


@dataclass(frozen=True, slots=True)
class Arm:
    """A model as the decision sees it, priced for one request."""

    model_id: str
    provider: str
    tier: str
    expected_cost_nusd: int
    """Estimated cost of this request on this model, nano-dollars."""
    expected_latency_ms: float
    completion_prob: float
    """Predicted probability of a good answer before any evidence of the org's own."""
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    context_tokens: int
    """Largest prompt plus answer the model takes, tokens."""
    max_output_tokens: int
    capabilities: frozenset[str] = frozenset()
    """Such as "tools", "json_schema", "vision"."""
    modalities: frozenset[str] = frozenset({"text"})
    """What it reads: text, image, audio, video, file."""
    capped_cost_nusd: int | None = None
    """What a cost cap is held against: the most this request can cost, with an answer of usual length; None = the
    estimate."""
    availability: float = 1.0
    """Probability that asking it brings an answer at all; says nothing of how good the answer is."""
    cached_share: float = 0.0
    """Share of the prompt that is expected to be read from the vendor's cache, and so costs less."""
    is_unknown: bool = False
    """Whether `completion_prob` is a guess from its tier alone: draws are wide then, so that it is soon known."""

    def __post_init__(self) -> None:
        """Check ranges."""
        _require(self.tier in TIERS, f"tier must be one of {', '.join(TIERS)}, got {self.tier!r}")
        _require((cost := self.expected_cost_nusd) >= 0, f"expected_cost_nusd must be >= 0, got {cost}")
        _prob("completion_prob", self.completion_prob)

    @property
    def rank(self) -> int:
        """Position of the tier on the ladder, 0 = slm."""
        return TIERS.index(self.tier)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an org observed of one arm: in one context cell, or pooled over all of them (`task_cell` = "*").

    `successes` and `failures` sum the rewards of every judged answer (the classic Beta counts). The sums R, Q, n of
    learning weights, predictions and observations count first calls and random audits only, since escalated calls would
    bias them: discounted (`reward_sum` …), of the long run (`…_total`), and since the last drift (`fast_…`).
    """

    model_id: str
    task_cell: str
    tier: str = "slm"
    successes: float = 0.0
    failures: float = 0.0
    reward_sum: float = 0.0
    predicted_sum: float = 0.0
    weight: float = 0.0
    calls_seen: int = 0
    """The org's call count when the discounted sums were last updated."""
    reward_total: float = 0.0
    predicted_total: float = 0.0
    weight_total: float = 0.0
    rescue_tries: int = 0
    """Judged answers given after an escalation."""
    rescues: int = 0
    """How many of them were better than every answer held before."""
    fast_reward: float = 0.0
    fast_predicted: float = 0.0
    fast_weight: float = 0.0
    drift_up: float = 0.0
    """Evidence that the arm became better, in nats; kept in the pooled row, as all that follows."""
    drift_down: float = 0.0
    """Evidence that it became worse."""
    drift_calls: int = 0
    """Observations the detector looked at since it last fired."""
    drifts: int = 0
    """How often it fired."""
    drifted_at: int = 0
    """The org's call count when it last fired; 0 before."""
    forgotten_reward: float = 0.0
    """R of what the arm was like before it became worse, as the two that follow; nothing once it became better."""
    forgotten_predicted: float = 0.0
    forgotten_weight: float = 0.0
    return_odds: float = 0.0
    """Odds that the arm is as it was before it became worse, when it was last looked at."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Prior belief and evidence of one arm; what was given and what was learned keep separate names."""

    model_id: str
    tier: str
    prior_alpha: float
    prior_beta: float
    successes: float = 0.0
    failures: float = 0.0

    @property
    def alpha(self) -> float:
        """Prior plus observed successes, at least .01."""
        return max(self.prior_alpha + self.successes, 0.01)

    @property
    def beta(self) -> float:
        """Prior plus observed failures, at least .01."""
        return max(self.prior_beta + self.failures, 0.01)

    @property
    def mean(self) -> float:
        """Mean of Beta(alpha, beta)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def confidence(self) -> float:
        """Share of the fifty observations after which an arm counts as known: min(1, (alpha + beta) / 50)."""
        return min(1.0, (self.alpha + self.beta) / 50.0)


AttemptStatus = Literal["started", "finished", "failed", "interrupted"]
AttemptKind = Literal["answer", "judge"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider request. `reserved_nusd`, the most it can cost, counts as spent until `cost_nusd` is known."""

    attempt_id: str
    org: str
    call_id: str
    step: int
    """0 for the first answer of the call, then up."""
    kind: AttemptKind
    model_id: str
    tier: str
    deployment: str
    status: AttemptStatus
    reserved_nusd: int
    started_at: datetime
    cost_nusd: int | None = None
    cost_source: str | None = None
    """"reported" by the provider, "computed" from its tokens, "estimated" from guessed ones, or "reserved"."""
    disputed_nusd: int = 0
    """What was billed beyond `cost_nusd` and is not believed; counts in no sum."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    latency_ms: float | None = None
    error: str | None = None
    """`ProviderError.code` of a failed attempt."""
    response: dict[str, Any] | None = None
    """The completion itself, kept only where calls must be resumable."""
    finished_at: datetime | None = None
    byok_key: str | None = None
    """Id of the org's own provider key it was made with: the org pays the vendor; None = the gateway's."""

    @property
    def spent_nusd(self) -> int:
        """What this attempt counts for in any budget: the cost once known, the reservation until then."""
        return self.reserved_nusd if self.cost_nusd is None else self.cost_nusd


CallStatus = Literal["answered", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request through the cascade, as logged."""

    call_id: str
    org: str
    created_at: datetime
    status: CallStatus
    task_type: str
    task_cell: str
    difficulty: float
    model_id: str | None
    provider: str | None
    tier: str | None
    cost_nusd: int
    """All requests for an answer, failed ones that were billed included."""
    judge_cost_nusd: int
    reference_cost_nusd: int
    """Cost of the returned answer's tokens on the reference frontier model; 0 where no answer came."""
    quality_score: float | None
    quality_source: str
    latency_ms: float
    cascade_steps: int
    escalations: int
    fallbacks: int
    propensity: float
    router: str
    simulated: bool
    record_hash: str
    decision: dict[str, Any] = field(default_factory=dict)
    """The first decision, with what off-policy evaluation needs."""
    prompt: str | None = None
    """Null unless prompts are stored."""
    inputs: bytes | None = None
    """[embedding | features] of the prompt as `pack_inputs` packs them; null unless inputs are stored."""
    pool_cost_nusd: int | None = None
    """Cost of the same tokens on the dearest model the router chooses among; null where it chooses among all."""
    user_id: str | None = None
    """Whose call it is within the org, in the caller's words."""
    conversation_id: str | None = None
    turn_key: bytes | None = None
    cache_type: str | None = None
    """"exact" or "semantic" where the answer was another call's, kept; null where it was bought."""
    cache_saved_nusd: int = 0
    """What that call had paid for it."""

    @property
    def paid_nusd(self) -> int:
        """Everything the call cost, judge included."""
        return paid(self.cost_nusd, self.judge_cost_nusd)

    @property
    def saved_nusd(self) -> int:
        """What was saved against the reference; below 0 where the call cost more."""
        return saved(self.reference_cost_nusd, self.paid_nusd)

    @property
    def pool_saved_nusd(self) -> int | None:
        """What was saved against the dearest model of the router's own pool; None where that is all models."""
        return None if self.pool_cost_nusd is None else saved(self.pool_cost_nusd, self.paid_nusd)
