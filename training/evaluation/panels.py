"""Panels: three models of one recorded source that play the tiers, as written in training/evaluation/panels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...state.complaints import nearest_key
from ...state.errors import ConfigError
from ...state.types import TIERS
from ..data.recorded import Recorded

BUNDLED_PANELS = Path(__file__).parent / "panels"


@dataclass(frozen=True, slots=True)
class Panel:
    """What is routed between, and on which prompts."""

    name: str
    title: str
    source: str
    tiers: Mapping[str, str]
    """Model of each tier, in ladder order."""
    datasets: tuple[str, ...] = ()
    """Datasets of the source; empty = all."""
    dataset_prefix: str = ""
    judge_auc: float | None = 0.85
    """Strength of the simulated judge; None where a recorded judge is named."""
    recorded_judge: str = ""
    """A judge whose scores of the same answers were recorded; its noise is resampled."""
    match_margin_points: float = 1.0
    """How far above always-frontier the match point must score on train."""
    budget_share: float = 0.455
    """Most the budget point may cost on train, as a share of always-frontier."""
    unseen_families: bool = False
    """Whether a split also keeps whole datasets out of training: prompts made from templates resemble each other."""

    @property
    def models(self) -> list[str]:
        """Model ids in ladder order."""
        return [self.tiers[tier] for tier in TIERS]

    def covers(self, recorded: Recorded) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Return which prompts belong to the panel: of its datasets, answered by all its models at a known cost."""
        columns = recorded.columns(self.models)
        belongs = np.char.startswith(recorded.datasets, self.dataset_prefix)
        if self.datasets:
            belongs &= np.isin(recorded.datasets, self.datasets)
        known = np.isfinite(recorded.scores[:, columns]) & np.isfinite(recorded.costs_usd[:, columns])
        return np.asarray(belongs & known.all(axis=1))


def load_panels(names: Iterable[str] | None = None, folder: Path = BUNDLED_PANELS) -> list[Panel]:
    """Return the panels of a folder by name, all of them without names.

    Raises
    ------
    ConfigError
        If a file is wrong or a name is unknown; the nearest known name is given.
    """
    panels = {panel.name: panel for panel in map(_read, sorted(folder.glob("*.y*ml")))}
    if names is None:
        return list(panels.values())
    chosen = []
    for name in names:
        if name not in panels:
            raise ConfigError(f"unknown panel {name!r}; {nearest_key(name, list(panels))}")
        chosen.append(panels[name])
    return chosen


def _read(path: Path) -> Panel:
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    return parse_panel(given, str(path))


def parse_panel(given: Any, source: str) -> Panel:
    """Return the panel a file holds; `source` is the file's name for messages.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, a tier is missing, or a number is out of range.
    """
    known = [item.name for item in fields(Panel) if item.name not in {"judge_auc", "recorded_judge"}] + [
        "judge"
    ]
    if not isinstance(given, Mapping):
        raise ConfigError(f"{source}: expected keys and values, got {given!r}")
    for key in given:
        if key not in known:
            raise ConfigError(f"{source}: unknown key {key!r}; {nearest_key(str(key), known)}")
    if missing := [key for key in ("name", "title", "source", "tiers") if key not in given]:
        raise ConfigError(f"{source}: key {missing[0]!r} is missing")
    tiers = given["tiers"]
    if not isinstance(tiers, Mapping) or set(tiers) != set(TIERS):
        raise ConfigError(f"{source}: tiers must name a model for each of {', '.join(TIERS)}, got {tiers!r}")
    if isinstance(given.get("datasets", ()), str):
        raise ConfigError(f"{source}: datasets must be a list of names, got {given['datasets']!r}")
    rest = {key: value for key, value in given.items() if key not in {"judge", "datasets"}}
    panel = Panel(**rest, datasets=tuple(given.get("datasets", ())), **_judge(given.get("judge", {}), source))
    if not isinstance(panel.budget_share, int | float) or not 0.0 < panel.budget_share <= 1.0:
        raise ConfigError(f"{source}: budget_share must be above 0 and at most 1, got {panel.budget_share!r}")
    return panel


def _judge(given: Any, source: str) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not set(given) <= {"auc", "recorded"} or len(given) > 1:
        raise ConfigError(f"{source}: judge must hold either auc or recorded, got {given!r}")
    if "recorded" in given:
        return {"judge_auc": None, "recorded_judge": str(given["recorded"])}
    auc = given.get("auc", 0.85)
    if not isinstance(auc, float) or not 0.5 < auc < 1.0:
        raise ConfigError(f"{source}: judge.auc must be between 0.5 and 1, got {auc!r}")
    return {"judge_auc": auc}
