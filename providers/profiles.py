"""Published benchmark figures by model, each with its source and how good that source is."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from ..state.errors import ConfigError
from ..state.types import TIERS, Tier
from .fields import Fields

SOURCE_LEVELS: dict[str, float] = {
    "missing": 0.0,
    "third_party": 0.35,
    "self_eval": 0.45,
    "proxy_official": 0.65,
    "dataset_aggregate": 0.75,
    "paper": 0.85,
    "model_card": 0.90,
    "official": 1.0,
}
"""How far a figure's source is trusted, 0 to 1. A source whose level nobody wrote counts as a third party."""
UNSTATED_LEVEL = "third_party"
BUNDLED = "bundled"
"""The word that names the catalogue of the package in a list of catalogues."""
BUNDLED_MODELS = Path(__file__).resolve().parent.parent / "registry" / "models"

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published score."""

    score: float
    """0 to 100."""
    level: str = UNSTATED_LEVEL
    """Key of `SOURCE_LEVELS`."""
    source: str = ""
    """URL, empty where nobody wrote it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The known benchmark figures of a model."""

    model_id: str
    figures: dict[str, Figure] = field(default_factory=dict)
    tier: Tier | None = None
    """None where no catalogue says it."""

    @property
    def scores(self) -> dict[str, float]:
        """Percentage of each benchmark."""
        return {name: figure.score for name, figure in self.figures.items()}

    def merged(self, other: "Profile") -> "Profile":
        """Return both together: of two figures the one of higher level, of equals the other's; the other's tier."""
        figures = dict(self.figures)
        for name, figure in other.figures.items():
            held = figures.get(name)
            if held is None or SOURCE_LEVELS[figure.level] >= SOURCE_LEVELS[held.level]:
                figures[name] = figure
        return Profile(self.model_id, figures, other.tier or self.tier)


def load_profiles(catalogues: str | None = None) -> dict[str, Profile]:
    """Return the benchmark profiles of stacked catalogues by model id; a later catalogue wins.

    A figure of a higher source level is not replaced by one of a lower level, wherever it comes from.

    Parameters
    ----------
    catalogues
        Files and folders, separated by commas; "bundled" names the package's own, which is also the default. A file
        holds one model, a list of models, or a list under `models`, as YAML or JSON.

    Raises
    ------
    ConfigError
        A path does not exist, holds nothing, cannot be read, or breaks the schema.
    """
    profiles: dict[str, Profile] = {}
    for name in (part.strip() for part in (catalogues or BUNDLED).split(",")):
        for profile in _catalogue(name):
            held = profiles.get(profile.model_id, Profile(profile.model_id))
            profiles[profile.model_id] = held.merged(profile)
    return profiles


def parse_profile(mapping: Mapping[str, Any], source: str) -> Profile:
    """Return the benchmark figures in a model's registry entry, or in one that holds nothing else.

    A figure's level and source are those written for it under `benchmark_sources`, else those of the first of `sources`
    whose `what` names the benchmark, else a third party's.

    Raises
    ------
    ConfigError
        A score, level or source is wrong; the sentence names source and key.
    """
    top = Fields(mapping, source, None)
    model_id = top.text("model_id")
    scores = top.group("benchmarks", None, required=False)
    stated = top.group("benchmark_sources", None, required=False)
    figures = {}
    for name in scores.mapping:
        score = scores.optional_number(name, highest=100)
        if score is not None:
            figures[name] = Figure(float(score), *_origin(name, top, stated))
    if orphans := stated.mapping.keys() - scores.mapping.keys():
        raise stated.wrong(min(orphans), "absent for a benchmark without a score")
    tier = cast("Tier", top.choice("tier", TIERS)) if "tier" in mapping else None
    return Profile(model_id, figures, tier)


def _origin(name: str, top: Fields, stated: Fields) -> tuple[str, str]:
    """Return level and URL of a figure's source."""
    if name in stated.mapping:
        own = stated.group(name, ("level", "url"))
        return _level(own), own.text("url", default="")
    for item in top.items("sources", ("url", "date", "what", "level")) if top.mapping.get("sources") else ():
        if _plain(name) in _plain(item.text("what")):
            return _level(item), item.text("url")
    return UNSTATED_LEVEL, ""


def _level(item: Fields) -> str:
    return item.choice("level", tuple(SOURCE_LEVELS), default=UNSTATED_LEVEL)


def _plain(text: str) -> str:
    """Return only letters and digits: "MMLU-Pro" is mmlu_pro."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _catalogue(name: str) -> Iterator[Profile]:
    """Yield the profiles of a file, of a folder's files by name, or of the package; a judge has none."""
    path = BUNDLED_MODELS if name == BUNDLED else Path(name).expanduser()
    if not name or not path.exists():
        raise ConfigError(f"benchmark profiles: there is no file or folder {name!r}")
    files = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise ConfigError(f"benchmark profiles: folder {name!r} holds no {', '.join(_SUFFIXES)} file")
    for file in files:
        for entry in _entries(file):
            if not (isinstance(entry, Mapping) and entry.get("role") == "judge"):
                yield parse_profile(entry, str(file))


def _entries(file: Path) -> list[Any]:
    try:
        text = file.read_text(encoding="utf-8")
        whole = json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=_SafeLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{file} cannot be read as YAML or JSON: {error}") from error
    if isinstance(whole, Mapping) and "models" in whole:
        whole = whole["models"]
    return whole if isinstance(whole, list) else [whole]
