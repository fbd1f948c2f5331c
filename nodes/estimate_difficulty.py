"""Place a prompt on the difficulty scale and predict who can answer it."""

from ..routing.completion import DEFAULT_TRUST, completion_prob
from ..state.types import CascadeState
from .services import Services


async def estimate_difficulty(state: CascadeState, services: Services) -> CascadeState:
    """Estimate the difficulty with its uncertainty, and each model's probability of a good answer."""
    difficulty = services.difficulty.estimate(state["features"])
    return CascadeState(
        difficulty=round(difficulty.value, 4),
        difficulty_sigma=round(difficulty.sigma, 4),
        difficulty_band=difficulty.band,
        completion_probs={
            spec.model_id: completion_prob(
                tier=spec.tier, capability=spec.capability, difficulty=difficulty.value, trust=DEFAULT_TRUST
            )
            for spec in services.models.values()
        },
    )
