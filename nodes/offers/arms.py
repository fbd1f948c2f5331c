"""The models of a call as its decision sees them: priced for this request, by how their vendors do lately."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...providers.specs import ModelSpec
from ...routing.plan.policy import Policy
from ...state.records import Arm
from ...state.working_memory import Estimated
from .extent import Extent

if TYPE_CHECKING:
    from ..services import Services


def arms_of(
    specs: Mapping[str, ModelSpec], extent: Extent, policy: Policy, call: Estimated, services: "Services"
) -> tuple[Arm, ...]:
    """Return the models; one whose deployments fail or dawdle lately is expected to go on so.

    Whoever gave the newest answer of the conversation costs less by what its vendor keeps of it.
    """
    author = services.conversations.author_in(call)
    return tuple(
        _arm(
            spec,
            extent,
            services.prompt_caches.share(call.org, spec.model_id, author),
            policy,
            call,
            services,
        )
        for spec in specs.values()
    )


def _arm(  # noqa: PLR0913, PLR0917 - all that a model's price for one request depends on
    spec: ModelSpec,
    extent: Extent,
    cached_share: float,
    policy: Policy,
    call: Estimated,
    services: "Services",
) -> Arm:
    """Return a model as the decision sees it; one whose deployments fail or dawdle lately is expected to go on so."""
    health = services.health.outlook(spec, services.clock_s(), call.org)
    is_capped = policy.max_cost_per_call_usd is not None
    return Arm(
        model_id=spec.model_id,
        provider=spec.provider,
        tier=spec.tier,
        expected_cost_nusd=extent.expected_cost_nusd(spec, cached_share),
        expected_latency_ms=health.latency_ms,
        completion_prob=call.estimate.completion_probs[spec.model_id],
        input_usd_per_mtok=float(spec.input_usd_per_mtok),
        output_usd_per_mtok=float(spec.output_usd_per_mtok),
        context_tokens=spec.context_tokens,
        max_output_tokens=spec.max_output_tokens,
        capabilities=frozenset(spec.capabilities),
        modalities=spec.modalities,
        capped_cost_nusd=extent.usual_bound_nusd(spec) if is_capped else None,
        availability=health.success_prob,
        is_unknown=bool(spec.owner) and spec.measured_quality is None,
        cached_share=cached_share,
    )
