"""Provider keys of an org's own: how one is taken in, and taken away."""

import re
import secrets
from collections.abc import Sequence

from ..nodes.org.provider_keys import ProviderKeyBook
from ..nodes.services import Services
from ..providers.specs import ModelSpec
from ..state.errors import InvalidRequest, NotFound
from ..state.provider_keys import ProviderKey
from .settings import Settings
from .vault import Vault

MOST_KEYS = 50
"""Keys of one org."""
SHORTEST, LONGEST = 8, 4_096
SHOWN_PART, MOST_SHOWN = 4, 8
"""How much of a key is kept to tell it by: a fourth of it, at most this many characters."""
SECRET = re.compile(r"[!-~]+")


def book_of(settings: Settings, models: Sequence[ModelSpec], closed: Sequence[ModelSpec]) -> ProviderKeyBook:
    """Return the book of a gateway with these models, and those that an org's own key may open."""
    vault = Vault(settings.byok_key)
    return ProviderKeyBook(vault.unseal if vault.is_open else None, models, closed)


async def add_key(  # noqa: PLR0913 - whose, for whom, and who says so
    services: Services, vault: Vault, org: str, *, provider: str, secret: str, priority: int, by: str
) -> ProviderKey:
    """Keep a key of an org, encrypted, and use it from the org's next call on.

    Raises
    ------
    InvalidRequest
        When there is no master key, no deployment of that name, the key is none, or the org has too many.
    """
    known = sorted(services.provider_keys.providers)
    if provider not in known:
        raise InvalidRequest(
            f"provider must be one that models are reached by here: {', '.join(known)}", field="provider"
        )
    if not SHORTEST <= len(secret) <= LONGEST or SECRET.fullmatch(secret) is None:
        raise InvalidRequest(
            f"api_key must be {SHORTEST} to {LONGEST} visible ASCII characters", field="api_key"
        )
    sealed = vault.seal(org, provider, secret)
    if len(await services.store.provider_keys.of(org)) >= MOST_KEYS:
        raise InvalidRequest(f"an org may have {MOST_KEYS} provider keys: delete one", field="api_key")
    prefix = secret[: min(MOST_SHOWN, len(secret) // SHOWN_PART)]
    key = ProviderKey(org, secrets.token_hex(6), provider, priority, prefix, services.now(), sealed)
    await services.store.provider_keys.add(key, by)
    await services.provider_keys.refresh(services.store)
    return key


async def remove_key(services: Services, org: str, key_id: str, *, by: str) -> None:
    """Delete a key of an org: this process stops at once, others within seconds; NotFound where it has none such."""
    if not await services.store.provider_keys.remove(org, key_id, by):
        raise NotFound(f"org {org!r} has no provider key {key_id[:100]!r}")
    services.provider_keys.forget(org)
    await services.provider_keys.refresh(services.store)
