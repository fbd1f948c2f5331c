"""How hard is a prompt? Fit the bundled difficulty model on recorded pass rates.

Run as `python -m x25.training.fit.difficulty --data DIR`. Ridge regression of -logit(pass rate) on the embedding
and the features of a prompt. Benchmarks hold neither small talk nor open proofs, so a few hand-written
anchor prompts fix both ends of the scale.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import open_encoder
from ...routing.prompt.difficulty import DifficultyModel
from ..data.design import EmbedsMany, design_matrix
from ..data.recorded import is_held_out, read_recorded
from .heads import difficulty_target
from .ridge import fit_ridge, pearson, residual_variance

Floats = NDArray[np.float64]

SOURCES = ("zeroeval", "mmlu_pro", "routerbench", "reasoning_gym", "paretobandit")
"""Sources with at least three models a prompt and answers that can be checked."""
ALPHA = 300.0
"""Ridge penalty."""
LEAST_MODELS = 3
"""Models that must have answered a prompt for its pass rate to count."""
CENTRED_SHARE = 0.5
"""Share of a source's mean difficulty taken out of its prompts: sources were answered by different models."""
_SOURCE_PROMPTS = 2_000.0
_ANCHOR_WEIGHT = 10.0
_OUT = Path(__file__).parent.parent.parent / "artifacts" / "difficulty.json"

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
    "Who invented the telephone?",
    "Who discovered penicillin?",
    "Who directed Jaws?",
    "Who sang Thriller?",
    "Who was the first president of the United States?",
    "What language do people speak in Brazil?",
    "Which planet is closest to the sun?",
    "How many legs does a spider have?",
    "What is the largest ocean?",
    "When did the Second World War end?",
    "Where is the Eiffel Tower?",
    "What is the boiling point of water in degrees Celsius?",
    "Name three fruits.",
    "List the four seasons.",
    "Give me a synonym for happy.",
    "What is 7 times 8?",
    "Is the sun a star?",
    "Good night!",
    "Can you help me?",
    "What is your name?",
    "Tell me a fun fact.",
    "How do you spell 'necessary'?",
    "What is the plural of mouse?",
    "What does HTML stand for?",
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
    """[embedding | features], shape (n, inputs)."""
    target: Floats
    """-logit of the pass rate, partly centred within its source."""
    weight: Floats
    is_test: NDArray[np.bool_]
    source: NDArray[np.str_]


def read_rows(data_dir: Path, encoder: EmbedsMany, cache: Path | None = None) -> Rows:
    """Return the prompts of all sources; a source's total weight grows with the root of its size."""
    values, target, weight, is_test, source = [], [], [], [], []
    for name in SOURCES:
        recorded = read_recorded(data_dir, name)
        recorded = recorded.take(np.isfinite(recorded.pass_rate(LEAST_MODELS)))
        held_out, difficulty = (
            is_held_out(recorded.groups),
            difficulty_target(recorded.pass_rate(LEAST_MODELS)),
        )
        values.append(design_matrix(recorded.prompts, encoder, cache))
        target.append(difficulty - CENTRED_SHARE * difficulty[~held_out].mean())
        weight.append(np.full(len(recorded), np.sqrt(_SOURCE_PROMPTS / len(recorded))))
        is_test.append(held_out)
        source.append(np.full(len(recorded), name))
    return Rows(*(np.concatenate(part) for part in (values, target, weight, is_test, source)))


def fit(rows: Rows, encoder: EmbedsMany) -> DifficultyModel:
    """Return the difficulty model of the training rows and the anchors, without manifest."""
    train = ~rows.is_test
    weight = rows.weight[train]
    level = np.average(rows.target[train], weights=weight)
    anchors = design_matrix([*EASY_ANCHORS, *HARD_ANCHORS], encoder)
    extreme = difficulty_target(np.array([1.0] * len(EASY_ANCHORS) + [0.0] * len(HARD_ANCHORS)))
    head = fit_ridge(
        np.vstack([rows.values[train], anchors]),
        np.concatenate([rows.target[train] - level, extreme]),
        ALPHA,
        np.concatenate([weight, np.full(len(anchors), _ANCHOR_WEIGHT)]),
    )
    estimate = head.predict(rows.values)
    # Anchors shift the mean; 0 is to stay the mean of the prompts.
    shift = float(np.average(estimate[train], weights=weight))
    residual = (rows.target - level - estimate + shift)[rows.is_test]
    head = replace(
        head, level=head.level - shift, low=float(estimate[train].min()) - shift,
        high=float(estimate[train].max()) - shift,
    )  # fmt: skip
    head = replace(head, sigma=residual_variance(head, rows.values[rows.is_test], residual))
    easy_end, hard_start = np.quantile(estimate[train] - shift, [1 / 3, 2 / 3])
    return DifficultyModel(
        head=head,
        terciles=(float(easy_end), float(hard_start)),
        encoder_fingerprint=encoder.fingerprint,
        encoder_dimension=encoder.dimension,
    )


def held_out_pearson(rows: Rows, model: DifficultyModel) -> dict[str, float]:
    """Return the correlation of estimate and target on held-out prompts, by source."""
    estimate = model.head.predict(rows.values)
    parts = {name: rows.is_test & (rows.source == name) for name in SOURCES}
    return {name: round(pearson(estimate[part], rows.target[part]), 4) for name, part in parts.items()}


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
    parser.add_argument("--encoder", default="", help="as X25_ENCODER; the bundled one if none is named")
    parser.add_argument("--cache", type=Path, default=None, help="folder for inputs computed from prompts")
    parser.add_argument("--date", default=None, help="date of the fit for the manifest, YYYY-MM-DD")
    options = parser.parse_args(arguments)
    encoder = open_encoder(options.encoder)
    rows = read_rows(options.data, encoder, options.cache)
    model = fit(rows, encoder)
    pearsons = held_out_pearson(rows, model)
    print(f"{'source':<16}{'held out':>9}{'Pearson':>9}")
    for name, correlation in pearsons.items():
        print(f"{name:<16}{int((rows.is_test & (rows.source == name)).sum()):>9}{correlation:>9.3f}")
    manifest = {
        "created": options.date,
        "data_sha256": data_hash(options.data),
        "sources": list(SOURCES),
        "train_prompts": int((~rows.is_test).sum()),
        "anchor_prompts": len(EASY_ANCHORS) + len(HARD_ANCHORS),
        "alpha": ALPHA,
        "held_out_pearson": pearsons,
    }
    artifact = replace(model, manifest=manifest).to_dict()
    options.out.write_text(json.dumps(artifact, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
