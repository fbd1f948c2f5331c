"""What the key and the org of a call add to its policy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ...providers.specs import ModelSpec
from ...routing.plan.policy import Policy
from ...state.records import nusd_from_usd, usd_from_nusd
from ...state.working_memory import Opening

if TYPE_CHECKING:
    from ..services import Services

CAP = "max_cost_per_call_usd"


def policy_under(policy: Policy, opening: Opening) -> tuple[Policy, str]:
    """Return the policy with the lowest cap there is and, where it names none, the org's bar; and the cap's name.

    A caller may ask for less than the key and the org allow, and not for more.
    """
    if policy.quality_bar is None and opening.wishes.quality_bar is not None:
        policy = replace(policy, quality_bar=opening.wishes.quality_bar)
    caps = (
        [] if policy.max_cost_per_call_usd is None else [(nusd_from_usd(policy.max_cost_per_call_usd), CAP)]
    )
    caps += [
        (one.ceilings.call_nusd, one.name("call"))
        for one in opening.imposed
        if one.ceilings.call_nusd is not None
    ]
    if not caps:
        return policy, CAP
    lowest_nusd, name = min(caps)
    return replace(policy, max_cost_per_call_usd=usd_from_nusd(lowest_nusd)), name


def cap_named(removed: Mapping[str, str], name: str) -> dict[str, str]:
    """Return what removed whom, with the cost cap under the name it has for this call."""
    if name == CAP:
        return dict(removed)
    return {model_id: sentence.replace(f"{CAP}:", f"{name}:", 1) for model_id, sentence in removed.items()}


def reference_of(opening: Opening, services: "Services") -> ModelSpec:
    """Return the model a call's savings are measured against: the org's, where it named one that is there."""
    named = opening.wishes.reference_model
    return services.reference if named is None else services.models.get(named, services.reference)
