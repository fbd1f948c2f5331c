"""Which orgs have a free verifier of their own."""

from functools import partial

from ...routing.answer.verifier import KIND, Verifier
from ...state.store import Store
from .live_artifacts import LOOK_EVERY_S, MOST_ORGS, LiveArtifacts

__all__ = ["LOOK_EVERY_S", "Verifiers"]


class Verifiers(LiveArtifacts[Verifier]):
    """An org's live verifier; where there is none, or it cannot be read, nobody looks."""

    def __init__(self, most_orgs: int = MOST_ORGS) -> None:
        super().__init__(KIND, most_orgs)

    async def verifier_of(self, store: Store, org: str, encoder: str, now_s: float) -> Verifier | None:
        """Return the org's live verifier, if its priors come from this `encoder` (a fingerprint); None otherwise."""
        return await self.of(store, org, partial(Verifier.from_dict, encoder=encoder), now_s)
