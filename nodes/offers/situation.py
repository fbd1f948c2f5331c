"""The situation a call decides in: policy, prices, budgets, judge and arms, derived once a call.

Several nodes of a call need it. What stays as it is while the call runs is worked out the first time; who may be asked
is worked out again only where money was spent or a model failed since.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...providers.judge import LLMJudge
from ...providers.specs import ModelSpec
from ...routing.plan.cascade import PlanPrices
from ...routing.plan.configs import RouterConfig
from ...routing.plan.needs import Needs, needs_of
from ...routing.plan.policy import Demand, Policy, eligible
from ...routing.plan.terms import Terms
from ...routing.plan.weights import latency_price, quality_price
from ...state.money.budgets import Budget, Charge
from ...state.org_wishes import STORE, is_unstored
from ...state.records import Arm, nusd_from_usd
from ...state.types import TOKEN_LIMITS
from ...state.working_memory import Allowance, Estimated, Routed
from .arms import arms_of
from .budgets import affordable, budgets_of, price_multiplier, read_allowances
from .extent import Extent, extent_of
from .judges import judge_cost_nusd, learner_of, permitted_judge
from .limits import CAP, cap_named, policy_under, reference_of

if TYPE_CHECKING:
    from ..services import Services

MOST_CALLS = 2_000
"""Situations kept at once; a call that outlives its own has it worked out anew."""
_UNREACHABLE = "named by the router, but no key or local server opens it here (x25 models says what would)"
_UNPRICED_SOUND = (
    "audio: no prices.audio_input_usd_per_mtok in its file, so no cost cap or budget can be kept"
)
_REFUSED_ROLES = frozenset({"system", "tool", "function"})
"""Roles of a message that some models do not take, and that have no other name."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Who may be asked now, and what removed each other model."""

    arms: tuple[Arm, ...]
    removed: dict[str, str]


@dataclass(frozen=True)
class Situation:
    """What one call decides under; prices are those of the moment it was derived."""

    policy: Policy
    router: RouterConfig
    specs: Mapping[str, ModelSpec]
    """Models of the router config that can be reached, by id."""
    reference: ModelSpec
    """The frontier model that savings are measured against."""
    pool_dearest: ModelSpec | None
    """The dearest model the router chooses among; None where it chooses among all."""
    terms: Terms
    """Strategy, prices and judge that every decision of the call is made under."""
    judge: LLMJudge | None
    """Who may judge its answers; None where nobody may, or nobody is there."""
    judges_removed: dict[str, str]
    """Judges that the policy rules out, with the constraint that did."""
    budgets: tuple[Budget, ...]
    allowances: Mapping[str, Allowance]
    arms: tuple[Arm, ...]
    """Every model of the router config, priced for this request."""
    extent: Extent
    """How much the request asks for."""
    needs: Needs
    """What the request asks of any model."""
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Models that refused such a request lately, with what they refused."""
    cap_name: str = CAP
    """What the cost cap in the policy is called: it may be the key's or the org's."""
    _offers: dict[tuple[int, frozenset[str]], Offers] = field(default_factory=dict, repr=False)

    @property
    def is_bounded(self) -> bool:
        """Whether a cap, a budget or a ceiling says what the call may cost."""
        return self.policy.bounds_money or bool(self.allowances)

    def offers(self, spent_nusd: int = 0, failed: frozenset[str] = frozenset()) -> Offers:
        """Return the arms that the hard constraints and budgets allow now, and what removed each other one.

        A model that the router config names and nobody can reach here counts as removed.

        Parameters
        ----------
        spent_nusd
            What the call has cost so far.
        failed
            Models that brought no answer in this call.
        """
        key = (spent_nusd if self.is_bounded else 0, failed)
        if key not in self._offers:
            self._offers[key] = self._derive_offers(*key)
        return self._offers[key]

    def _derive_offers(self, spent_nusd: int, failed: frozenset[str]) -> Offers:
        demand = Demand(self.extent.prompt_tokens, self.extent.answer_tokens, self.needs, spent_nusd, failed)
        kept, removed = eligible(self.arms, self.policy, demand)
        removed = cap_named(removed, self.cap_name)
        # What was refused before may be taken now, so nobody left out is better than nobody asked.
        if fit := [arm for arm in kept if arm.model_id not in self.unfit]:
            removed |= {arm.model_id: self.unfit[arm.model_id] for arm in kept if arm.model_id in self.unfit}
            kept = fit
        if self.is_bounded and self.extent.prompt_bound.has_audio:
            unpriced = {arm.model_id: _UNPRICED_SOUND for arm in kept if not self._prices_sound(arm)}
            kept, removed = [arm for arm in kept if arm.model_id not in unpriced], removed | unpriced
        if self.allowances:
            bounds = {arm.model_id: self.bound_cost_nusd(arm.model_id) for arm in kept}
            kept, beyond = affordable(kept, bounds, self.allowances, spent_nusd)
            removed |= beyond
        absent = {name: _UNREACHABLE for name in self.router.models if name not in self.specs}
        return Offers(tuple(kept), {**removed, **absent})

    def _prices_sound(self, arm: Arm) -> bool:
        spec = self.specs[arm.model_id]
        return spec.audio_input_usd_per_mtok is not None or spec.input_usd_per_mtok == 0

    def bound_cost_nusd(self, model_id: str) -> int:
        """Return the most that one request of a model can cost."""
        return self.extent.reserve(self.specs[model_id]).cost_nusd

    def left_nusd(self, spent_nusd: int) -> int | None:
        """Return the nano-dollars left under the caller's cap, None without a cap."""
        cap = self.policy.max_cost_per_call_usd
        return None if cap is None else nusd_from_usd(cap) - spent_nusd

    def charge(self, offers: Offers, model_id: str) -> Charge:
        """Return the budgets that a request of this model is charged to."""
        cheapest = min(offers.arms, key=lambda arm: arm.expected_cost_nusd, default=None)
        return Charge(self.budgets, is_cheapest=cheapest is not None and cheapest.model_id == model_id)


class Situations:
    """The situations of the calls under way in this process."""

    def __init__(self, most_calls: int = MOST_CALLS) -> None:
        self._most_calls = most_calls
        self._call_to_kept: OrderedDict[tuple[str, str], tuple[tuple[Any, ...], Situation]] = OrderedDict()

    async def of(self, call: Estimated, services: "Services") -> Situation:
        """Return the situation of a call, derived anew only where its request, its bounds or its estimate changed."""
        name, basis = (call.org, call.call_id), _basis(call)
        kept = self._call_to_kept.get(name)
        if kept is not None and kept[0] == basis:
            return kept[1]
        situation = await derive_situation(call, services)
        self._call_to_kept[name] = (basis, situation)
        while len(self._call_to_kept) > self._most_calls:
            self._call_to_kept.popitem(last=False)
        return situation

    def forget(self, org: str, call_id: str) -> None:
        """Drop the situation of a call that has ended."""
        self._call_to_kept.pop((org, call_id), None)

    def __len__(self) -> int:
        """Return the number of situations kept."""
        return len(self._call_to_kept)


def _basis(call: Estimated) -> tuple[Any, ...]:
    """Return what a situation depends on; a user may edit any of it between two nodes."""
    return (
        call.router, call.policy, call.optimize_for, call.options, call.messages, call.recalled,
        call.task.prompt_tokens, call.estimate.completion_probs, call.opening.started_at,
        call.opening.max_escalations, call.opening.imposed, call.opening.wishes,
    )  # fmt: skip


async def derive_situation(call: Estimated, services: "Services") -> Situation:
    """Return the situation of a call at the prices of this moment.

    Budgets stand as the call's first decision saw them, or as they are now before one was made. The labels of the
    org's judges are read again where those in memory are old.
    """
    policy, cap_name = policy_under(Policy.parse(call.policy), call.opening)
    router = services.routers_of(call.org)[call.router]
    await services.refresh_labels(call.org)
    budgets = budgets_of(policy, call.opening.started_at, call.opening.imposed)
    if isinstance(call, Routed):
        allowances: Mapping[str, Allowance] = call.selection.allowances
    else:
        allowances = await read_allowances(budgets, call.org, call.opening.started_at, services.store)
    now = services.now()
    specs = {
        model_id: spec.priced_at(now)
        for model_id, spec in services.models_of(call.org).items()
        if (not router.models or model_id in router.models or model_id == call.opening.start.model_id)
        # Of a model that came after the call's estimate, as in a call that is resumed, nothing is predicted.
        and model_id in call.estimate.completion_probs
    }
    judge, judges_removed = permitted_judge(policy, services, call.opening.wishes)
    extent = extent_of(
        call.sent, call.options, call.task.prompt_tokens, services.limits.default_max_output_tokens
    )
    return Situation(
        policy=policy,
        router=router,
        specs=specs,
        reference=reference_of(call.opening, services).priced_at(now),
        pool_dearest=services.dearest_for(call.router, call.org),
        terms=_terms(call, policy, judge, allowances, services),
        judge=judge,
        judges_removed=judges_removed,
        budgets=budgets,
        allowances=allowances,
        arms=arms_of(specs, extent, policy, call, services),
        extent=extent,
        needs=needs_of(call.messages, call.options),
        unfit=_unfit(call, specs, services),
        cap_name=cap_name,
    )


def _unfit(call: Estimated, specs: Mapping[str, ModelSpec], services: "Services") -> dict[str, str]:
    asked = {name for name, value in call.options.items() if value is not None} - {*TOKEN_LIMITS}
    if is_unstored(call.options):  # which is left out for whoever has no such word
        asked.discard(STORE)
    roles = {message["role"] for message in call.messages} & _REFUSED_ROLES
    now_s = services.clock_s()
    found = {
        model_id: services.fitness.unfit(spec.known_as, asked | roles, now_s, call.org)
        for model_id, spec in specs.items()
    }
    return {model_id: reason for model_id, reason in found.items() if reason is not None}


def _terms(
    call: Estimated,
    policy: Policy,
    judge: LLMJudge | None,
    allowances: Mapping[str, Allowance],
    services: "Services",
) -> Terms:
    router, weights = services.routers_of(call.org)[call.router], call.optimize_for
    yardstick = services.yardstick_for(call.router, call.org)
    reference_cost_nusd = max(1, yardstick.expected_cost_nusd(call.task.prompt_tokens))
    judging_nusd = (
        0 if judge is None else judge_cost_nusd(call.task.prompt_tokens, yardstick, judge, services)
    )
    return Terms(
        strategy=router.strategy,
        prices=PlanPrices(
            quality_price=quality_price(weights, has_bar=policy.quality_bar is not None)
            * price_multiplier(allowances),
            latency_price=latency_price(weights),
            judge_cost=judging_nusd / reference_cost_nusd,
            quality_bar=policy.quality_bar,
        ),
        reference_cost_nusd=reference_cost_nusd,
        reference_latency_ms=yardstick.expected_latency_ms,
        table=None if judge is None else services.table_of(call.org, judge.name),
        learner=learner_of(call.opening.wishes, services),
        epsilon=router.epsilon,
        audit_rate=router.audit_rate if policy.judged_share is None else policy.judged_share,
        max_escalations=call.opening.max_escalations,
        bar=router.quality_bar,
        rule=router.rule,
    )
