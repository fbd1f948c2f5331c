"""Does a fitted model find the same prompts hard in another language? English and Chinese, compared by rank.

Run as `python -m x25.training.fit.languages [--artifact FILE] [--encoder SETTING]`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ...providers.written import Several, Text, Written, parse, read_file
from ..data.metrics import rank_correlation
from .predictor import Predictor, load_predictor

TARGET = 0.7
"""Rank correlation from which difficulty counts as carried over."""
MULTILINGUAL = "st:paraphrase-multilingual-MiniLM-L12-v2"
_FILE = Path(__file__).with_suffix(".yaml")


class Pair(Written):
    """A prompt in English and in Chinese."""

    en: Text
    zh: Text


class Pairs(Written):
    """What the file holds."""

    prompts: Annotated[Several[Pair], Field(description="a list of prompts in both languages")]
    """From easy to hard."""


def read_pairs() -> tuple[Pair, ...]:
    """Return the prompts, easy to hard, in both languages."""
    return parse(Pairs, read_file(_FILE), str(_FILE)).prompts


def compare(predictor: Predictor) -> dict[str, Any]:
    """Return how the difficulty of the translations agrees with that of the originals.

    Keys: `pairs`; `rank_correlation` of both estimates; `graded`, the rank correlation of each language's estimate
    with the order of the list, which was written from easy to hard; `target`; `gap` to it, 0 where it is reached;
    `advice`, None where it is reached.
    """
    pairs = read_pairs()
    english = [predictor.difficulty(pair.en) for pair in pairs]
    chinese = [predictor.difficulty(pair.zh) for pair in pairs]
    order = list(range(len(pairs)))
    correlation = rank_correlation(english, chinese)
    gap = max(0.0, TARGET - correlation)
    return {
        "pairs": len(pairs),
        "rank_correlation": round(correlation, 4),
        "graded": {
            "en": round(rank_correlation(english, order), 4),
            "zh": round(rank_correlation(chinese, order), 4),
        },
        "target": TARGET,
        "gap": round(gap, 4),
        "advice": advice(correlation) if gap else None,
    }


def advice(correlation: float) -> str:
    """Return what to do where difficulty does not carry over."""
    return (
        f"difficulty carries over to Chinese with rank correlation {correlation:.2f}, {TARGET - correlation:.2f} "
        f"short of {TARGET}: the bundled encoder reads English. Set X25_ENCODER={MULTILINGUAL} (needs "
        "x25[train]) or the base URL of a multilingual embeddings API, then fit again with it: "
        f"x25 train --dataset KIND:PATH --encoder {MULTILINGUAL} --output completion.json"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the comparison of the bundled artifact, or of another."""
    parser = argparse.ArgumentParser(description="Compare estimated difficulty in English and Chinese.")
    parser.add_argument("--artifact", type=Path, default=None, help="what `x25 train` wrote")
    parser.add_argument("--encoder", default="", help="as X25_ENCODER")
    options = parser.parse_args(arguments)
    report = compare(load_predictor(options.artifact, encoder=options.encoder))
    graded = report["graded"]
    print(f"{report['pairs']} prompts, rank correlation English to Chinese {report['rank_correlation']:.3f}")
    print(f"with the order they were written in: English {graded['en']:.3f}, Chinese {graded['zh']:.3f}")
    print(report["advice"] or f"at least {TARGET}: difficulty carries over")


if __name__ == "__main__":
    main()
