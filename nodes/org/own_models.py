"""Which models only one org has: kept in memory for all orgs, read again when any was registered or removed."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from ...providers.model_files import parse_model
from ...providers.specs import ModelSpec
from ...routing.plan.configs import RouterConfig
from ...state.errors import ConfigError
from ...state.own_models import Mark, OwnModel
from ...state.store import Store

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""How long a model that another process registered or removed may go unnoticed here."""
_NONE: Mapping[str, ModelSpec] = MappingProxyType({})


class OwnModelBook:
    """The orgs' own models. Calls read it without waiting; `refresh` is called beside them."""

    def __init__(self) -> None:
        self._mark: Mark | None = None
        self._org_to_models: dict[str, dict[str, ModelSpec]] = {}

    def of(self, org: str) -> Mapping[str, ModelSpec]:
        """Return an org's own models by id."""
        return self._org_to_models.get(org, _NONE)

    def routers_of(self, org: str) -> dict[str, RouterConfig]:
        """Return a router config for each: whoever names one, gets that one."""
        return {model_id: RouterConfig.direct(model_id, model_id) for model_id in self.of(org)}

    async def refresh(self, store: Store) -> None:
        """Read all of them where anything changed; StoreError as the store's."""
        mark = await store.own_models.mark()
        if mark == self._mark:
            return
        found: dict[str, dict[str, ModelSpec]] = {}
        for one in await store.own_models.all():
            spec = spec_of(one)
            if spec is not None:
                found.setdefault(one.org, {})[one.model_id] = spec
        self._org_to_models, self._mark = found, mark


def spec_of(one: OwnModel) -> ModelSpec | None:
    """Return what is known of a registered model; one that another version wrote and nobody can read counts as none."""
    content = dict(one.spec)
    measured, at = content.pop("held_out_quality", None), content.pop("held_out_difficulty", 0.0)
    try:
        spec = parse_model(content, f"model {one.model_id} of org {one.org}")
        return replace(spec, owner=one.org, measured_quality=measured, measured_at=at)
    except ConfigError as error:
        logger.warning("%s cannot be asked: %s", one.model_id, error)
        return None
