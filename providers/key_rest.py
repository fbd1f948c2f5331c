"""How long a key rests after a failure that may lie with it, and for whom."""

from ..state.errors import BeyondAllowance, ProviderAuth, ProviderBilling, ProviderError, ProviderRateLimit
from .keyring import Keyring, Lease
from .patience import REFUSED_REST_S, exhausted_s, rest_s
from .specs import Deployment

NO_CREDIT = 402


def rest_key(  # noqa: PLR0913 - which key, where, why, when, for whom
    keyring: Keyring, lease: Lease, deployment: Deployment, error: ProviderError, *, now_s: float, org: str
) -> None:
    """Let a key rest at a deployment as long as a failure of it says; any other failure changes nothing.

    What an org's own key meets is its owner's trouble, and no alert of ours.

    Parameters
    ----------
    now_s
        Reading of the monotonic clock.
    org
        Whose request failed.
    """
    key, is_ours = lease.key, lease.byok_key is None
    if key is None:
        return
    if isinstance(error, ProviderRateLimit):
        keyring.rest(key, deployment, now_s + rest_s(error))
    elif isinstance(error, ProviderBilling):
        (keyring.exhaust if is_ours else keyring.refuse)(key, deployment, now_s + exhausted_s(error))
    elif isinstance(error, ProviderAuth):
        (keyring.reject if is_ours else keyring.refuse)(key, deployment, now_s + REFUSED_REST_S)
    elif isinstance(error, BeyondAllowance) and error.status == NO_CREDIT and is_ours:
        keyring.note_low(key, deployment, now_s + exhausted_s(error), org)
