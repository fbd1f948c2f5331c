"""Reads fitted artifacts and checks that they were fitted with the encoder in use."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from ..providers.embeddings import Encoder, StaticEncoder, open_encoder
from ..providers.embeddings_remote import RemoteEncoder
from ..providers.sparing_encoder import SparingEncoder
from ..providers.wire.client import VendorClient
from ..routing.belief.irt import CompletionModel
from ..routing.belief.irt_difficulty import difficulty_model_of
from ..routing.prompt.classifier import TaskClassifier
from ..routing.prompt.difficulty import DifficultyModel
from ..routing.prompt.near import NearVerifier
from ..state.errors import ConfigError, EncoderAbsent
from .settings import PACKAGE_DIR, Settings

BUNDLED_DIFFICULTY = PACKAGE_DIR / "artifacts" / "difficulty.json"
BUNDLED_CLASSIFIER = PACKAGE_DIR / "artifacts" / "classifier.json"
BUNDLED_NEAR = PACKAGE_DIR / "artifacts" / "near_verifier.json"

Fitted = TypeVar("Fitted")


@dataclass(frozen=True, slots=True, repr=False)
class Estimators:
    """What turns a prompt into a task type and a difficulty."""

    encoder: Encoder
    classifier: TaskClassifier
    difficulty: DifficultyModel


async def open_estimators(
    settings: Settings, environ: Mapping[str, str], client: VendorClient | None = None
) -> Estimators:
    """Return the estimators the settings name; an encoder that cannot be reached or loaded is done without.

    Raises
    ------
    ConfigError
        When a file is absent or wrong, or a head was fitted with another encoder.
    """
    open_ = partial(
        open_encoder,
        settings.encoder,
        model=settings.encoder_model,
        api_key=environ.get(settings.encoder_key_env),
        client=client,
    )
    try:
        # A sentence transformer is loaded as it is opened.
        encoder = await asyncio.to_thread(open_)
    except EncoderAbsent as error:
        return await asyncio.to_thread(_without_encoder, settings, open_, str(error))
    estimators = await asyncio.to_thread(read_estimators, encoder, settings.model, settings.classifier)
    if isinstance(encoder, StaticEncoder):  # a table in memory is always there
        return estimators
    return replace(estimators, encoder=_sparing(lambda: encoder, encoder.name, estimators.difficulty))


def read_estimators(
    encoder: Encoder, difficulty: Path = BUNDLED_DIFFICULTY, classifier: Path = BUNDLED_CLASSIFIER
) -> Estimators:
    """Return the heads of two artifacts beside their encoder; ConfigError as `open_estimators`."""
    estimators = Estimators(encoder, load_classifier(classifier), load_difficulty(difficulty))
    wanted = estimators.difficulty.encoder_dimension
    if isinstance(encoder, RemoteEncoder):
        encoder.dimension = wanted  # it learns its own from a reply, which may be a wrong one
    estimators.difficulty.require_encoder(encoder.fingerprint, encoder.dimension)
    estimators.classifier.require_encoder(encoder.fingerprint, encoder.dimension)
    return estimators


def _without_encoder(settings: Settings, open_: Callable[[], Encoder], reason: str) -> Estimators:
    """Return the heads beside an encoder that is not there yet; it is looked for again, now and then."""
    difficulty, classifier = load_difficulty(settings.model), load_classifier(settings.classifier)
    classifier.require_encoder(difficulty.encoder_fingerprint, difficulty.encoder_dimension)
    encoder = _sparing(open_, settings.encoder, difficulty)
    encoder.mark_absent(reason)
    return Estimators(encoder, classifier, difficulty)


def _sparing(open_: Callable[[], Encoder], name: str, difficulty: DifficultyModel) -> SparingEncoder:
    return SparingEncoder(
        open_,
        name=name,
        fingerprint=difficulty.encoder_fingerprint,
        dimension=difficulty.encoder_dimension,
    )


def load_difficulty(path: Path = BUNDLED_DIFFICULTY) -> DifficultyModel:
    """Return the difficulty model of an artifact, or of a completion model; ConfigError names any other file."""
    return _load(path, _difficulty, "difficulty")


def _difficulty(parameters: Mapping[str, Any]) -> DifficultyModel:
    if "forms" in parameters:
        return difficulty_model_of(CompletionModel.from_dict(parameters))
    return DifficultyModel.from_dict(parameters)


def load_near_verifier(path: Path = BUNDLED_NEAR) -> NearVerifier:
    """Return what tells whether two questions want the same answer; ConfigError names the file when it is none."""
    return _load(path, NearVerifier.from_dict, "near verifier")


def load_classifier(path: Path = BUNDLED_CLASSIFIER) -> TaskClassifier:
    """Return the task classifier of an artifact; ConfigError names the file when it is none."""
    return _load(path, TaskClassifier.from_dict, "classifier")


def _load(path: Path, parse: Callable[[Mapping[str, Any]], Fitted], kind: str) -> Fitted:
    load = _load_once if path in (BUNDLED_DIFFICULTY, BUNDLED_CLASSIFIER, BUNDLED_NEAR) else _read
    return load(path, parse, kind)


def _read(path: Path, parse: Callable[[Mapping[str, Any]], Fitted], kind: str) -> Fitted:
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise ConfigError(f"{path}: not a {kind} artifact: {error}") from error


_load_once = cache(_read)
"""For what comes with the package: nobody writes it while the process runs, and every graph shares one copy."""
