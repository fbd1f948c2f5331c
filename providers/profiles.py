"""Published benchmark figures by model, each with its source and how good that source is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from ..state.errors import ConfigError
from ..state.types import TIERS, Tier
from .written import DateText, Score, Several, Text, Written, parse, read_file, wrong

Level = Literal[
    "missing", "unverified", "third_party", "self_eval", "proxy_official", "dataset_aggregate", "paper", "model_card",
    "official",
]  # fmt: skip
SOURCE_LEVELS: dict[Level, float] = {
    "missing": 0.0,
    "unverified": 0.2,
    "third_party": 0.35,
    "self_eval": 0.45,
    "proxy_official": 0.65,
    "dataset_aggregate": 0.75,
    "paper": 0.85,
    "model_card": 0.90,
    "official": 1.0,
}
"""How far a figure's source is trusted, 0 to 1. A source whose level nobody wrote counts as a third party; one
that only repeats what it read elsewhere is unverified."""
UNSTATED_LEVEL: Level = "third_party"
BUNDLED = "bundled"
"""The word that names the catalogue of the package in a list of catalogues."""
BUNDLED_MODELS = Path(__file__).resolve().parent.parent / "registry" / "models"

_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published score."""

    score: float
    """0 to 100."""
    level: Level = UNSTATED_LEVEL
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


SourceLevel = Annotated[Level, Field(description=f"one of {', '.join(SOURCE_LEVELS)}")]


class Origin(Written):
    """Where one figure comes from."""

    level: SourceLevel = UNSTATED_LEVEL
    url: Text | None = None


class Source(Written):
    """Where some of a model's figures come from."""

    url: Text
    what: Text
    date: DateText | None = None
    level: SourceLevel = UNSTATED_LEVEL


class ProfileEntry(Written):
    """A model's benchmark figures; whatever else is written of it is not looked at."""

    model_config = ConfigDict(extra="ignore")

    model_id: Text
    tier: Annotated[Tier | None, Field(description=f"one of {', '.join(TIERS)}")] = None
    benchmarks: Annotated[dict[str, Score | None] | None, Field(description="a mapping")] = None
    benchmark_sources: Annotated[dict[str, Origin] | None, Field(description="a mapping")] = None
    sources: Annotated[Several[Source] | None, Field(description="a list of mappings")] = None

    @field_validator("benchmark_sources")
    @classmethod
    def check_origins(
        cls, sources: dict[str, Origin] | None, info: ValidationInfo
    ) -> dict[str, Origin] | None:
        """Refuse the source of a figure that is not there."""
        orphans = (sources or {}).keys() - (info.data.get("benchmarks") or {}).keys()
        if orphans and "benchmarks" in info.data:
            raise wrong(min(orphans), expected="absent for a benchmark without a score")
        return sources

    def profile(self) -> Profile:
        """Return its known figures."""
        known = {name: score for name, score in (self.benchmarks or {}).items() if score is not None}
        return Profile(
            self.model_id,
            {name: Figure(score, *self._origin(name)) for name, score in known.items()},
            self.tier,
        )

    def _origin(self, name: str) -> tuple[Level, str]:
        """Return level and URL of a figure's source.

        They are those written under `benchmark_sources`, else those of the first of `sources` whose `what` names the
        benchmark, else a third party's.
        """
        if own := (self.benchmark_sources or {}).get(name):
            return own.level, own.url or ""
        found = next((one for one in self.sources or () if _plain(name) in _plain(one.what)), None)
        return (UNSTATED_LEVEL, "") if found is None else (found.level, found.url)


def load_profiles(catalogues: str | None = None) -> dict[str, Profile]:
    """Return the benchmark profiles of stacked catalogues by model id; a later catalogue wins.

    A figure of a higher source level is not replaced by one of a lower level, wherever it comes from.

    Parameters
    ----------
    catalogues
        Files and folders, separated by commas; "bundled" names the package's own, which is also the default. A file
        holds one model, a list of models, or `models:` with a list, as YAML or JSON.

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


def parse_profile(given: Any, source: str) -> Profile:
    """Return the benchmark figures in a model's registry entry, or in one that holds nothing else.

    Raises
    ------
    ConfigError
        A score, level or source is wrong; the sentence names source and key.
    """
    return parse(ProfileEntry, given, source).profile()


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
    whole = read_file(file)
    if isinstance(whole, Mapping) and "models" in whole:
        whole = whole["models"]
    return whole if isinstance(whole, list) else [whole]
