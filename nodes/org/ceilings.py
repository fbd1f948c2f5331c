"""What the settings of an org, and the ceilings of a key, ask of a call before it is opened."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...routing.plan.org_settings import OrgSettings
from ...routing.plan.priceable import check_priceable
from ...state.ceilings import Imposed
from ...state.errors import InvalidRequest
from ...state.types import Context, DoorContext, JSONObject

if TYPE_CHECKING:
    from ..services import Limits

KEEPS_WORDS = (
    "privacy: this org lets no words be kept, and X25_CHECKPOINTS=sync keeps them; set it to exit or off, or the org's "
    'privacy to "prompts"'
)


def ceilings_on(settings: OrgSettings, context: Context) -> tuple[Imposed, ...]:
    """Return the ceilings a call is under: the org's, then the key's."""
    of_org = settings.ceilings
    of_key = context.imposed if isinstance(context, DoorContext) else ()
    return (*((Imposed("org", of_org),) if of_org else ()), *of_key)


def check_bounded(messages: list[JSONObject], options: dict[str, Any], imposed: tuple[Imposed, ...]) -> None:
    """Raise InvalidRequest where a ceiling holds, and nobody can say what the call can cost at most."""
    if imposed:
        check_priceable(messages, options)


def check_kept(settings: OrgSettings, limits: "Limits") -> None:
    """Raise InvalidRequest where the org lets no words be kept, and this gateway cannot do without."""
    if limits.resumable and not settings.wishes.keeps_words:
        raise InvalidRequest(KEEPS_WORDS, field="org")


def check_limits(
    checked: Mapping[str, Any], settings: OrgSettings, imposed: tuple[Imposed, ...], limits: "Limits"
) -> None:
    """Raise InvalidRequest where a checked request cannot be served under what its key and its org ask for."""
    check_bounded(checked["messages"], checked["options"], imposed)
    check_kept(settings, limits)
