"""Which orgs have estimators of their own."""

from typing import Any

from ...routing.belief.org_model import KIND, OrgModel
from ...routing.prompt.difficulty import DifficultyModel
from ...state.store import Store
from .live_artifacts import LOOK_EVERY_S, MOST_ORGS, LiveArtifacts

__all__ = ["LOOK_EVERY_S", "OrgModels"]


class OrgModels(LiveArtifacts[OrgModel]):
    """An org's live estimators; where there are none, or they cannot be read, the bundled ones serve."""

    def __init__(self, most_orgs: int = MOST_ORGS) -> None:
        super().__init__(KIND, most_orgs)

    async def model_of(
        self, store: Store, org: str, difficulty: DifficultyModel, now_s: float
    ) -> OrgModel | None:
        """Return the org's live model, if it was fitted on top of this bundled `difficulty`; None otherwise."""

        def parse(parameters: Any) -> OrgModel:
            model = OrgModel.from_dict(parameters)
            model.require_base(difficulty)
            return model

        return await self.of(store, org, parse, now_s)
