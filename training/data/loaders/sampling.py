"""Take a part of a large set of result files: the same part for the same seed, whatever the order of the files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Sampling:
    """Bound how much is read; `None` is no bound.

    What is kept is drawn by a hash of the seed and the name. So every model keeps the same prompts, which is
    what makes a sample comparable, and a larger bound keeps all that a smaller one did.

    Raises
    ------
    ValueError
        If a bound is less than 1.
    """

    seed: int = 42
    max_files: int | None = None
    max_records_per_file: int | None = None
    max_models: int | None = None
    max_tasks: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_files", "max_records_per_file", "max_models", "max_tasks"):
            bound = getattr(self, name)
            if bound is not None and bound < 1:
                raise ValueError(f"expected {name} to be at least 1, got {bound}")

    def files(self, places: Mapping[str, tuple[str, str, str]]) -> set[str]:
        """Return the files to read, given each one's task, split and model.

        Models and tasks are drawn first, then files among theirs.
        """
        tasks = self._draw({task for task, _, _ in places.values()}, self.max_tasks)
        models = self._draw({model for _, _, model in places.values()}, self.max_models)
        kept = (name for name, (task, _, model) in places.items() if task in tasks and model in models)
        return self._draw(kept, self.max_files)

    def records(self, prompt_ids: Sequence[str]) -> list[int]:
        """Return the positions, in order, of the records of one file to keep, given each one's prompt_id."""
        if self.max_records_per_file is None:
            return list(range(len(prompt_ids)))
        ranked = sorted(range(len(prompt_ids)), key=lambda index: (self._rank(prompt_ids[index]), index))
        return sorted(ranked[: self.max_records_per_file])

    def _draw(self, names: Iterable[str], bound: int | None) -> set[str]:
        return set(sorted(names, key=self._rank)[:bound])

    def _rank(self, name: str) -> bytes:
        return blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
