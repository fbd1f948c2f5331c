"""Fit the weights of `routing.prompt.demand` on golden requests, and print them.

`python -m x25.training.fit.demand tests/golden`
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...routing.prompt.demand import SIGNALS, signals_of
from .logistic import newton

EASY, HARD = ("trivial", "standard"), ("complex", "multi_step")
RIDGE = 10.0
"""Penalty of the standardised weights; between 1 and 100 it changes the tier of two held-out requests in a hundred."""


def read_questions(folder: Path) -> tuple[list[str], list[bool]]:
    """Return the questions of a folder of golden requests, and whether each asks for hard work."""
    texts: list[str] = []
    are_hard: list[bool] = []
    for name in (*EASY, *HARD):
        for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            texts.append(json.loads(line)["messages"][-1]["content"])
            are_hard.append(name in HARD)
    return texts, are_hard


def fit(texts: Sequence[str], are_hard: Sequence[bool]) -> tuple[dict[str, float], float]:
    """Return weights by signal, and the intercept: a logistic regression with a ridge penalty."""
    raw = np.array([signals_of(text) for text in texts])
    mean, scale = raw.mean(axis=0), raw.std(axis=0) + 1e-9
    inputs = np.hstack([(raw - mean) / scale, np.ones((len(raw), 1))])
    penalty = np.array([RIDGE] * raw.shape[1] + [0.0])
    weights = newton(inputs, np.array(are_hard, dtype=np.float64), penalty)
    found = weights[:-1] / scale
    named = {name: round(float(weight), 4) for name, weight in zip(SIGNALS, found, strict=True)}
    return named, round(float(weights[-1] - mean @ found), 4)


def main() -> None:
    """Fit on the folder that is named, and print what `routing/prompt/demand.py` holds."""
    named, intercept = fit(*read_questions(Path(sys.argv[1])))
    print(json.dumps({"weights": named, "intercept": intercept}, indent=4))


if __name__ == "__main__":
    main()
