"""What is routed between, and on which prompts? Panels: three models of one recorded source that play the tiers."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from ...providers.written import Flag, Text, Texts, Written, parse, read_file, wrong
from ...state.complaints import nearest_key
from ...state.errors import ConfigError
from ...state.types import TIERS
from ..data.recorded import Recorded

BUNDLED_PANELS = Path(__file__).parent / "panels"
_A_MODEL_A_TIER = f"a model for each of {', '.join(TIERS)}"


class JudgeSpec(Written):
    """Who looks at the answers: a simulated judge of some strength, or the noise of a recorded one."""

    auc: Annotated[float, Field(gt=0.5, lt=1.0, description="a number above .5 and below 1")] = 0.85
    """Strength of the simulated judge."""
    recorded: Text = ""
    """A judge whose scores of the same answers were recorded; its noise is resampled."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.model_fields_set == {"auc", "recorded"}:
            raise wrong(expected="either auc or recorded")
        return self


class Panel(Written):
    """One file of `panels/`."""

    name: Text
    title: Text
    source: Text
    tiers: Annotated[dict[str, Text], Field(description=_A_MODEL_A_TIER)]
    """Model of each tier, in ladder order."""
    datasets: Texts = ()
    """Datasets of the source; empty = all."""
    dataset_prefix: Text = ""
    judge: JudgeSpec = JudgeSpec()
    match_margin_points: Annotated[float, Field(allow_inf_nan=False, description="a number")] = 1.0
    """How far above always-frontier the match point must score on train."""
    budget_share: Annotated[float, Field(gt=0.0, le=1.0, description="a number above 0, at most 1")] = 0.455
    """Most the budget point may cost on train, as a share of always-frontier."""
    unseen_families: Flag = False
    """Whether a split also keeps whole datasets out of training: prompts made from templates resemble each other."""

    @field_validator("tiers")
    @classmethod
    def _in_ladder_order(cls, tiers: dict[str, str]) -> dict[str, str]:
        if set(tiers) != set(TIERS):
            raise wrong(expected=_A_MODEL_A_TIER)
        return {tier: tiers[tier] for tier in TIERS}

    @property
    def models(self) -> list[str]:
        """Model ids in ladder order."""
        return list(self.tiers.values())

    @property
    def judge_auc(self) -> float | None:
        """Strength of the simulated judge; None where a recorded judge is named."""
        return None if self.judge.recorded else self.judge.auc

    @property
    def recorded_judge(self) -> str:
        """Name of the recorded judge, empty where the judge is simulated."""
        return self.judge.recorded

    def belongs(self, recorded: Recorded) -> NDArray[np.bool_]:
        """Return which prompts are of the panel's datasets."""
        belongs = np.char.startswith(recorded.datasets, self.dataset_prefix)
        if self.datasets:
            belongs &= np.isin(recorded.datasets, self.datasets)
        return np.asarray(belongs)

    def covers(self, recorded: Recorded) -> NDArray[np.bool_]:
        """Return which prompts belong to the panel and were answered by all its models at a known cost."""
        columns = recorded.columns(self.models)
        known = np.isfinite(recorded.scores[:, columns]) & np.isfinite(recorded.costs_usd[:, columns])
        return np.asarray(self.belongs(recorded) & known.all(axis=1))


def load_panels(names: Iterable[str] | None = None, folder: Path = BUNDLED_PANELS) -> list[Panel]:
    """Return the panels of a folder by name, all of them without names.

    Raises
    ------
    ConfigError
        If a file is wrong or a name is unknown; the nearest known name is given.
    """
    found = (parse(Panel, read_file(path), str(path)) for path in sorted(folder.glob("*.y*ml")))
    panels = {panel.name: panel for panel in found}
    if names is None:
        return list(panels.values())
    chosen = []
    for name in names:
        if name not in panels:
            raise ConfigError(f"unknown panel {name!r}; {nearest_key(name, list(panels))}")
        chosen.append(panels[name])
    return chosen
