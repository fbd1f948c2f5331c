"""Fit the near verifier on pairs written by hand: `python -m x25.training.near.fit [--write]`.

What is printed is measured on kinds of pairs that nothing was fitted on, and on every kind apart.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ...graph.estimators import BUNDLED_NEAR
from ...nodes.cache.caches import LEAST_COSINE
from ...providers.embeddings import Encoder, open_encoder
from ...routing.prompt.near import FEATURE_NAMES, NearVerifier, disagreement, features_of
from .pairs import Pair, all_pairs

EACH = 60
LEAST_THRESHOLD = 0.8
"""Whatever the pairs of seen kinds would allow: unseen ones are worse."""
MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Rate:
    """How many pairs of a kind were answered with one answer."""

    kind: str
    same: bool
    seen: bool
    pairs: int
    hits: int

    @property
    def share(self) -> float:
        """Hits of all pairs."""
        return self.hits / self.pairs if self.pairs else 0.0


def cosines_of(pairs: Sequence[Pair], encoder: Encoder) -> NDArray[np.float64]:
    """Return the cosine of each pair's vectors, shape (n,)."""
    a, b = (encoder.embed_many([getattr(pair, name) for pair in pairs]).astype(float) for name in ("a", "b"))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: NDArray[np.float64] = np.einsum("ij,ij->i", a, b) / np.where(norms == 0.0, 1.0, norms)
    return cosines


def fit(pairs: Sequence[Pair]) -> NearVerifier:
    """Fit on the pairs of seen kinds whose numbers, names and the like agree: others are refused without it."""
    rows = [index for index, pair in enumerate(pairs) if pair.seen and disagreement(pair.a, pair.b) is None]
    x = np.array([features_of(pairs[i].a, pairs[i].b) for i in rows])
    y = np.array([pairs[i].same for i in rows])
    model: Any = import_module("sklearn.linear_model").LogisticRegression(
        C=1.0, max_iter=5_000, class_weight={True: 1.0, False: 5.0}
    )
    model.fit(x, y)
    weights, intercept = np.round(model.coef_[0], 4), round(float(model.intercept_[0]), 4)
    free = NearVerifier(weights, intercept, 0.0)
    wrong = sorted(
        free.same_prob(pairs[i].a, pairs[i].b) for i, same in zip(rows, y, strict=True) if not same
    )
    # One in five hundred near misses may pass: a word's plural, say, which rewordings have as well.
    highest = (
        wrong[-1 - len([pair for pair in pairs if pair.seen and not pair.same]) // 500] if wrong else 0.0
    )
    threshold = max(LEAST_THRESHOLD, min(0.995, highest + MARGIN))
    return NearVerifier(weights, intercept, round(threshold, 4))


def rates(pairs: Sequence[Pair], cosines: NDArray[np.float64], verifier: NearVerifier) -> list[Rate]:
    """Return hits by kind, in the order of the pairs."""
    counted: dict[tuple[str, bool, bool], list[int]] = defaultdict(lambda: [0, 0])
    for pair, cosine in zip(pairs, cosines, strict=True):
        count = counted[pair.kind, pair.same, pair.seen]
        count[0] += 1
        count[1] += cosine >= LEAST_COSINE and verifier.same_prob(pair.a, pair.b) >= verifier.threshold
    return [Rate(kind, same, seen, *count) for (kind, same, seen), count in counted.items()]


def summary(found: Sequence[Rate], *, same: bool, seen: bool) -> Rate:
    """Return all kinds of a sort together."""
    mine = [one for one in found if (one.same, one.seen) == (same, seen)]
    return Rate("all", same, seen, sum(one.pairs for one in mine), sum(one.hits for one in mine))


def artifact(
    pairs: Sequence[Pair], verifier: NearVerifier, found: Sequence[Rate], encoder: Encoder
) -> dict[str, Any]:
    """Return what is shipped: parameters, what they were fitted on, and what was measured."""
    text = json.dumps([asdict(pair) for pair in pairs], sort_keys=True)
    return {
        "features": list(FEATURE_NAMES), "weights": verifier.weights.tolist(), "intercept": verifier.intercept,
        "threshold": verifier.threshold, "encoder": encoder.fingerprint, "pairs": len(pairs),
        "pairs_sha256": sha256(text.encode()).hexdigest(),
        "unseen_kinds": {
            "hit_rate": round(summary(found, same=True, seen=False).share, 4),
            "false_hit_rate": round(summary(found, same=False, seen=False).share, 5),
            "paraphrases": summary(found, same=True, seen=False).pairs,
            "near_misses": summary(found, same=False, seen=False).pairs,
        },
    }  # fmt: skip


def show(found: Sequence[Rate], verifier: NearVerifier, console: Console) -> None:
    """Print hits by kind, unseen kinds last."""
    table = Table("kind", "one answer serves both", "fitted on", "pairs", "hits", "share")
    for one in sorted(found, key=lambda one: (one.seen is False, not one.same, one.kind)):
        table.add_row(
            one.kind, str(one.same), str(one.seen), str(one.pairs), str(one.hits), f"{one.share:.1%}"
        )
    console.print(table)
    for seen in (True, False):
        hit, missed = summary(found, same=True, seen=seen), summary(found, same=False, seen=seen)
        console.print(
            f"{'seen' if seen else 'unseen'} kinds: hit rate {hit.share:.1%} of {hit.pairs} paraphrases, "
            f"false-hit rate "
            f"{missed.share:.2%} of {missed.pairs} near misses (threshold {verifier.threshold})"
        )


def main(arguments: list[str] | None = None) -> None:
    """Fit, print what is measured, and write the artifact where asked."""
    parser = argparse.ArgumentParser(prog="python -m x25.training.near.fit", description=__doc__)
    parser.add_argument("--each", type=int, default=EACH, help="pairs of each kind")
    parser.add_argument("--write", type=Path, nargs="?", const=BUNDLED_NEAR, help="write the artifact")
    options = parser.parse_args(arguments)
    pairs, encoder = all_pairs(options.each), open_encoder()
    cosines = cosines_of(pairs, encoder)
    verifier = fit(pairs)
    found = rates(pairs, cosines, verifier)
    show(found, verifier, Console())
    if options.write is not None:
        options.write.write_text(json.dumps(artifact(pairs, verifier, found, encoder), indent=1) + "\n")


if __name__ == "__main__":
    main()
