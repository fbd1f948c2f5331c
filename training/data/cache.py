"""Which arrays need not be computed again? Those kept in a folder under a name made of all they depend on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def kept(folder: Path | None, name: Callable[[], str], make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return the array kept in the folder under this name, else make it and keep it; None = do not keep it.

    A file that was not written whole never takes its final name.
    """
    if folder is None:
        return make()
    path = folder / f"{name()}.npy"
    if path.is_file():
        found: NDArray[Any] = np.load(path, allow_pickle=False)
        return found
    made = make()
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npy")
    np.save(partial, made)
    partial.replace(path)
    return made
