"""Whose fault a failure is, as far as that says who may be asked instead."""

from ..state.errors import (
    BeyondAllowance,
    ContentFiltered,
    ContextLengthExceeded,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderError,
    ProviderRateLimit,
)


def lies_with_the_body(error: ProviderError) -> bool:
    """Return whether the same body fails at every deployment of the model."""
    return isinstance(error, ContextLengthExceeded | ContentFiltered | ProviderBadRequest)


def lies_with_the_key(error: ProviderError, key: str | None) -> bool:
    """Return whether another key may be answered; not where none was sent."""
    return key is not None and isinstance(
        error, ProviderRateLimit | ProviderBilling | ProviderAuth | BeyondAllowance
    )
