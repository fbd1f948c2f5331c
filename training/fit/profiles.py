"""Read what is published of models: registry files, and catalogues that hold nothing but profiles."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ...graph.settings import PACKAGE_DIR
from ...routing.belief.irt import Profile
from ...state.errors import ConfigError

BUNDLED_PROFILES = PACKAGE_DIR / "registry" / "models"
_SUFFIXES = {".yaml", ".yml", ".json"}


def read_profiles(specs: str | Path | None = None) -> dict[str, Profile]:
    """Return the profiles by model_id.

    Parameters
    ----------
    specs
        Files and folders of YAML or JSON, separated by commas; None or "" = the bundled registry. A file holds
        one model, a list of models, or a list under `models`; of a model `model_id`, `benchmarks` (percentages)
        and `tier` are read. A later figure wins over an earlier one; figures known only earlier stay.

    Raises
    ------
    ConfigError
        If a file or folder is not there or cannot be read, naming it and what is wrong.
    """
    if isinstance(specs, str):
        places = [Path(part.strip()).expanduser() for part in specs.split(",") if part.strip()]
    else:
        places = [] if specs is None else [specs]
    profiles: dict[str, Profile] = {}
    for place in places or [BUNDLED_PROFILES]:
        for path in _files(place):
            for profile in _profiles_of(path):
                profiles[profile.model_id] = _stacked(profiles.get(profile.model_id), profile)
    return profiles


def profiles_from(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Profile]:
    """Return the profiles of a mapping of model_id to `benchmarks` and, where wanted, `tier`; raises ConfigError."""
    return {
        model_id: _profile({**fields, "model_id": model_id}, "profiles")
        for model_id, fields in models.items()
    }


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        files = sorted(path for path in place.iterdir() if path.suffix in _SUFFIXES)
        if not files:
            raise ConfigError(f"expected profiles (.yaml, .yml, .json) in {place}, found none")
        return files
    if not place.is_file():
        raise ConfigError(f"expected a file or folder of profiles at {place}, found nothing")
    return [place]


def _profiles_of(path: Path) -> list[Profile]:
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if isinstance(document, Mapping) and "models" in document:
        document = document["models"]
    entries = document if isinstance(document, list) else [document]
    # A judge is never asked for an answer, so it has no profile.
    return [_profile(entry, str(path)) for entry in entries if not _is_judge(entry)]


def _is_judge(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("role") == "judge"


def _profile(entry: Any, where: str) -> Profile:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("model_id"), str):
        raise ConfigError(f"{where}: expected a mapping with a model_id, got {entry!r:.80}")
    benchmarks = entry.get("benchmarks") or {}
    if not isinstance(benchmarks, Mapping):
        raise ConfigError(f"{where}: benchmarks must map names to percentages, got {benchmarks!r:.80}")
    for name, score in benchmarks.items():
        if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
            raise ConfigError(f"{where}: {name} must be a percentage or null, got {score!r}")
    try:
        return Profile(entry["model_id"], dict(benchmarks), entry.get("tier", "mid"))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _stacked(earlier: Profile | None, later: Profile) -> Profile:
    if earlier is None:
        return later
    known = {name: score for name, score in later.benchmarks.items() if score is not None}
    return Profile(later.model_id, {**earlier.benchmarks, **known}, later.tier)
