"""Compare encoders by how well a ridge on their vectors tells hard prompts from easy ones.

Run as `python -m x25.training.fit.encoder_probe --data DIR --encoder bundled --encoder st:NAME`. Every encoder sees
the same prompts in the same folds: training prompts alone, near duplicates never on both sides of a fold.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import open_encoder
from ..data.dataset import load_source
from ..data.recorded import fold_of, is_held_out

Floats = NDArray[np.float64]

ALPHA = 300.0
"""Ridge penalty on standardised inputs."""
FOLDS = 5
LEAST_MODELS = 3
SOURCES = ("zeroeval", "mmlu_pro")
_CLIP = 0.02


def read_train_rows(
    data_dir: Path, source: str, most_prompts: int
) -> tuple[list[str], NDArray[np.int64], Floats]:
    """Return training prompts, their folds and their difficulties, -logit of the share of models that were right.

    With more than `most_prompts`, as many are drawn, always the same ones.
    """
    data = load_source(data_dir, source)
    kept = np.flatnonzero(~is_held_out(data["group"]) & (data["models"] >= LEAST_MODELS))
    if len(kept) > most_prompts:
        kept = np.sort(np.random.default_rng(0).permutation(kept)[:most_prompts])
    rate = np.clip(data["pass_rate"][kept], _CLIP, 1.0 - _CLIP)
    folds = fold_of([data["group"][row] for row in kept], FOLDS)
    return [data["prompt"][row] for row in kept], folds, np.log((1.0 - rate) / rate)


def cross_validated_pearson(values: Floats, folds: NDArray[np.int64], target: Floats) -> float:
    """Return the correlation of the target with its estimate from the other folds.

    Parameters
    ----------
    values
        Shape (n, inputs); standardised inside, from the other folds alone.
    folds
        Shape (n,): which fold a row is in.
    target
        Shape (n,).
    """
    estimate = np.zeros(len(target))
    for fold in np.unique(folds):
        train = folds != fold
        mean, scale = values[train].mean(axis=0), values[train].std(axis=0)
        deviations = (values - mean) / np.where(scale > 1e-6, scale, 1.0)
        level = target[train].mean()
        gram = deviations[train].T @ deviations[train] + ALPHA * np.eye(values.shape[1])
        coef = np.linalg.solve(gram, deviations[train].T @ (target[train] - level))
        estimate[~train] = level + deviations[~train] @ coef
    return float(np.corrcoef(estimate, target)[0, 1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line per encoder and source."""
    parser = argparse.ArgumentParser(description="Compare encoders on recorded pass rates.")
    parser.add_argument("--data", type=Path, required=True, help="folder of recorded outcomes")
    parser.add_argument(
        "--encoder",
        action="append",
        dest="encoders",
        help="'bundled', a folder with a token table, or st:NAME; give it once per encoder",
    )
    parser.add_argument("--source", action="append", dest="sources", help="source of prompts; repeatable")
    parser.add_argument("--most-prompts", type=int, default=100_000, help="per source, for slow encoders")
    options = parser.parse_args(arguments)
    encoders = {name: open_encoder(name) for name in options.encoders or ["bundled"]}
    # Loaded before the clock runs.
    sizes = {name: encoder.embed_many(["warm"]).shape[1] for name, encoder in encoders.items()}
    width = max(8, *map(len, encoders)) + 2
    print(f"{'encoder':<{width}}{'source':<16}{'prompts':>8}{'inputs':>8}{'Pearson':>9}{'ms each':>9}")
    for source in options.sources or SOURCES:
        prompts, folds, target = read_train_rows(options.data, source, options.most_prompts)
        for name, encoder in encoders.items():
            started = time.perf_counter()
            values = encoder.embed_many(prompts).astype(np.float64)
            each_ms = (time.perf_counter() - started) * 1e3 / len(prompts)
            pearson = cross_validated_pearson(values, folds, target)
            row = (
                f"{name:<{width}}{source:<16}{len(prompts):>8}{sizes[name]:>8}{pearson:>9.3f}{each_ms:>9.2f}"
            )
            print(row, flush=True)


if __name__ == "__main__":
    main()
