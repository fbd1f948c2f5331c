"""Place a prompt on the difficulty scale and predict who can answer it."""

from ..providers.specs import ModelSpec
from ..routing.belief.completion import DEFAULT_TRUST, completion_prob, memory_relief
from ..routing.belief.org_model import OwnModel
from ..state.types import CascadeState
from .services import Services


async def estimate_difficulty(state: CascadeState, services: Services) -> CascadeState:
    """Estimate the difficulty with its uncertainty, and each model's probability of a good answer.

    The difficulty is the prompt's own; remembered context lowers it for models below the frontier. An org whose own
    calls taught something is served by its own estimators.
    """
    inputs = [*state["embedding"], *state["features"]]
    own = await services.own.model_of(services.store, state["org"], services.difficulty, services.clock_s())
    difficulty = (
        services.difficulty.estimate(inputs) if own is None else own.estimate(services.difficulty, inputs)
    )
    return CascadeState(
        difficulty=round(difficulty.value, 4),
        difficulty_sigma=round(difficulty.sigma, 4),
        difficulty_band=difficulty.band,
        completion_probs={
            spec.model_id: _prob(
                spec,
                difficulty.value - (memory_relief(spec.tier) if state["memory_hit"] else 0.0),
                own,
            )
            for spec in services.models.values()
        },
    )


def _prob(spec: ModelSpec, difficulty: float, own: OwnModel | None) -> float:
    """Return the org's own prediction, or the bundled one for a model that the org has not seen."""
    learnt = None if own is None else own.prob(spec.model_id, difficulty)
    if learnt is not None:
        return learnt
    return completion_prob(
        tier=spec.tier, capability=spec.capability, difficulty=difficulty, trust=DEFAULT_TRUST
    )
