"""Fit the difficulty model on recorded pass rates.

Run as `python -m x25.training.fit_difficulty --data DIR`. Ridge regression of -logit(pass rate) on the
features of `routing.features`. Benchmarks hold neither small talk nor open proofs, so a few hand-written
anchor prompts fix both ends of the scale.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..routing.difficulty import standardise
from ..routing.features import FEATURE_NAMES, extract
from .dataset import SOURCES, load_source

Floats = NDArray[np.float64]

ALPHA = 300.0
"""Ridge penalty."""
LEAST_MODELS = 3
"""Models that must have answered a prompt for its pass rate to count."""
CENTRED_SHARE = 0.5
"""Share of a source's mean difficulty taken out of its prompts: sources were answered by different models."""
_CLIP = 0.02
_SOURCE_PROMPTS = 2_000.0
_ANCHOR_WEIGHT = 10.0
_OUT = Path(__file__).parent.parent / "artifacts" / "difficulty.json"

EASY_ANCHORS = (
    "2+3=?",
    "What is 10 minus 4?",
    "Hello!",
    "Hi there, how are you?",
    "What is the capital of Italy?",
    "What is the capital city of Japan?",
    "Who painted the Mona Lisa?",
    "Thanks, that is all.",
    "Say good morning.",
    "What day comes after Monday?",
    "Translate 'cat' to French.",
    "What is the opposite of hot?",
    "How many days are in a week?",
    "Spell the word 'house'.",
    "Which is larger, 5 or 3?",
    "What colour is grass?",
)
HARD_ANCHORS = (
    r"Let $p$ be an odd prime. Prove that $x^2 + y^2 \equiv 1 \pmod{p}$ has $p - (-1)^{(p-1)/2}$ solutions.",
    "Find all integers $m, n > 0$ such that $m^2 + n$ divides $n^2 - m$ and $n^2 + m$ divides $m^2 - n$.",
    "Determine all polynomials $P$ with real coefficients such that $P(x)^2 = P(x^2) + 2x P(x)$ for all $x$.",
    r"Find all functions $g:\mathbb{Z}\to\mathbb{Z}$ with $g(a+b)+g(ab)=g(a)g(b)+1$ for all $a, b$.",
    r"How many domino tilings of a $3 \times 2n$ board are cut by no vertical line? Prove your formula.",
    "Prove that every continuous map from the closed unit disc to itself has a fixed point.",
    "Let $I$ be the incentre of $ABC$. Prove that the circumcentre of $BIC$ is on the circle $ABC$.",
    "Give a complete proof that the halting problem is undecidable for Turing machines with a single tape.",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Prompts of all sources below each other; first axis = prompt."""

    values: Floats
    """Features, shape (n, features)."""
    target: Floats
    """-logit of the pass rate, partly centred within its source."""
    weight: Floats
    is_test: NDArray[np.bool_]
    source: NDArray[np.str_]


def read_rows(data_dir: Path) -> Rows:
    """Return the prompts of all sources; a source's total weight grows with the root of its size."""
    values, target, weight, is_test, source = [], [], [], [], []
    for name in SOURCES:
        data = load_source(data_dir, name)
        kept = np.flatnonzero(data["models"] >= LEAST_MODELS)
        held_out = np.array([_is_test(data["group"][row]) for row in kept])
        difficulty = _minus_logit(data["pass_rate"][kept])
        values.append(_features([data["prompt"][row] for row in kept]))
        target.append(difficulty - CENTRED_SHARE * difficulty[~held_out].mean())
        weight.append(np.full(len(kept), np.sqrt(_SOURCE_PROMPTS / len(kept))))
        is_test.append(held_out)
        source.append(np.full(len(kept), name))
    return Rows(*(np.concatenate(part) for part in (values, target, weight, is_test, source)))


def _is_test(group: str) -> bool:
    """Return whether a group of near-duplicate prompts is held out: one in five, by its hash."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % 5 == 0


def _minus_logit(rate: Floats) -> Floats:
    clipped = np.clip(rate, _CLIP, 1.0 - _CLIP)
    return np.log((1.0 - clipped) / clipped)


def _features(prompts: Sequence[str]) -> Floats:
    return np.array([extract([{"role": "user", "content": prompt}], {}).values for prompt in prompts])


def fit(rows: Rows) -> dict[str, Any]:
    """Return the parameters `routing.difficulty.DifficultyModel.from_dict` reads, without manifest."""
    train = ~rows.is_test
    values, weight = rows.values[train], rows.weight[train]
    mean = np.average(values, axis=0, weights=weight)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weight))
    varies = scale > 1e-3
    scale = np.where(varies, scale, 1.0)
    level = np.average(rows.target[train], weights=weight)
    anchors = _features([*EASY_ANCHORS, *HARD_ANCHORS])
    extreme = _minus_logit(np.array([1.0] * len(EASY_ANCHORS) + [0.0] * len(HARD_ANCHORS)))
    deviations = standardise(np.vstack([values, anchors]), mean, scale) * varies
    target = np.concatenate([rows.target[train] - level, extreme])
    weights = np.concatenate([weight, np.full(len(anchors), _ANCHOR_WEIGHT)])
    gram = deviations.T @ (deviations * weights[:, None]) + ALPHA * np.eye(len(mean))
    coef = np.linalg.solve(gram, deviations.T @ (target * weights))
    raw = standardise(rows.values, mean, scale) @ coef
    intercept = -float(np.average(raw[train], weights=weight))
    estimate = raw + intercept
    residual = (rows.target - level - estimate)[rows.is_test]
    return {
        "feature_names": list(FEATURE_NAMES),
        "mean": mean.tolist(),
        "scale": scale.tolist(),
        "coef": coef.tolist(),
        "intercept": intercept,
        "low": float(estimate[train].min()),
        "high": float(estimate[train].max()),
        "sigma": float(residual.std()),
        "terciles": np.quantile(estimate[train], [1 / 3, 2 / 3]).tolist(),
    }


def held_out_pearson(rows: Rows, parameters: dict[str, Any]) -> dict[str, float]:
    """Return the correlation of estimate and target on held-out prompts, by source."""
    mean, scale, coef = (np.array(parameters[key]) for key in ("mean", "scale", "coef"))
    estimate = standardise(rows.values, mean, scale) @ coef
    parts = {name: rows.is_test & (rows.source == name) for name in SOURCES}
    return {
        name: round(float(np.corrcoef(estimate[part], rows.target[part])[0, 1]), 4)
        for name, part in parts.items()
    }


def data_hash(data_dir: Path) -> str:
    """Return the SHA-256 of all files the fit reads, in order."""
    digest = hashlib.sha256()
    for name in SOURCES:
        for table in ("prompts", "outcomes"):
            digest.update((data_dir / table / f"{name}.parquet").read_bytes())
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, print the held-out correlation of each source, write the artifact."""
    parser = argparse.ArgumentParser(description="Fit the difficulty model on recorded outcomes.")
    parser.add_argument("--data", type=Path, required=True, help="folder of recorded outcomes")
    parser.add_argument("--out", type=Path, default=_OUT, help="artifact to write")
    parser.add_argument("--date", default=None, help="date of the fit for the manifest, YYYY-MM-DD")
    options = parser.parse_args(arguments)
    rows = read_rows(options.data)
    parameters = fit(rows)
    pearson = held_out_pearson(rows, parameters)
    print(f"{'source':<16}{'held out':>9}{'Pearson':>9}")
    for name, correlation in pearson.items():
        print(f"{name:<16}{int((rows.is_test & (rows.source == name)).sum()):>9}{correlation:>9.3f}")
    parameters["manifest"] = {
        "created": options.date,
        "data_sha256": data_hash(options.data),
        "sources": list(SOURCES),
        "train_prompts": int((~rows.is_test).sum()),
        "anchor_prompts": len(EASY_ANCHORS) + len(HARD_ANCHORS),
        "alpha": ALPHA,
        "held_out_pearson": pearson,
    }
    options.out.write_text(json.dumps(_rounded(parameters), indent=1) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Return the same JSON value with floats of six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
