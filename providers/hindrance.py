"""Why a model cannot be asked now: no key, keys that rest, breakers that are open."""

from collections.abc import Sequence

from ..state.errors import BreakerOpen, ProviderAuth, ProviderError, ProviderRateLimit
from .breakers import BreakerBook
from .keyring import Keyring, OwnKey
from .registry import wanted_variables
from .specs import ModelSpec


def hindrance_of(  # noqa: PLR0913 - whom, by what, for whom, when
    spec: ModelSpec,
    keyring: Keyring,
    breakers: BreakerBook,
    now_s: float,
    *,
    own_keys: Sequence[OwnKey] = (),
    org: str = "",
) -> ProviderError | None:
    """Return why a model cannot be asked for an org now, and when it can be again; None where it can."""
    waits_s, is_shut, are_refused = [], False, True
    for deployment in spec.deployments:
        rest_s = keyring.wait_s(deployment, now_s, own_keys)
        with_breakers_s = keyring.wait_s(
            deployment, now_s, own_keys, breakers.wait_of_key(deployment, now_s, org)
        )
        if rest_s is None or with_breakers_s is None:
            continue
        waits_s.append(max(with_breakers_s, breakers.wait_s(deployment, now_s, org)))
        is_shut = is_shut or (rest_s == 0 and waits_s[-1] > 0)
        are_refused = are_refused and keyring.are_refused(deployment, now_s, own_keys)
    if not waits_s:
        names = " or ".join(wanted_variables(spec))
        return ProviderAuth(f"no deployment of {spec.model_id} can be used; set {names}")
    wait_s = min(waits_s)
    if wait_s <= 0:
        return None
    if is_shut:
        failing = f"{spec.model_id} failed too often lately; it is asked again in {wait_s:.1f} s"
        return BreakerOpen(failing, retry_after_s=wait_s)
    if are_refused:
        # Not busy: whoever runs the gateway has to do something about it, and waiting alone helps nobody.
        refused = (
            f"every key of {spec.model_id} was refused, or has no credit left; tried again in {wait_s:.0f} s"
        )
        return ProviderAuth(refused)
    resting = f"every key of {spec.model_id} is resting, the first for {wait_s:.1f} s more"
    return ProviderRateLimit(resting, retry_after_s=wait_s)
