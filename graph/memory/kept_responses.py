"""Responses that callers may read again and go on from.

They are in the store where an org's words may be written down, and then nowhere else, so that one statement forgets one
for all processes; otherwise in the process that gave them, for a while, and while the log has their call.
"""

import asyncio
import logging
from datetime import timedelta

from ...nodes.services import Services
from ...state.errors import StoreError
from ...state.names import CALL_ID_PATTERN, ORG_PATTERN
from ...state.responses import KeptResponse
from ..settings import Settings
from .remembered import RememberedAnswers

LOOKS_AGAIN_AFTER_S = (0.0, 0.05, 0.15, 0.4)
"""One that was streamed is written after its end was sent: another process may be about to."""
_log = logging.getLogger(__name__)


class KeptResponses:
    """Keeps and finds the responses of a gateway's calls."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._settings = settings
        self._here = RememberedAnswers(settings.responses_kept_s)

    def note(self, org: str, call_id: str, kept: KeptResponse) -> None:
        """Know a response that was told while its call is under way still, as where a judge is at work on it."""
        self._here.remember(org, call_id, kept, is_logged=False)

    def is_noted(self, org: str, call_id: str) -> bool:
        """Return whether such a response is known: somebody may have deleted it meanwhile."""
        return self._here.get(org, call_id) is not None

    async def keep(self, org: str, call_id: str, kept: KeptResponse) -> None:
        """Keep the response of a call that was logged; one that the store refuses is remembered here."""
        if not self._settings.responses_kept_s:
            return
        if await self._is_stored(org):
            try:
                await self._services.store.responses.keep(org, call_id, kept)
            except StoreError as error:
                _log.warning("the response of a call of org %s cannot be kept: %s", org, error)
            else:
                self._here.forget(org, call_id)
                return
        self._here.remember(org, call_id, kept)

    async def find(self, org: str, call_id: str) -> KeptResponse | None:
        """Return the response of a call of an org; None where it is not kept, or its call was erased."""
        if not (ORG_PATTERN.fullmatch(org) and CALL_ID_PATTERN.fullmatch(call_id)):
            return None
        found, store = self._here.get(org, call_id), self._services.store
        if found is not None:
            if not self._here.is_logged(org, call_id) or await store.cached_answers.is_logged(org, call_id):
                return found
            self._here.forget(org, call_id)
        if not self._settings.responses_kept_s or not await self._is_stored(org):
            return None
        days = self._settings.responses_days
        since = self._services.now() - timedelta(days=days) if days else None
        for wait_s in LOOKS_AGAIN_AFTER_S:
            await asyncio.sleep(wait_s)
            if (found := await store.responses.get(org, call_id, since)) is not None:
                return found
        return None

    async def forget(self, org: str, call_id: str) -> bool:
        """Delete a response; return whether there was one."""
        was_here = self._here.forget(org, call_id)
        return await self._services.store.responses.drop(org, call_id) or was_here

    def forget_here(self, org: str, call_id: str | None = None) -> None:
        """Drop from this process's memory what was erased from the store: of one call, or of the org."""
        if call_id is None:
            self._here.forget_org(org)
        else:
            self._here.forget(org, call_id)

    async def why_unknown(self, org: str) -> str:
        """Return why a response of an org may not be found, and which setting would have kept it."""
        kept_s, days = self._settings.responses_kept_s, self._settings.responses_days
        if not kept_s:
            return "none are kept, since X25_RESPONSES_KEPT_S is 0"
        if await self._is_stored(org):
            age = f", or is older than {days:g} days (X25_RESPONSES_DAYS)" if days else ""
            return f"it was never stored, was deleted or erased{age}"
        held = (
            f"it was never stored, was deleted, is older than {kept_s} seconds (X25_RESPONSES_KEPT_S), or was given by "
            "another process or before a restart, and only the store outlasts those"
        )
        if self._settings.keeps_text:
            return f'{held}: the org\'s setting privacy lets it keep no words; "prompts" would'
        return f"{held}: X25_STORE_PROMPTS=true keeps responses there"

    async def _is_stored(self, org: str) -> bool:
        if not self._settings.keeps_text:
            return False
        services = self._services
        settings = await services.org_settings.of(org, services.store, services.clock_s())
        return settings.wishes.keeps_words
