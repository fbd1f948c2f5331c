"""What a process has in memory of an org, and drops once the org is erased, here or by another process on the store."""

from collections.abc import Callable, Mapping

from ..nodes.services import Services
from ..state.store import Store
from .memory.kept_responses import KeptResponses


def forget_org(services: Services, responses: KeptResponses, org: str) -> None:
    """Drop all that this process knows of an org: answers, conversations, settings, keys, what was learnt."""
    responses.forget_here(org)
    if services.caches is not None:
        services.caches.forget_org(org)
    services.conversations.forget_org(org)
    services.prompt_caches.forget(org)
    services.provider_keys.forget(org)
    services.org_settings.forget(org)
    services.memory_settings.forget()
    services.judge_book.forget(org)
    services.org_models.forget(org)
    services.verifiers.forget(org)
    services.store.posteriors.forget(org)
    services.store.orgs.forget(org)
    services.store.memories.forget_vectors(org)


class ErasedOrgs:
    """A book of the orgs that were erased, whichever process did it; each is forgotten here when it is found.

    Parameters
    ----------
    forget
        Drops what this process knows of an org.
    """

    def __init__(self, forget: Callable[[str], None]) -> None:
        self._forget = forget
        self._count: int | None = None
        self._erased: Mapping[str, int] = {}

    async def refresh(self, store: Store) -> None:
        """Forget the orgs that were erased since the last time; those of before the first time nobody knew here."""
        count = await store.erasure.count_of_orgs()
        if count == self._count:
            return
        erased, is_first = await store.erasure.erased_orgs(), self._count is None
        if not is_first:
            for org, times in erased.items():
                if self._erased.get(org) != times:
                    self._forget(org)
        self._erased, self._count = erased, sum(erased.values())
