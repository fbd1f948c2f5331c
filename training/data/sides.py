"""Which prompts are fitted on, and which are measured? Both sides of a recorded source, read as inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .design import EmbedsMany, design_matrix
from .recorded import Recorded, is_held_out, read_recorded

Floats = NDArray[np.float64]
Divide = Callable[[Recorded], NDArray[np.bool_]]
"""Which prompts of one folder are held out; never a part of a group."""


def by_group(recorded: Recorded) -> NDArray[np.bool_]:
    """Return the split every measurement shares: one group of near duplicates in five is held out."""
    return is_held_out(recorded.groups)


@dataclass(frozen=True)
class Designed:
    """Recorded prompts with the inputs of a head."""

    recorded: Recorded
    design: Floats
    """[embedding | features], shape (prompts, inputs)."""

    def take(self, rows: ArrayLike) -> "Designed":
        """Return the prompts of these rows, in their order."""
        return Designed(self.recorded.take(rows), self.design[np.asarray(rows)])


@dataclass(frozen=True)
class Folders:
    """Where recorded outcomes are, and what their prompts are read with."""

    train: Path
    test: Path | None
    """Held-out outcomes; None = a part of the train folder is held out."""
    encoder: EmbedsMany
    cache: Path | None = None
    """Keeps what was computed; None = keep nothing."""

    def read(self, folder: Path, source: str) -> Designed:
        """Return all prompts of a source in one folder; raises as `read_recorded` does."""
        recorded = read_recorded(folder, source)
        return Designed(recorded, design_matrix(recorded.prompts, self.encoder, self.cache))

    def sides(self, source: str, divide: Divide = by_group) -> tuple[Designed, Designed]:
        """Return train and test side of a source; raises as `read_recorded` does."""
        train = self.read(self.train, source)
        if self.test is not None:
            return train, self.read(self.test, source)
        held_out = divide(train.recorded)
        return train.take(~held_out), train.take(held_out)
