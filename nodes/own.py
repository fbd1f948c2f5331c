"""Which orgs have estimators of their own: read from the store, kept in memory."""

import json
import logging
from collections import OrderedDict
from dataclasses import dataclass

from ..routing.difficulty import DifficultyModel
from ..routing.own import KIND, OwnModel
from ..state.errors import ConfigError, StoreError
from ..state.store import Store

logger = logging.getLogger(__name__)

MOST_ORGS = 1_000
LOOK_EVERY_S = 3.0
"""How long a version may serve after another one went live."""


@dataclass(slots=True)
class _Known:
    version: int | None
    model: OwnModel | None
    looked_at_s: float


class OwnModels:
    """An org's live model, looked up in memory; the newest `MOST_ORGS` orgs are kept.

    What cannot be read is logged once a version, and the bundled estimators serve: no call fails for it.
    """

    def __init__(self, most_orgs: int = MOST_ORGS) -> None:
        self._org_to_known: OrderedDict[str, _Known] = OrderedDict()
        self._most_orgs = most_orgs

    async def model_of(
        self, store: Store, org: str, difficulty: DifficultyModel, now_s: float
    ) -> OwnModel | None:
        """Return the org's live model; None = the bundled estimators serve.

        Parameters
        ----------
        difficulty
            The bundled model that an org's own is fitted on top of.
        now_s
            Reading of the process's clock; the store is asked again `LOOK_EVERY_S` after the last time.
        """
        known = self._org_to_known.get(org)
        if known is not None and 0.0 <= now_s - known.looked_at_s < LOOK_EVERY_S:
            self._org_to_known.move_to_end(org)
            return known.model
        try:
            known = await _look(store, org, difficulty, known, now_s)
        except StoreError as error:
            logger.warning("the own estimators of org %s could not be looked for: %s", org, error)
            known = _Known(None, None, now_s) if known is None else known
            known.looked_at_s = now_s
        self._org_to_known[org] = known
        self._org_to_known.move_to_end(org)
        while len(self._org_to_known) > self._most_orgs:
            self._org_to_known.popitem(last=False)
        return known.model

    def __len__(self) -> int:
        """Return the number of orgs kept in memory."""
        return len(self._org_to_known)


async def _look(
    store: Store, org: str, difficulty: DifficultyModel, known: _Known | None, now_s: float
) -> _Known:
    version = await store.artifacts.live_version(org, KIND)
    if known is not None and known.version == version:
        return _Known(version, known.model, now_s)
    live = None if version is None else await store.artifacts.live(org, KIND)
    if live is None:
        return _Known(None, None, now_s)
    try:
        model = OwnModel.from_dict(json.loads(live.parameters))
        model.require_base(difficulty)
    except (ValueError, AttributeError, ConfigError) as error:
        logger.warning(
            "version %d of the own estimators of org %s cannot serve, the bundled ones do: %s",
            live.version, org, error,
        )  # fmt: skip
        return _Known(live.version, None, now_s)
    return _Known(live.version, model, now_s)
