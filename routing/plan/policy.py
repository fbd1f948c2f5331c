"""Hard constraints of a call: which models may be asked at all, and which constraint removed the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ...state.ceilings import is_imposed, is_quota
from ...state.complaints import complain
from ...state.errors import BudgetExceeded, InvalidRequest, NoEligibleModel, PromptTooLong, QuotaExceeded
from ...state.records import Arm, nusd_from_usd, usd_from_nusd
from ...state.types import TIERS, Tier
from .needs import Needs, narrow, unmet

Modality = Literal["text", "image", "audio", "video", "file"]
"""What a model may read."""
FAST_LATENCY_MS = 500.0
"""Whoever would wait for less is served by the fastest tier."""
LEAST_BUDGET_USD, MOST_BUDGET_USD = 1e-9, 1e6
"""Budgets are kept in whole nano-dollars."""

_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Usd = Annotated[_Number, Field(ge=0, description="a number of US dollars >= 0")]
_Share = Annotated[_Number, Field(ge=0, le=1, description="a number between 0 and 1")]
_Budget = Annotated[
    _Number,
    Field(
        ge=LEAST_BUDGET_USD,
        le=MOST_BUDGET_USD,
        description="a number of US dollars above 0, at most 1,000,000",
    ),
]
_TOO_LONG = "context length:"
"""How the objection of a window begins."""
MOST_NAMES, MOST_NAME_CHARS = 256, 256
_Name = Annotated[str, Field(strict=True, min_length=1, max_length=MOST_NAME_CHARS)]
_Names = Annotated[
    frozenset[_Name],
    Field(min_length=1, max_length=MOST_NAMES, description=f"a list of 1 to {MOST_NAMES} names"),
]
_Modalities = Annotated[
    frozenset[Modality],
    Field(min_length=1, description=f"a list of some of {', '.join(get_args(Modality))}"),
]


@dataclass(frozen=True, slots=True)
class Policy:
    """Constraints no routing decision may break; None and empty mean unconstrained."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    max_cost_per_call_usd: _Usd | None = None
    """US dollars for all answers and judgements of the call."""
    allowed_providers: _Names = frozenset()
    max_tier: Annotated[Tier | None, Field(description=f"one of {', '.join(TIERS)}")] = None
    """Highest tier that may be asked."""
    required_capabilities: _Names = frozenset()
    max_cost_per_token: _Usd | None = None
    """US dollars per token, compared with the dearer of input and output price."""
    quality_bar: _Share | None = None
    """Quality, 0 to 1, beyond which more is worth nothing to the caller."""
    max_latency_ms: Annotated[
        float | None,
        Field(strict=True, gt=0, allow_inf_nan=False, description="a number of milliseconds above 0"),
    ] = None
    """Expected milliseconds of one answer."""
    require_modalities: _Modalities = frozenset()
    """What the model must read: text, image, audio, video, file."""
    prefer_modalities: _Modalities = frozenset()
    """As `require_modalities` where some eligible model reads them all; without effect otherwise."""
    prefer_latency_ms: Annotated[
        float | None,
        Field(strict=True, gt=0, allow_inf_nan=False, description="a number of milliseconds above 0"),
    ] = None
    """As `max_latency_ms` where some eligible model is expected to be as fast; below 500 those of the lowest tier."""
    allow_free_fallback: Annotated[bool | None, Field(strict=True, description="true or false")] = None
    """Whether a model without a price may answer once another one failed; None = yes."""
    judged_share: _Share | None = None
    """Share, 0 to 1, of the answers the plan would not judge that are judged all the same, to learn from; None = the
    router's. Answers the plan wants judged always are."""
    hedge: Annotated[bool | None, Field(strict=True, description="true or false")] = None
    """Whether a late request gets a second one beside it, which is paid as well; None = as the gateway is set."""
    budget_usd_per_call: _Budget | None = None
    """Mean cost of the org's calls under this very budget, US dollars."""
    budget_usd_per_day: _Budget | None = None
    """Sum of a UTC day over all calls of the org, US dollars."""

    @property
    def bounds_money(self) -> bool:
        """Whether it sets a cost cap or a budget."""
        bounds = self.max_cost_per_call_usd, self.budget_usd_per_call, self.budget_usd_per_day
        return any(bound is not None for bound in bounds)

    @classmethod
    def parse(cls, mapping: Mapping[str, Any] | None) -> "Policy":
        """Return the policy a caller wrote; an absent or null key constrains nothing.

        Raises
        ------
        InvalidRequest
            If a key is unknown or a value of the wrong type or range; `field` names it.
        """
        if mapping is None:
            return cls()
        if not isinstance(mapping, Mapping):
            raise InvalidRequest(f"policy must be an object, got {mapping!r}", field="policy")
        try:
            return _FORMAT.validate_python(
                {key: value for key, value in mapping.items() if value is not None}
            )
        except ValidationError as error:
            wrong = complain(error.errors(), _FORMAT.json_schema(), mapping)
            field = f"policy.{wrong.place}".rstrip(".")
            problem = (
                f"is unknown; {wrong.hint}" if wrong.hint else f"must be {wrong.expected}, got {wrong.got}"
            )
            raise InvalidRequest(f"{field} {problem}", field=field) from error


_FORMAT = TypeAdapter(Policy)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a call asks of the model that is to answer it now."""

    prompt_tokens: int
    answer_tokens: int
    """Estimated; together with the prompt's they must fit the model's window."""
    needs: Needs = ()
    """What the request asks of any model."""
    spent_nusd: int = 0
    """What the call has spent already; it lowers what is left of the cost cap."""
    failed: Collection[str] = frozenset()
    """Model ids that brought no answer in this call."""


def eligible(arms: Sequence[Arm], policy: Policy, demand: Demand) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms that may be asked, in the given order, and the sentence that removed each other one."""
    kept: list[Arm] = []
    removed: dict[str, str] = {}
    for arm in arms:
        if arm.model_id in demand.failed:
            removed[arm.model_id] = "failed earlier in this call"
        elif objection := _objection(arm, policy, demand):
            removed[arm.model_id] = objection
        else:
            kept.append(arm)
    kept, unable = narrow(demand.needs, kept)
    removed |= unable
    kept, slower = _prefer_fast(kept, policy)
    removed |= slower
    preferred = [arm for arm in kept if policy.prefer_modalities <= arm.modalities]
    if preferred:
        aside = (arm for arm in kept if not policy.prefer_modalities <= arm.modalities)
        removed |= {
            arm.model_id: _lacking("prefer_modalities", policy.prefer_modalities, arm) for arm in aside
        }
    return preferred or kept, removed


def _prefer_fast(arms: list[Arm], policy: Policy) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms that keep to `prefer_latency_ms`, all of them where none does, and why each other is removed."""
    wanted_ms = policy.prefer_latency_ms
    if wanted_ms is None:
        return arms, {}
    kept = arms
    if wanted_ms < FAST_LATENCY_MS:
        kept = [arm for arm in kept if arm.rank == 0] or kept
    kept = [arm for arm in kept if arm.expected_latency_ms <= wanted_ms] or kept
    names = {arm.model_id for arm in kept}
    why = f"prefer_latency_ms: others keep to {wanted_ms:.0f}"
    return kept, {arm.model_id: why for arm in arms if arm.model_id not in names}


def _lacking(key: str, wanted: frozenset[str], arm: Arm) -> str:
    return f"{key}: does not read {', '.join(sorted(wanted - arm.modalities))}"


def _objection(arm: Arm, policy: Policy, demand: Demand) -> str | None:
    """Return why the arm may not be asked, or None."""
    if objection := _reader_objection(policy, arm.provider):
        return objection
    if policy.max_tier is not None and arm.rank > TIERS.index(policy.max_tier):
        return f"max_tier: {arm.tier} is above {policy.max_tier}"
    if policy.allow_free_fallback is False and demand.failed and _is_free(arm):
        return "allow_free_fallback: a model without a price may not stand in"
    if policy.max_latency_ms is not None and arm.expected_latency_ms > policy.max_latency_ms:
        return f"max_latency_ms: expected {arm.expected_latency_ms:.0f} > {policy.max_latency_ms:.0f}"
    return _fitness_objection(arm, policy, demand) or _price_objection(arm, policy, demand.spent_nusd)


def _is_free(arm: Arm) -> bool:
    return arm.input_usd_per_mtok == 0 and arm.output_usd_per_mtok == 0


def _fitness_objection(arm: Arm, policy: Policy, demand: Demand) -> str | None:
    """Return why the arm cannot take the request, or None."""
    if (need := unmet(demand.needs, arm)) is not None:
        return need.objection
    if missing := policy.required_capabilities - arm.capabilities:
        return f"required_capabilities: lacks {', '.join(sorted(missing))}"
    if policy.require_modalities - arm.modalities:
        return _lacking("require_modalities", policy.require_modalities, arm)
    # Who asks for more than a model can say is sent as much as it can.
    tokens = demand.prompt_tokens + min(demand.answer_tokens, arm.max_output_tokens)
    if tokens > arm.context_tokens:
        return f"{_TOO_LONG} about {tokens} tokens > {arm.context_tokens}"
    return None


def judge_objection(
    policy: Policy, *, provider: str, input_usd_per_mtok: float, output_usd_per_mtok: float
) -> str | None:
    """Return why a model may not judge an answer of the call, or None.

    A judge reads prompt and answer, so it is bound by whom the caller lets read and by what a token may cost; what an
    answer needs to be like (tier, capabilities, latency) binds those that answer.
    """
    return _reader_objection(policy, provider) or _token_objection(
        policy, input_usd_per_mtok, output_usd_per_mtok
    )


def _reader_objection(policy: Policy, provider: str) -> str | None:
    """Return why the caller's text may not be sent to a provider, or None."""
    if not policy.allowed_providers or provider in policy.allowed_providers:
        return None
    return f"allowed_providers: {provider} is not one of {', '.join(sorted(policy.allowed_providers))}"


def _token_objection(policy: Policy, input_usd_per_mtok: float, output_usd_per_mtok: float) -> str | None:
    dearest = max(input_usd_per_mtok, output_usd_per_mtok) / 1e6
    if policy.max_cost_per_token is None or dearest <= policy.max_cost_per_token:
        return None
    return f"max_cost_per_token: ${dearest:.9f} > ${policy.max_cost_per_token:.9f}"


def _price_objection(arm: Arm, policy: Policy, spent_nusd: int) -> str | None:
    if objection := _token_objection(policy, arm.input_usd_per_mtok, arm.output_usd_per_mtok):
        return objection
    if policy.max_cost_per_call_usd is None:
        return None
    left = nusd_from_usd(policy.max_cost_per_call_usd) - spent_nusd
    cost_nusd = arm.expected_cost_nusd if arm.capped_cost_nusd is None else arm.capped_cost_nusd
    if cost_nusd <= left:
        return None
    estimated = usd_from_nusd(cost_nusd)
    return f"max_cost_per_call_usd: estimated ${estimated:.6f} > ${max(usd_from_nusd(left), 0.0):.6f} left"


def refuse(removed: Mapping[str, str]) -> NoEligibleModel:
    """Return the error to raise when no arm is left; its message says what removed each.

    It is a `BudgetExceeded` where a ceiling of the key or the org removed one: without that it might have been asked;
    a `QuotaExceeded` where a quota of tokens did; and else a `PromptTooLong` where a window did.
    """
    reasons = "; ".join(f"{model_id} ({sentence})" for model_id, sentence in removed.items())
    is_beyond = any(is_imposed(sentence) for sentence in removed.values())
    is_beyond_quota = any(is_quota(sentence) for sentence in removed.values())
    kind = QuotaExceeded if is_beyond_quota else BudgetExceeded if is_beyond else NoEligibleModel
    if kind is NoEligibleModel and any(sentence.startswith(_TOO_LONG) for sentence in removed.values()):
        return PromptTooLong(f"prompt is too long: {reasons}", removed=dict(removed))
    return kind(f"no model may be asked: {reasons or 'none is registered'}", removed=dict(removed))
