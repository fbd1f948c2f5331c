"""Turn what is known of models into arms priced for one request: shared by the nodes that choose."""

from ...providers.specs import ModelSpec
from ...routing.plan.policy import Policy, eligible
from ...routing.plan.request import answer_tokens
from ...routing.prompt.tokens import bound_prompt_tokens
from ...state.money.budgets import Charge
from ...state.records import Arm, nusd_from_usd
from ...state.types import CascadeState
from ..services import Services
from .budgets import NO_PACES, Paces, affordable, budgets_of, paces_of

_UNREACHABLE = "named by the router, but no key or local server opens it here (x25 models says what would)"


def price_arms(state: CascadeState, services: Services) -> list[Arm]:
    """Return an arm for each model of the call's router config, with its expected cost in nano-dollars.

    Prices are those of this moment. A model whose deployments fail or dawdle lately is expected to go on doing so.
    """
    wanted = services.routers[state["router"]].models
    prompt_tokens, now = _prompt_tokens(state), services.now()
    specs = (
        spec.priced_at(now) for spec in services.models.values() if not wanted or spec.model_id in wanted
    )
    return [_arm(spec, prompt_tokens, state, services) for spec in specs]


def _arm(spec: ModelSpec, prompt_tokens: int, state: CascadeState, services: Services) -> Arm:
    health = services.health.outlook(spec, services.clock_s())
    return Arm(
        model_id=spec.model_id,
        provider=spec.provider,
        tier=spec.tier,
        expected_cost_nusd=spec.expected_cost_nusd(
            prompt_tokens, _max_tokens(state, services, spec.max_output_tokens)
        ),
        expected_latency_ms=health.latency_ms,
        completion_prob=state["completion_probs"][spec.model_id] * health.success_prob,
        input_usd_per_mtok=float(spec.input_usd_per_mtok),
        output_usd_per_mtok=float(spec.output_usd_per_mtok),
        context_tokens=spec.context_tokens,
        max_output_tokens=spec.max_output_tokens,
        capabilities=frozenset(spec.capabilities),
        modalities=spec.modalities,
    )


def eligible_arms(
    state: CascadeState, services: Services, paces: Paces = NO_PACES
) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms that the hard constraints and budgets allow now, and what removed each other one.

    A model that the router config names and nobody can reach here counts as removed.
    """
    kept, removed = eligible(
        price_arms(state, services),
        Policy.parse(state["policy"]),
        prompt_tokens=state["prompt_tokens"],
        answer_tokens=_max_tokens(state, services, 1_000_000),
        spent_nusd=spent_nusd(state),
        has_images=_has_images(state),
        excluded=frozenset(state.get("failed_models", ())),
    )
    if paces:
        kept, beyond = affordable(kept, _bounds_nusd(kept, state, services), paces, spent_nusd(state))
        removed |= beyond
    wanted = services.routers[state["router"]].models
    absent = {name: _UNREACHABLE for name in wanted if name not in services.models}
    return kept, {**removed, **absent}


def charge_of(state: CascadeState, services: Services, model_id: str) -> Charge:
    """Return the budgets a request of this model is charged to; empty without any."""
    budgets = budgets_of(state)
    if not budgets:
        return Charge()
    arms, _ = eligible_arms(state, services, paces_of(state))
    cheapest = min(arms, key=lambda arm: arm.expected_cost_nusd, default=None)
    return Charge(budgets, is_cheapest=cheapest is not None and cheapest.model_id == model_id)


def _bounds_nusd(arms: list[Arm], state: CascadeState, services: Services) -> dict[str, int]:
    """Return the most that one request of each arm can cost, as `dispatch` reserves it."""
    prompt_tokens = bound_prompt_tokens(state["messages"], state["options"])
    return {
        arm.model_id: services.spec(arm.model_id).bound_cost_nusd(
            prompt_tokens, _max_tokens(state, services, arm.max_output_tokens)
        )
        for arm in arms
    }


def spent_nusd(state: CascadeState) -> int:
    """Return what this call has cost so far, judge included; an attempt of unknown cost counts with its reservation."""
    return sum(int(attempt["spent_nusd"]) for attempt in state.get("attempts", ()))


def left_nusd(state: CascadeState) -> int | None:
    """Return the nano-dollars left under the caller's cap, None without a cap."""
    cap = Policy.parse(state["policy"]).max_cost_per_call_usd
    return None if cap is None else nusd_from_usd(cap) - spent_nusd(state)


def _prompt_tokens(state: CascadeState) -> int:
    """Return the tokens to price the prompt at: under a cap the most it can have, so that the cap is never passed."""
    if "max_cost_per_call_usd" in state["policy"]:
        return bound_prompt_tokens(state["messages"], state["options"])
    return state["prompt_tokens"]


def _max_tokens(state: CascadeState, services: Services, model_limit: int) -> int:
    return answer_tokens(state["options"], services.limits.default_max_output_tokens, model_limit)


def _has_images(state: CascadeState) -> bool:
    return any(
        isinstance(part, dict) and part.get("type") in ("image_url", "input_image")
        for message in state["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
    )
