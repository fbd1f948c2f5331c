"""An org's own estimators: the bundled difficulty moved by the org's calls, and each model's level and slope on it.

    d   = bundled difficulty + shift + u . z          z: the bundled head's standardised inputs
    p_m = sigmoid(level_m - slope_m d)                clipped to [.02, .98]

Difficulty hardly transfers between sources of prompts: the bundled head is where an org starts, not where it stays.
"""

import base64
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...state.errors import ConfigError
from ..prompt.difficulty import Difficulty, DifficultyModel
from ..prompt.features import FEATURE_NAMES
from ..prompt.linear import standardise
from ..prompt.logistic import sigmoid

Floats = NDArray[np.float64]

KIND = "own"
"""What its artifacts are filed under."""
MOST_MOVED = 6.0
"""Largest move of a difficulty, logits."""
LOWEST, HIGHEST = 0.02, 0.98
_LARGEST_HALF = 65_504.0
_ENDLESS = np.float16(np.inf)
_STEPS = 127
"""Of a number of a packed embedding, either way of 0."""
_SIZES = struct.Struct("<HB")
_WANTED = {"base", "shift", "u_f4", "levels"}


@dataclass(frozen=True, slots=True)
class Line:
    """Completion of one model on the org's difficulty: p = sigmoid(level - slope d)."""

    level: float
    slope: float


@lru_cache(maxsize=8)
def inputs_id(encoder_fingerprint: str, encoder_dimension: int) -> str:
    """Name what a kept vector [embedding | features] is made of, so that vectors of another make are not mixed in."""
    return sha256(repr((encoder_fingerprint, encoder_dimension, FEATURE_NAMES)).encode()).hexdigest()[:16]


def base_id(difficulty: DifficultyModel) -> str:
    """Name a bundled difficulty model by its parameters: what was fitted on top of it fits no other."""
    head = difficulty.head
    digest = sha256(inputs_id(difficulty.encoder_fingerprint, difficulty.encoder_dimension).encode())
    for part in (head.mean, head.scale, head.centre, head.coef):
        digest.update(np.asarray(part, dtype="<f8").tobytes())
    digest.update(repr((head.level, head.low, head.high)).encode())
    return digest.hexdigest()[:16]


def pack_inputs(embedding: ArrayLike, features: ArrayLike) -> bytes:
    """Return [embedding | features] in half the bytes that half precision takes.

    An odd number of bytes: how many numbers the embedding has (2 bytes) and features there are (1), the embedding's
    step (half precision) and its numbers in steps (1 byte each, so that one is off by half a step at most: 0.4 % of
    the largest), which features are not 0 (a bit each), and those in half precision; then a 0 where that is even.
    All little-endian. What is not finite is kept as `unpack_inputs` says that older ones were.
    """
    vector = np.asarray(embedding, dtype=np.float64)
    given = np.asarray(features, dtype=np.float64)
    largest = float(np.maximum(vector.max(initial=0.0), -vector.min(initial=0.0)))
    if not math.isfinite(largest + given.sum()):
        return np.concatenate([vector, given]).astype("<f2").tobytes()
    if largest > _LARGEST_HALF:
        vector, largest = vector.clip(-_LARGEST_HALF, _LARGEST_HALF), _LARGEST_HALF
    given = np.minimum(np.maximum(given, -_LARGEST_HALF), _LARGEST_HALF).astype("<f2")
    # A step rounded down would not reach the largest number.
    step = np.nextafter(np.float16(largest / _STEPS), _ENDLESS) if largest > 0.0 else np.float16(1.0)
    steps = np.rint(vector * (1.0 / float(step))).astype(np.int8)
    there = given.nonzero()
    packed = b"".join((
        _SIZES.pack(vector.size, given.size), step.astype("<f2").tobytes(), steps.tobytes(),
        np.packbits(given != 0).tobytes(), given[there].tobytes(),
    ))  # fmt: skip
    return packed if len(packed) % 2 else packed + b"\0"


def unpack_inputs(packed: bytes) -> Floats:
    """Return what `pack_inputs` packed, shape (inputs,); an even number of bytes is half precision throughout.

    Raises
    ------
    ValueError
        When it was packed by nobody here.
    """
    if len(packed) % 2 == 0:  # as they were packed first
        return np.frombuffer(packed, dtype="<f2").astype(np.float64)
    try:
        dimension, count = _SIZES.unpack_from(packed)
        (step,) = np.frombuffer(packed, dtype="<f2", count=1, offset=_SIZES.size)
        at = _SIZES.size + 2
        steps = np.frombuffer(packed, dtype=np.int8, count=dimension, offset=at)
        bits = np.frombuffer(packed, dtype=np.uint8, count=-(-count // 8), offset=at + dimension)
        is_there = np.unpackbits(bits, count=count).astype(np.bool_)
        features = np.zeros(count)
        features[is_there] = np.frombuffer(
            packed, dtype="<f2", count=int(is_there.sum()), offset=at + dimension + bits.size
        )
    except (struct.error, ValueError) as error:
        raise ValueError(f"expected packed inputs, got {len(packed)} bytes of another kind") from error
    return np.concatenate([steps * np.float64(step), features])


def move_inputs(difficulty: DifficultyModel, inputs: ArrayLike) -> Floats:
    """Return what moves the difficulty: the bundled head's standardised inputs, last axis as `inputs`."""
    head = difficulty.head
    return standardise(np.asarray(inputs, dtype=np.float64), head.mean, head.scale) - head.centre


@dataclass(frozen=True, slots=True)
class OrgModel:
    """What an org's own calls taught: where its prompts are harder than they look, and how its models answer them."""

    base: str
    """`base_id` of the difficulty model it was fitted on top of."""
    shift: float
    """How much harder the org's prompts are altogether, logits."""
    u: NDArray[np.float32]
    """Weight of each standardised input, shape (inputs,)."""
    levels: Mapping[str, Line]
    """By model id; a model without one keeps its bundled prediction, at the org's difficulty."""

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "OrgModel":
        """Return the model an artifact holds.

        Raises
        ------
        ConfigError
            If a key is missing, or a parameter is of wrong shape or range.
        """
        try:
            if missing := _WANTED - given.keys():
                raise ConfigError(f"an org's own artifact lacks {', '.join(sorted(missing))}")
            made = cls(
                base=str(given["base"]),
                shift=float(given["shift"]),
                u=np.frombuffer(base64.b64decode(given["u_f4"], validate=True), dtype="<f4"),
                levels={str(name): Line(*map(float, pair)) for name, pair in given["levels"].items()},
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"an org's own artifact holds what is no parameter: {error}") from error
        numbers = [made.shift, *(x for line in made.levels.values() for x in (line.level, line.slope))]
        if not (np.isfinite(numbers).all() and np.isfinite(made.u).all()):
            raise ConfigError("an org's own artifact holds parameters that are not finite")
        if any(line.slope < 0.0 for line in made.levels.values()):
            raise ConfigError("an org's own artifact holds a slope below 0")
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return the artifact: JSON values that `from_dict` reads back to the same predictions."""
        return {
            "base": self.base,
            "shift": self.shift,
            "u_f4": base64.b64encode(self.u.astype("<f4").tobytes()).decode("ascii"),
            "levels": {name: [line.level, line.slope] for name, line in self.levels.items()},
        }

    def require_base(self, difficulty: DifficultyModel) -> None:
        """Refuse to move a difficulty other than the one it was fitted on.

        Raises
        ------
        ConfigError
            Naming both.
        """
        if self.base != base_id(difficulty) or self.u.shape != difficulty.head.coef.shape:
            raise ConfigError(
                f"the org's own artifact was fitted on top of difficulty model {self.base}, this one is "
                f"{base_id(difficulty)}; fit it again: x25 train --from-log ORG"
            )

    def move(self, standardised: Floats) -> Floats:
        """Return how much harder prompts are than they look, logits; `standardised` as `move_inputs` returns them."""
        return np.asarray((self.shift + standardised @ self.u).clip(-MOST_MOVED, MOST_MOVED))

    def estimate(self, difficulty: DifficultyModel, inputs: ArrayLike) -> Difficulty:
        """Return the org's difficulty of a request; `inputs` is [embedding | features], shape (inputs,).

        The uncertainty is the bundled head's, which knows how unlike its training prompts this one is.
        """
        found = difficulty.estimate(inputs)
        value = found.value + float(self.move(move_inputs(difficulty, inputs)))
        return Difficulty(value=value, sigma=found.sigma, band=difficulty.band(value))

    def prob(self, model_id: str, difficulty: float) -> float | None:
        """Return the probability of a good answer at the org's difficulty; None for a model it knows nothing of."""
        line = self.levels.get(model_id)
        if line is None:
            return None
        return min(max(sigmoid(line.level - line.slope * difficulty), LOWEST), HIGHEST)
