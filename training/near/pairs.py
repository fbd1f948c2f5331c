"""Pairs of questions by kind: reworded ones, which one answer serves, and near misses, which need another.

A kind is one way of rewording or of missing. Half of the kinds of each sort are never fitted on, nor are those of
`late_kinds`, `later_kinds` and `last_kinds`, each written once the features and rules before it stood: what is measured
on them says what happens with ways that nobody thought of. A late kind that a rule was found by is seen from then on.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import free_pairs, last_kinds, late_kinds, later_kinds, near_misses, paraphrases

Make = Callable[[random.Random], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and whether one answer serves both."""

    a: str
    b: str
    same: bool
    kind: str
    seen: bool
    """Whether the kind is fitted on."""


def all_pairs(each: int, seed: int = 7) -> list[Pair]:
    """Return up to `each` different pairs of every kind, those written one by one included.

    Every second kind of a sort, in the order they are written in, is unseen.
    """
    pairs: list[Pair] = []
    for same, kinds in ((True, paraphrases.KINDS), (False, near_misses.KINDS)):
        for number, (kind, make) in enumerate(kinds.items()):
            rng = random.Random(f"{seed} {kind}")  # noqa: S311 - examples, no secret
            made = dict.fromkeys(_made(make, rng, each))
            pairs += [Pair(a, b, same, kind, number % 2 == 0) for a, b in made]
    for late in (late_kinds, later_kinds, last_kinds):
        for same, of_sort in ((True, late.PARAPHRASES), (False, late.NEAR_MISSES)):
            for kind, make in of_sort.items():
                rng = random.Random(f"{seed} late {kind}")  # noqa: S311 - examples, no secret
                is_seen = kind in late_kinds.LOOKED_AT | later_kinds.LOOKED_AT
                pairs += [Pair(a, b, same, kind, is_seen) for a, b in dict.fromkeys(_made(make, rng, each))]
    for same, free in ((True, free_pairs.REWORDED), (False, free_pairs.MISSES)):
        pairs += [Pair(a, b, same, "free", number % 2 == 0) for number, (a, b) in enumerate(free)]
    return pairs


def _made(make: Make, rng: random.Random, each: int) -> Iterator[tuple[str, str]]:
    for _ in range(each):
        a, b = make(rng)
        if a != b:
            yield (a, b) if rng.random() < 0.5 else (b, a)
