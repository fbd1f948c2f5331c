"""The settings of the orgs seen lately: read from the store now and then, never once per call."""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from ...routing.plan.org_settings import OrgSettings
from ...state.errors import InvalidRequest, StoreError
from ...state.store import Store

LOOK_EVERY_S = 3.0
"""How long settings may serve after another process changed them."""
MOST_ORGS = 1_000

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Page:
    settings: OrgSettings
    read_at_s: float


class SettingsBook:
    """Keeps the settings of orgs in memory; those longest unseen are read again when they are needed."""

    def __init__(self, *, look_every_s: float = LOOK_EVERY_S, most_orgs: int = MOST_ORGS) -> None:
        self._look_every_s = look_every_s
        self._most_orgs = most_orgs
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    async def of(self, org: str, store: Store, now_s: float) -> OrgSettings:
        """Return the org's settings, at most `look_every_s` old.

        Those that were read before go on serving where they cannot be read again.

        Raises
        ------
        StoreError
            When they cannot be read for the first time: they may say what must not be kept.
        """
        page = self._pages.get(org)
        if page is not None and 0.0 <= now_s - page.read_at_s < self._look_every_s:
            self._pages.move_to_end(org)
            return page.settings
        try:
            settings = _parsed(org, await store.org_settings.read(org))
        except StoreError as error:
            if page is None:
                raise
            _log.warning("the settings of org %s cannot be read again: %s", org, error)
            settings = page.settings
        self.keep(org, settings, now_s)
        return settings

    def forget(self, org: str) -> None:
        """Have the org's settings read by its next call."""
        self._pages.pop(org, None)

    def keep(self, org: str, settings: OrgSettings, now_s: float) -> None:
        """Take settings that were just changed here, so that they hold from the next call on."""
        self._pages[org] = _Page(settings, now_s)
        self._pages.move_to_end(org)
        while len(self._pages) > self._most_orgs:
            self._pages.popitem(last=False)


def _parsed(org: str, kept: dict[str, Any]) -> OrgSettings:
    """Return what is kept, which was checked before; a version that knows less must not go on without it.

    Raises
    ------
    StoreError
        When it cannot be read.
    """
    if not kept:
        return OrgSettings()
    try:
        return OrgSettings.parse(kept)
    except InvalidRequest as error:
        raise StoreError(f"the settings kept of org {org} cannot be used: {error}") from error
