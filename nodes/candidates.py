"""Turn what is known of models into arms priced for one request: shared by the nodes that choose."""

from ..routing.policy import Policy, eligible
from ..routing.request import answer_tokens
from ..routing.tokens import bound_prompt_tokens
from ..state.records import Arm, nusd_from_usd
from ..state.types import CascadeState
from .services import Services


def price_arms(state: CascadeState, services: Services) -> list[Arm]:
    """Return an arm for each model of the call's router config, with its expected cost in nano-dollars."""
    wanted = services.routers[state["router"]].models
    prompt_tokens = _prompt_tokens(state)
    return [
        Arm(
            model_id=spec.model_id,
            provider=spec.provider,
            tier=spec.tier,
            expected_cost_nusd=spec.expected_cost_nusd(
                prompt_tokens, _max_tokens(state, services, spec.max_output_tokens)
            ),
            expected_latency_ms=spec.expected_latency_ms,
            completion_prob=state["completion_probs"][spec.model_id],
            input_usd_per_mtok=float(spec.input_usd_per_mtok),
            output_usd_per_mtok=float(spec.output_usd_per_mtok),
            context_tokens=spec.context_tokens,
            max_output_tokens=spec.max_output_tokens,
            capabilities=frozenset(spec.capabilities),
        )
        for spec in services.models.values()
        if not wanted or spec.model_id in wanted
    ]


def eligible_arms(state: CascadeState, services: Services) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms that the hard constraints allow now, and which constraint removed each other one."""
    return eligible(
        price_arms(state, services),
        Policy.parse(state["policy"]),
        prompt_tokens=state["prompt_tokens"],
        answer_tokens=_max_tokens(state, services, 1_000_000),
        spent_nusd=spent_nusd(state),
        has_images=_has_images(state),
        excluded=frozenset(state.get("failed_models", ())),
    )


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
