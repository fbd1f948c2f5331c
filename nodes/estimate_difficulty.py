"""Place a prompt on the difficulty scale and predict who can answer it."""

from ..providers.specs import ModelSpec
from ..routing.belief.completion import DEFAULT_TRUST, completion_prob, measured_prob, memory_relief
from ..routing.belief.org_model import OrgModel
from ..state.working_memory import Change, Classified, Estimate
from .services import Services


async def estimate_difficulty(call: Classified, services: Services) -> Change:
    """Estimate the difficulty with its uncertainty, and each model's probability of a good answer.

    The difficulty is the prompt's own; remembered context lowers it for models below the frontier. An org whose own
    calls taught something is served by its own estimators.
    """
    inputs = [*call.inputs.embedding, *call.inputs.features]
    org_model = await services.org_models.model_of(
        services.store, call.org, services.difficulty, services.clock_s()
    )
    found = (
        services.difficulty.estimate(inputs)
        if org_model is None
        else org_model.estimate(services.difficulty, inputs)
    )
    relieved = call.opening.memory_hit
    probs = {
        spec.model_id: _prob(spec, found.value - (memory_relief(spec.tier) if relieved else 0.0), org_model)
        for spec in services.models_of(call.org).values()
    }
    return Change(estimate=Estimate(round(found.value, 4), round(found.sigma, 4), found.band, probs))


def _prob(spec: ModelSpec, difficulty: float, org_model: OrgModel | None) -> float:
    """Return the org's own prediction, or the bundled one for a model that the org has not seen."""
    learnt = None if org_model is None else org_model.prob(spec.model_id, difficulty)
    if learnt is not None:
        return learnt
    if spec.measured_quality is not None:
        return measured_prob(spec.measured_quality, spec.measured_at, difficulty)
    return completion_prob(
        tier=spec.tier, capability=spec.capability, difficulty=difficulty, trust=DEFAULT_TRUST
    )
