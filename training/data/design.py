"""What does a prompt look like to a fitted head? Its embedding beside its cheap features."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.features import FEATURE_NAMES, MOST_CHARS, extract
from .cache import kept

Floats = NDArray[np.float64]


class EmbedsMany(Protocol):
    """What of an encoder the workshop needs."""

    @property
    def dimension(self) -> int:
        """Numbers in one embedding."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names the encoder and its weights."""
        ...

    def embed_many(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return embeddings, shape (texts, dimension)."""
        ...


def design_matrix(prompts: Sequence[str], encoder: EmbedsMany, cache: Path | None = None) -> Floats:
    """Return [embedding | features] of each prompt, shape (n, dimension + features).

    The text embedded is the one the features were counted in, so training and serving see the same.
    Parameters: `cache` is a folder where the result is kept under a name made of the encoder, the features'
    names and the texts; None = do not keep it.
    """

    def make() -> NDArray[np.float32]:
        features = [extract([{"role": "user", "content": prompt}], {}) for prompt in prompts]
        embedded = np.asarray(encoder.embed_many([one.text for one in features]), dtype=np.float64)
        design = np.hstack([embedded.reshape(len(prompts), -1), np.array([one.values for one in features])])
        # In the precision it is kept in, so that a figure does not depend on whether the cache was warm.
        return design.astype(np.float32)

    return kept(cache, lambda: f"design-{_key(prompts, encoder)}", make).astype(np.float64)


def _key(prompts: Sequence[str], encoder: EmbedsMany) -> str:
    digest = hashlib.sha256(repr((encoder.fingerprint, FEATURE_NAMES, MOST_CHARS)).encode())
    for prompt in prompts:
        digest.update(prompt.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:24]
