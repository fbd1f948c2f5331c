"""Which model answered which prompt how well? Outcomes, whatever the format they were published in."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.irt import COMPLETION_THRESHOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Keep how one model did on one prompt.

    `score` is as published until the set it belongs to is made; in an `Outcomes` it lies in [0, 1].
    `subject_profiled` says whether `model_id` names a model with published benchmarks; a subject without them,
    such as an agent, tells how hard a prompt is and nothing about what a model can do.

    Raises
    ------
    ValueError
        If a name or the prompt is empty, the score is not finite, or the cost or latency is negative.
    """

    prompt_id: str
    prompt: str
    model_id: str
    score: float
    source: str
    cost_usd: float | None = None
    latency_s: float | None = None
    task: str | None = None
    subject_profiled: bool = True

    def __post_init__(self) -> None:
        for name in ("prompt_id", "prompt", "model_id", "source"):
            if not getattr(self, name):
                raise ValueError(f"expected {name} to hold text, got {getattr(self, name)!r}")
        if not math.isfinite(self.score):
            raise ValueError(f"expected score to be a finite number, got {self.score}")
        for name in ("cost_usd", "latency_s"):
            amount = getattr(self, name)
            if amount is not None and not 0.0 <= amount < math.inf:
                raise ValueError(f"expected {name} to be a finite number of at least 0, got {amount}")


@dataclass(frozen=True)
class Counts:
    """Say how large a set of outcomes is."""

    rows: int
    prompts: int
    subjects: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.prompts:,} prompts, {self.subjects:,} subjects"


@dataclass(frozen=True)
class Outcomes:
    """Hold outcomes with scores in [0, 1].

    `skipped` counts, by reason, what was published but could not be used. `groups` maps a prompt_id to the name
    of its group of near duplicates; a prompt that is not in it is a group of its own.

    Raises
    ------
    ValueError
        If a score is outside [0, 1]; `Outcomes.scaled` takes scores of any range.
    """

    outcomes: tuple[Outcome, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for outcome in self.outcomes:
            if not 0.0 <= outcome.score <= 1.0:
                raise ValueError(
                    f"expected scores in [0, 1], got {outcome.score} "
                    f"for {outcome.model_id!r} on {outcome.prompt_id!r}"
                )

    @classmethod
    def scaled(
        cls,
        outcomes: Iterable[Outcome],
        skipped: Mapping[str, int] | None = None,
        groups: Mapping[str, str] | None = None,
    ) -> "Outcomes":
        """Return the outcomes with their scores as they are if all lie in [0, 1], else min-max scaled.

        Raises
        ------
        ValueError
            If the scores lie outside [0, 1] and are all equal, so that they have no range to scale.
        """
        rows = tuple(outcomes)
        low = min((row.score for row in rows), default=0.0)
        high = max((row.score for row in rows), default=1.0)
        if low < 0.0 or high > 1.0:
            if low == high:
                raise ValueError(f"expected scores in [0, 1] or of more than one value, got only {low}")
            rows = tuple(replace(row, score=(row.score - low) / (high - low)) for row in rows)
        return cls(rows, skipped or {}, groups or {})

    @classmethod
    def join(cls, sets: Iterable["Outcomes"]) -> "Outcomes":
        """Return the outcomes of several sets as one, each keeping its own scale.

        Raises
        ------
        ValueError
            If a prompt_id stands for one text in one set and for another in the next.
        """
        rows: list[Outcome] = []
        skipped: defaultdict[str, int] = defaultdict(int)
        groups: dict[str, str] = {}
        prompts: dict[str, str] = {}
        for outcomes in sets:
            own = {row.prompt_id: row.prompt for row in outcomes}
            clash = next((name for name in own.keys() & prompts.keys() if own[name] != prompts[name]), None)
            if clash is not None:
                raise ValueError(f"expected one text per prompt_id, got two for {clash!r} in different sets")
            prompts.update(own)
            rows.extend(outcomes)
            groups.update(outcomes.groups)
            for reason, count in outcomes.skipped.items():
                skipped[reason] += count
        return cls(tuple(rows), dict(skipped), groups)

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    def counts(self) -> Counts:
        """Return the number of rows, of distinct prompts and of distinct subjects."""
        return Counts(
            rows=len(self),
            prompts=len({row.prompt_id for row in self}),
            subjects=len({row.model_id for row in self}),
        )

    def completed(self, threshold: float = COMPLETION_THRESHOLD) -> NDArray[np.bool_]:
        """Return, for each outcome in order, whether its score reaches the threshold; shape (n,)."""
        return np.array([row.score >= threshold for row in self], dtype=np.bool_)

    def split_by_prompt(self, test_size: float = 0.2, seed: int = 42) -> tuple["Outcomes", "Outcomes"]:
        """Return a training and a test set that share no prompt and no group of prompts.

        Whole groups are drawn until they hold at least `test_size` of the prompts. The draw depends on the
        seed, the prompt_ids and the groups, not on the order of the outcomes.

        Raises
        ------
        ValueError
            If `test_size` is not in (0, 1), or there are fewer than two groups to tell apart.
        """
        if not 0.0 < test_size < 1.0:
            raise ValueError(f"expected test_size in (0, 1), got {test_size}")
        members: defaultdict[tuple[bool, str], set[str]] = defaultdict(set)
        for row in self:
            name = self.groups.get(row.prompt_id)
            members[(name is not None, row.prompt_id if name is None else name)].add(row.prompt_id)
        if len(members) < 2:
            raise ValueError(f"expected at least 2 groups of prompts to split, got {len(members)}")
        test = _draw([members[name] for name in sorted(members)], test_size, seed)
        return (
            replace(self, outcomes=tuple(row for row in self if row.prompt_id not in test)),
            replace(self, outcomes=tuple(row for row in self if row.prompt_id in test)),
        )


def _draw(groups: list[set[str]], test_size: float, seed: int) -> set[str]:
    """Return the prompts of randomly drawn groups, always leaving one group undrawn."""
    wanted = test_size * sum(len(group) for group in groups)
    drawn: set[str] = set()
    for index in np.random.default_rng(seed).permutation(len(groups))[:-1]:
        drawn |= groups[index]
        # A share such as 0.2 of 10 prompts must not ask for an eleventh through rounding.
        if len(drawn) >= wanted - 1e-9:
            break
    return drawn
