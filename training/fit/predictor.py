"""How likely does a model complete a prompt? Load an artifact, add profiles, ask for a prompt and some models.

>>> from x25.training.fit.predictor import load_predictor
>>> predictor = load_predictor()
>>> names = ["anthropic/claude-opus-5", "deepseek/deepseek-v4-flash-0731"]
>>> predictions = predictor.predict("Design a distributed consensus algorithm", names)
>>> [one.model_id for one in predictions] == names
True
"""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...graph.settings import PACKAGE_DIR
from ...providers.embeddings import open_encoder
from ...providers.profiles import BUNDLED
from ...routing.belief.irt import CompletionModel, FormName, Prediction
from ...routing.prompt.features import extract
from ...state.errors import ConfigError
from .profiles import profiles_from, read_profiles

BUNDLED_ARTIFACT = PACKAGE_DIR / "artifacts" / "completion.json"
Prompt = str | Sequence[Mapping[str, Any]]
"""A text, or a conversation as OpenAI chat messages."""
FEATURES_ONLY = "none"
"""The encoder of a model that reads features alone."""


class NoEncoder:
    """Stand where an encoder would, for a model of features alone: its vectors have no entries."""

    name = FEATURES_ONLY
    fingerprint = FEATURES_ONLY
    dimension = 0

    def embed_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an empty vector a text, shape (n, 0)."""
        return np.zeros((len(texts), 0), dtype=np.float32)


class Predictor:
    """A completion model with its encoder. Safe to share between threads."""

    def __init__(self, model: CompletionModel, encoder: Any) -> None:
        self._model = model
        self._encoder = encoder
        self._checking = threading.Lock()
        self._checked = False

    @property
    def model(self) -> CompletionModel:
        """The fitted model with the profiles added so far."""
        return self._model

    def add_profiles(self, profiles: Mapping[str, Mapping[str, Any]] | str) -> None:
        """Make further models predictable; nothing is refitted, and a later figure wins over an earlier one.

        `profiles` maps a model_id to `benchmarks` (percentages) and `tier`, or names files and folders as
        `--benchmark-profiles` does.

        Raises
        ------
        ConfigError
            If a profile cannot be read or is out of range.
        """
        added = profiles_from(profiles) if isinstance(profiles, Mapping) else read_profiles(profiles)
        self._model = self._model.with_profiles(added)

    def predict(
        self, prompt: Prompt, model_ids: Sequence[str], form: FormName = "estimated"
    ) -> list[Prediction]:
        """Return a prediction a model, in the order asked for.

        Raises
        ------
        ConfigError
            If the encoder is not the one the model was fitted with.
        NotFound
            If a model has no profile.
        """
        return self._model.predict(self._inputs(prompt), model_ids, form)

    def difficulty(self, prompt: Prompt) -> float:
        """Return how hard a prompt is, in logits; raises ConfigError as `predict` does."""
        return self._model.difficulty(self._inputs(prompt))

    def _inputs(self, prompt: Prompt) -> NDArray[np.float64]:
        messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
        features = extract(messages, {})
        vector = self._encoder.embed_many([features.text])[0]
        self._check_encoder()
        return np.concatenate([vector.astype(np.float64), features.values])

    def _check_encoder(self) -> None:
        # A remote encoder knows its dimension only after it has answered once.
        if not self._checked:
            with self._checking:
                self._model.require_encoder(self._encoder.fingerprint, self._encoder.dimension)
                self._checked = True


def load_predictor(
    artifact: Path | str | None = None,
    profiles: Mapping[str, Mapping[str, Any]] | str | None = None,
    encoder: str = "",
) -> Predictor:
    """Return a predictor of the bundled artifact, or of another one.

    Parameters
    ----------
    artifact
        What `x25 train` wrote; None = the bundled one.
    profiles
        As `Predictor.add_profiles`; None = the bundled registry.
    encoder
        As the setting X25_ENCODER; "none" for an artifact of features alone.

    Raises
    ------
    ConfigError
        If the artifact, a profile or the encoder cannot be used.
    """
    path = BUNDLED_ARTIFACT if artifact is None else Path(artifact)
    model = read_artifact(path)
    bare = FEATURES_ONLY in {encoder, model.encoder_fingerprint}
    predictor = Predictor(model, NoEncoder() if bare else open_encoder(encoder))
    predictor.add_profiles(BUNDLED if profiles is None else profiles)
    return predictor


def read_artifact(path: Path) -> CompletionModel:
    """Return the completion model of an artifact file; raises ConfigError naming the file."""
    try:
        return CompletionModel.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, ConfigError) as error:
        raise ConfigError(f"{path}: not a completion artifact: {error}") from error
