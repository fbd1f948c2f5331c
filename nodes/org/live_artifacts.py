"""What of an org's own is live: read from the store, parsed once a version, kept in memory."""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ...state.errors import ConfigError, StoreError
from ...state.store import Store

logger = logging.getLogger(__name__)

MOST_ORGS = 1_000
LOOK_EVERY_S = 3.0
"""How long a version may serve after another one went live."""

Fitted = TypeVar("Fitted")


@dataclass(slots=True)
class _Known(Generic[Fitted]):
    version: int | None
    fitted: Fitted | None
    looked_at_s: float


class LiveArtifacts(Generic[Fitted]):
    """The live artifact of one kind of each org; the newest `MOST_ORGS` orgs are kept.

    One that cannot be read is logged once a version and counts as none: no call fails for it.
    """

    def __init__(self, kind: str, most_orgs: int = MOST_ORGS) -> None:
        self._kind = kind
        self._org_to_known: OrderedDict[str, _Known[Fitted]] = OrderedDict()
        self._most_orgs = most_orgs

    async def of(self, store: Store, org: str, parse: Callable[[Any], Fitted], now_s: float) -> Fitted | None:
        """Return what is live of the org; None = nothing.

        Parameters
        ----------
        parse
            Turns an artifact's parameters into what serves; ConfigError or ValueError where it cannot.
        now_s
            Reading of the process's clock; the store is asked again `LOOK_EVERY_S` after the last time.
        """
        known = self._org_to_known.get(org)
        if known is None or not 0.0 <= now_s - known.looked_at_s < LOOK_EVERY_S:
            try:
                known = await self._look(store, org, parse, known, now_s)
            except StoreError as error:
                logger.warning("the live %s of org %s could not be looked for: %s", self._kind, org, error)
                known = _Known(None, None, now_s) if known is None else known
                known.looked_at_s = now_s
            self._org_to_known[org] = known
        self._org_to_known.move_to_end(org)
        while len(self._org_to_known) > self._most_orgs:
            self._org_to_known.popitem(last=False)
        return known.fitted

    def forget(self, org: str) -> None:
        """Drop what is known of an org."""
        self._org_to_known.pop(org, None)

    def __len__(self) -> int:
        """Return the number of orgs kept in memory."""
        return len(self._org_to_known)

    async def _look(
        self,
        store: Store,
        org: str,
        parse: Callable[[Any], Fitted],
        known: _Known[Fitted] | None,
        now_s: float,
    ) -> _Known[Fitted]:
        version = await store.artifacts.live_version(org, self._kind)
        if known is not None and known.version == version:
            return _Known(version, known.fitted, now_s)
        live = None if version is None else await store.artifacts.live(org, self._kind)
        if live is None:
            return _Known(None, None, now_s)
        try:
            fitted = parse(json.loads(live.parameters))
        except (ValueError, AttributeError, ConfigError) as error:
            logger.warning(
                "version %d of the %s of org %s cannot serve: %s", live.version, self._kind, org, error
            )
            return _Known(live.version, None, now_s)
        return _Known(live.version, fitted, now_s)
