"""Which provider keys the orgs brought along, and which models those open: in memory, read again when any changed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from ...providers.keyring import OwnKey
from ...providers.specs import ModelSpec
from ...routing.plan.configs import RouterConfig
from ...state.errors import ConfigError
from ...state.provider_keys import Mark, ProviderKey
from ...state.store import Store

logger = logging.getLogger(__name__)

Unseal = Callable[[str, str, bytes], str]
_NO_MODELS: Mapping[str, ModelSpec] = MappingProxyType({})


def _no_master_key(org: str, provider: str, sealed: bytes) -> str:  # noqa: ARG001 - as `Unseal`
    raise ConfigError("this gateway has no master key (X25_BYOK_KEY)")


class ProviderKeyBook:
    """The orgs' own provider keys. Calls read it without waiting; `refresh` is called beside them.

    Parameters
    ----------
    unseal
        Returns the key of an org and provider that was sealed; None where the gateway keeps none.
    models
        Those that everybody has.
    closed
        Priced models that no key of the gateway opens: an org whose own key does may ask them.
    """

    def __init__(
        self,
        unseal: Unseal | None = None,
        models: Sequence[ModelSpec] = (),
        closed: Sequence[ModelSpec] = (),
    ) -> None:
        self._unseal = unseal or _no_master_key
        self.providers = frozenset(way.name for spec in (*models, *closed) for way in spec.deployments)
        """Names of the deployments that an org may bring a key for."""
        self.unusable: frozenset[str] = frozenset()
        """Ids of keys that are kept and cannot be opened: calls of their orgs go without them."""
        self._closed = tuple(closed)
        self._mark: Mark | None = None
        self._org_to_keys: dict[str, tuple[OwnKey, ...]] = {}
        self._org_to_models: dict[str, dict[str, ModelSpec]] = {}

    def of(self, org: str) -> tuple[OwnKey, ...]:
        """Return an org's keys, in the order they are used in."""
        return self._org_to_keys.get(org, ())

    def models_of(self, org: str) -> Mapping[str, ModelSpec]:
        """Return the models that an org's own keys alone open, by id."""
        return self._org_to_models.get(org, _NO_MODELS)

    def routers_of(self, org: str) -> dict[str, RouterConfig]:
        """Return a router config for each of them: whoever names one, gets that one."""
        return {
            name: RouterConfig.direct(name, model_id)
            for model_id, spec in self.models_of(org).items()
            for name in (model_id, *spec.aliases)
        }

    async def refresh(self, store: Store) -> None:
        """Read all of them where anything changed; StoreError as the store's."""
        mark = await store.provider_keys.mark()
        if mark == self._mark:
            return
        found: dict[str, list[OwnKey]] = {}
        kept = await store.provider_keys.all()
        for one in kept:
            own = self._opened(one)
            if own is not None:
                found.setdefault(one.org, []).append(own)
        opened = {own.key_id for keys in found.values() for own in keys}
        self.unusable = frozenset(one.key_id for one in kept) - opened
        self._org_to_models = {org: models for org, keys in found.items() if (models := self._models(keys))}
        self._org_to_keys, self._mark = {org: tuple(keys) for org, keys in found.items()}, mark

    def forget(self, org: str) -> None:
        """Drop an org's keys at once, before they are read again."""
        self._org_to_keys.pop(org, None)
        self._org_to_models.pop(org, None)
        self._mark = None

    def _opened(self, one: ProviderKey) -> OwnKey | None:
        try:
            return OwnKey(one.provider, one.key_id, self._unseal(one.org, one.provider, one.sealed))
        except ConfigError as error:
            logger.warning("provider key %s of org %s cannot be used: %s", one.key_id, one.org, error)
            return None

    def _models(self, keys: Sequence[OwnKey]) -> dict[str, ModelSpec]:
        providers = {one.provider for one in keys}
        return {
            spec.model_id: spec
            for spec in self._closed
            if any(way.name in providers and way.enabled_by is None for way in spec.deployments)
        }
