"""Tasks with a known answer: generated from a seed, and solved again from their text alone.

Models and judge only ever solve, so nothing needs to remember what was asked.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from .families import FAMILIES, Family
from .remembered import looked_up

LOOKED_UP = "remembered"
"""Family of questions about a fact that the prompt must hold."""
NOT_TOLD = "I was not told."
LOOK_UP_DIFFICULTY = -2.4


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt with its known answer; `difficulty` is on the logistic scale, -2.5 (easy) to 2.5 (hard)."""

    prompt: str
    truth: str
    family: str
    difficulty: float
    task_type: str


@dataclass(frozen=True, slots=True)
class Solved:
    """What a prompt's text gives away: the truth, and other values of the same kind it mentions."""

    truth: str
    family: str
    difficulty: float
    alternatives: tuple[str, ...] = ()
    is_known: bool = True
    """Whether the text holds the truth at all; where it does not, no answer is right."""


def chance(seed: int, *parts: str) -> float:
    """Return a number in (0, 1) that is uniform over inputs and always the same for the same input."""
    digest = hashlib.blake2b("\x1f".join((str(seed), *parts)).encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53


def generate(seed: int, n: int) -> list[Task]:
    """Return `n` tasks, the families in turn; the same seed gives the same tasks."""
    rng = Random(seed)  # noqa: S311 - reproducible tasks, not secrets
    return [_compose(FAMILIES[index % len(FAMILIES)], rng) for index in range(n)]


def _compose(family: Family, rng: Random) -> Task:
    prompt, truth = family.compose(rng)
    match = family.pattern.search(prompt)
    assert match is not None, f"family {family.name} cannot read its own prompt: {prompt!r}"
    difficulty = _clip(family.work_out(match)[1])
    return Task(prompt, truth, family.name, difficulty, family.task_type)


@lru_cache(maxsize=20_000)
def solve(prompt: str) -> Solved | None:
    """Return what the prompt asks for, worked out from its text; None when it is not one of our tasks."""
    for family in FAMILIES:
        match = family.pattern.search(prompt)
        if match is not None:
            return _read(family, match)
    found = looked_up(prompt)
    if found is None:
        return None
    truth, others = found
    return Solved(truth or NOT_TOLD, LOOKED_UP, LOOK_UP_DIFFICULTY, others, is_known=truth is not None)


def _read(family: Family, match: re.Match[str]) -> Solved | None:
    try:
        truth, difficulty, others = family.work_out(match)
    except (LookupError, ValueError):
        return None  # worded like a task, but the parts it asks about are not there
    alternatives = tuple(dict.fromkeys(other for other in others if other != truth))
    return Solved(truth, family.name, _clip(difficulty), alternatives)


def is_correct(prompt: str, answer_text: str) -> bool | None:
    """Return whether the final answer equals the truth; None for a prompt that is no task."""
    solved = solve(prompt)
    if solved is None:
        return None
    return solved.is_known and _normal(final_answer(answer_text)) == _normal(solved.truth)


def final_answer(text: str) -> str:
    """Return a JSON object's "answer", what follows the last "Answer:", or the last line."""
    stripped = text.strip()
    if stripped.startswith("{"):
        try:
            fields = json.loads(stripped)
        except ValueError:
            return stripped
        return str(fields.get("answer", ""))
    marked = re.findall(r"answer:[ \t]*(.*)", stripped, re.IGNORECASE)
    return marked[-1] if marked else stripped.rsplit("\n", 1)[-1]


def wrong_answer(solved: Solved, rng: Random) -> str:
    """Return a plausible answer of the same kind that differs from the truth after normalisation."""
    if solved.alternatives:
        return rng.choice(solved.alternatives)
    truth = solved.truth
    if re.fullmatch(r"-?\d+", truth):
        return str(int(truth) + rng.choice((-10, -2, -1, 1, 2, 10)))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", truth):
        return (date.fromisoformat(truth) + timedelta(days=rng.choice((-7, -1, 1, 7)))).isoformat()
    if truth.startswith("$"):
        return f"${float(truth[1:]) + rng.choice((1, 10, 100)):.2f}"
    if ", " in truth:
        words = truth.split(", ")
        return ", ".join((words[1], words[0], *words[2:]))
    place = rng.randrange(len(truth.split("@")[0]))
    return truth[:place] + ("x" if truth[place] != "x" else "y") + truth[place + 1 :]


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(" .,;:!\"'`*").casefold()


def _clip(difficulty: float) -> float:
    return min(2.5, max(-2.5, difficulty))
