"""Which encoder tells hard prompts from easy ones best? A ridge on its vectors, cross-validated.

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
from ..data.recorded import Recorded, fold_of, is_held_out, read_recorded
from .heads import difficulty_target
from .ridge import Tried, fit_ridge_by_folds, pearson

Floats = NDArray[np.float64]

SOURCES = ("zeroeval", "mmlu_pro")
TRIED = Tried(alphas=(300.0,), shrinkages=(0.0,))


def read_train_prompts(data_dir: Path, source: str, most_prompts: int) -> Recorded:
    """Return the training prompts that at least three models answered.

    With more than `most_prompts`, as many are drawn, always the same ones.
    """
    recorded = read_recorded(data_dir, source)
    kept = np.flatnonzero(~is_held_out(recorded.groups) & np.isfinite(recorded.pass_rate()))
    if len(kept) > most_prompts:
        kept = np.sort(np.random.default_rng(0).permutation(kept)[:most_prompts])
    return recorded.take(kept)


def cross_validated_pearson(values: Floats, recorded: Recorded) -> float:
    """Return the correlation of the prompts' difficulty with its estimate from the other folds.

    `values` has shape (prompts, inputs).
    """
    target = difficulty_target(recorded.pass_rate())
    return pearson(fit_ridge_by_folds(values, target, fold_of(recorded.groups), TRIED)[1], target)


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
        recorded = read_train_prompts(options.data, source, options.most_prompts)
        for name, encoder in encoders.items():
            started_s = time.perf_counter()
            values = encoder.embed_many(recorded.prompts).astype(np.float64)
            each_ms = (time.perf_counter() - started_s) * 1e3 / len(recorded)
            measured = f"{cross_validated_pearson(values, recorded):>9.3f}{each_ms:>9.2f}"
            print(f"{name:<{width}}{source:<16}{len(recorded):>8}{sizes[name]:>8}{measured}", flush=True)


if __name__ == "__main__":
    main()
