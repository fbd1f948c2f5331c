"""Reads fitted artifacts and checks that they were fitted with the encoder in use."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ..providers.embeddings import Encoder, open_encoder
from ..routing.prompt.classifier import TaskClassifier
from ..routing.prompt.difficulty import DifficultyModel
from ..state.errors import ConfigError
from .settings import PACKAGE_DIR, Settings

BUNDLED_DIFFICULTY = PACKAGE_DIR / "artifacts" / "difficulty.json"
BUNDLED_CLASSIFIER = PACKAGE_DIR / "artifacts" / "classifier.json"

Fitted = TypeVar("Fitted")


@dataclass(frozen=True, slots=True, repr=False)
class Estimators:
    """What turns a prompt into a task type and a difficulty."""

    encoder: Encoder
    classifier: TaskClassifier
    difficulty: DifficultyModel


async def open_estimators(
    settings: Settings, environ: Mapping[str, str], client: httpx.AsyncClient | None = None
) -> Estimators:
    """Return the estimators the settings name.

    Raises
    ------
    ConfigError
        When a file is absent or wrong, or a head was fitted with another encoder.
    """
    # A sentence transformer is loaded as it is opened.
    encoder = await asyncio.to_thread(
        open_encoder,
        settings.encoder,
        model=settings.encoder_model,
        api_key=environ.get(settings.encoder_key_env),
        client=client,
    )
    return await asyncio.to_thread(read_estimators, encoder, settings.model, settings.classifier)


def read_estimators(
    encoder: Encoder, difficulty: Path = BUNDLED_DIFFICULTY, classifier: Path = BUNDLED_CLASSIFIER
) -> Estimators:
    """Return the heads of two artifacts beside their encoder; ConfigError as `open_estimators`."""
    estimators = Estimators(encoder, load_classifier(classifier), load_difficulty(difficulty))
    # An embeddings API tells its dimension with its first reply; then the heads check it.
    dimension = encoder.dimension or estimators.difficulty.encoder_dimension
    estimators.difficulty.require_encoder(encoder.fingerprint, dimension)
    estimators.classifier.require_encoder(encoder.fingerprint, dimension)
    return estimators


def load_difficulty(path: Path = BUNDLED_DIFFICULTY) -> DifficultyModel:
    """Return the difficulty model of an artifact; ConfigError names the file when it is none."""
    return _load(path, DifficultyModel.from_dict, "difficulty")


def load_classifier(path: Path = BUNDLED_CLASSIFIER) -> TaskClassifier:
    """Return the task classifier of an artifact; ConfigError names the file when it is none."""
    return _load(path, TaskClassifier.from_dict, "classifier")


def _load(path: Path, parse: Callable[[Mapping[str, Any]], Fitted], kind: str) -> Fitted:
    load = _load_once if path in (BUNDLED_DIFFICULTY, BUNDLED_CLASSIFIER) else _read
    return load(path, parse, kind)


def _read(path: Path, parse: Callable[[Mapping[str, Any]], Fitted], kind: str) -> Fitted:
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise ConfigError(f"{path}: not a {kind} artifact: {error}") from error


_load_once = cache(_read)
"""For what comes with the package: nobody writes it while the process runs, and every graph shares one copy."""
