"""Which orgs have a free verifier of their own: read from the store, kept in memory."""

import json
import logging
from collections import OrderedDict
from dataclasses import dataclass

from ..routing.verifier import KIND, Verifier
from ..state.errors import ConfigError, StoreError
from ..state.store import Store

logger = logging.getLogger(__name__)

MOST_ORGS = 1_000
LOOK_EVERY_S = 3.0
"""How long a version may serve after another one went live."""


@dataclass(slots=True)
class _Known:
    version: int | None
    verifier: Verifier | None
    looked_at_s: float


class Verifiers:
    """An org's live verifier, looked up in memory; the newest `MOST_ORGS` orgs are kept.

    One that cannot be read is logged once a version, and nobody looks: no call fails for it.
    """

    def __init__(self, most_orgs: int = MOST_ORGS) -> None:
        self._org_to_known: OrderedDict[str, _Known] = OrderedDict()
        self._most_orgs = most_orgs

    async def verifier_of(self, store: Store, org: str, encoder: str, now_s: float) -> Verifier | None:
        """Return the org's live verifier; None = it has none.

        Parameters
        ----------
        encoder
            Fingerprint of the encoder behind the priors.
        now_s
            Reading of the process's clock; the store is asked again `LOOK_EVERY_S` after the last time.
        """
        known = self._org_to_known.get(org)
        if known is None or not 0.0 <= now_s - known.looked_at_s < LOOK_EVERY_S:
            try:
                known = await _look(store, org, encoder, known, now_s)
            except StoreError as error:
                logger.warning("the verifier of org %s could not be looked for: %s", org, error)
                known = _Known(None, None, now_s) if known is None else known
                known.looked_at_s = now_s
            self._org_to_known[org] = known
        self._org_to_known.move_to_end(org)
        while len(self._org_to_known) > self._most_orgs:
            self._org_to_known.popitem(last=False)
        return known.verifier

    def __len__(self) -> int:
        """Return the number of orgs kept in memory."""
        return len(self._org_to_known)


async def _look(store: Store, org: str, encoder: str, known: _Known | None, now_s: float) -> _Known:
    version = await store.artifacts.live_version(org, KIND)
    if known is not None and known.version == version:
        return _Known(version, known.verifier, now_s)
    live = None if version is None else await store.artifacts.live(org, KIND)
    if live is None:
        return _Known(None, None, now_s)
    try:
        verifier = Verifier.from_dict(json.loads(live.parameters), encoder=encoder)
    except (ValueError, AttributeError, ConfigError) as error:
        logger.warning(
            "version %d of the verifier of org %s cannot serve, nobody looks: %s", live.version, org, error
        )
        return _Known(live.version, None, now_s)
    return _Known(live.version, verifier, now_s)
