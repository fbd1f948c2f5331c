"""Judges for replayed answers: simulated ones of a stated AUC, and resampled scores of recorded ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import BINS, DEFAULT_TABLE, JudgeTable
from ..data.parquet import read_columns

Floats = NDArray[np.float64]

SHARED_NOISE = 0.2
"""Correlation of a judge's error between two answers to one prompt; 0 to .35 was measured on recorded judges."""
TABLE_START = 50.0
"""Labels the default table is worth before any of one's own."""
_CANDIDATES = 40
_LEAST_SHARE = 0.03
"""Least share of the answers in one bin."""
_SCORE_EDGES = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95)
"""Buckets of the reference score within which recorded scores are resampled."""


@dataclass(frozen=True, slots=True)
class JudgePrice:
    """What one judgement costs: the case and its answer are read, a short verdict is written."""

    input_usd_per_mtok: float = 0.15
    output_usd_per_mtok: float = 0.60
    instruction_tokens: int = 150
    answer_tokens: int = 20

    def cost_usd(self, prompt_tokens: Floats, answer_tokens: Floats) -> Floats:
        """Return the cost of judging each answer, same shape."""
        read = prompt_tokens + answer_tokens + self.instruction_tokens
        return 1e-6 * (read * self.input_usd_per_mtok + self.answer_tokens * self.output_usd_per_mtok)


def simulated_scores(
    correct: Floats, auc: float, rng: np.random.Generator, shared: float = SHARED_NOISE
) -> Floats:
    """Return scores in (0, 1) of answers by a judge that ranks a right one above a wrong one with P = `auc`.

    `correct` is 0 or 1, shape (prompts, answers). Normal noise of unit variance, `shared` of it common to the
    answers of one prompt; right answers stand sqrt(2) Phi^-1(auc) higher (the binormal model).
    """
    common = rng.standard_normal((len(correct), 1))
    own = rng.standard_normal(correct.shape)
    noise = np.sqrt(shared) * common + np.sqrt(1.0 - shared) * own
    separation = np.sqrt(2.0) * NormalDist().inv_cdf(auc)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (noise + separation * (correct - 0.5)))))


@dataclass(frozen=True)
class RecordedJudge:
    """Pairs of reference score and judge's score of the same answer, shape (pairs,)."""

    reference: Floats
    score: Floats

    def resample(self, reference: Floats, rng: np.random.Generator) -> Floats:
        """Return a score for each answer, drawn from recorded answers of a like reference score."""
        drawn = np.empty(reference.shape)
        of_pairs = np.digitize(self.reference, _SCORE_EDGES)
        of_answers = np.digitize(reference, _SCORE_EDGES)
        for bucket in np.unique(of_answers):
            here = of_answers == bucket
            nearest = np.unique(of_pairs)[np.abs(np.unique(of_pairs) - bucket).argmin()]
            drawn[here] = rng.choice(self.score[of_pairs == nearest], size=int(here.sum()))
        return drawn


def read_recorded_judge(data_dir: Path, source: str, judge: str, reference: str) -> RecordedJudge:
    """Return how a recorded judge scored the answers that a reference judge scored too.

    Raises
    ------
    FileNotFoundError
        If the folder holds no judges of this source.
    ValueError
        If one of both judges is not among them.
    """
    table = read_columns(data_dir / "judges" / f"{source}.parquet")
    scores: dict[str, dict[tuple[str, str], float]] = {}
    for prompt_id, model, name, score in zip(
        table["prompt_id"], table["model"], table["judge"], table["score"], strict=True
    ):
        scores.setdefault(name, {})[prompt_id, model] = score
    for name in (judge, reference):
        if name not in scores:
            raise ValueError(
                f"no scores of judge {name!r} for {source}; there are {', '.join(sorted(scores))}"
            )
    both = sorted(scores[judge].keys() & scores[reference].keys())
    return RecordedJudge(
        reference=np.array([scores[reference][key] for key in both]),
        score=np.array([scores[judge][key] for key in both]),
    )


def fit_table(scores: Floats, quality: Floats, name: str, *, start: float = TABLE_START) -> JudgeTable:
    """Return the table of a judge from labelled answers.

    Bins are cut where they tell most. Each bin counts the qualities of its answers as right and the rest as
    wrong, on top of the default table worth `start` labels.

    Parameters
    ----------
    scores, quality
        The judge's scores and how good the answers are in [0, 1], any one shape.
    """
    edges = informative_edges(scores.ravel(), quality.ravel())
    bins = np.digitize(scores.ravel(), edges)
    labels = [np.bincount(bins, weights=one.ravel(), minlength=BINS) for one in (quality, 1.0 - quality)]
    right = labels[0] + start / 2 * np.asarray(DEFAULT_TABLE.right)
    wrong = labels[1] + start / 2 * np.asarray(DEFAULT_TABLE.wrong)
    return JudgeTable(name, tuple(edges), tuple(right / right.sum()), tuple(wrong / wrong.sum()))


def informative_edges(scores: Floats, quality: Floats) -> tuple[float, ...]:
    """Return the four rising edges that tell most about quality, each bin holding a share of the answers.

    Quintiles, where few answers share a score. Else they would leave bins empty; then, of the scores at every
    fortieth of the answers, the edge that raises the information of bin about right or wrong most is added, four
    times.
    """
    quintiles = np.quantile(scores, [0.2, 0.4, 0.6, 0.8])
    if np.bincount(np.digitize(scores, quintiles), minlength=BINS).min() >= 0.1 * len(scores):
        return tuple(quintiles.tolist())
    order = np.argsort(scores, kind="stable")
    ranked, good = scores[order], np.concatenate(([0.0], np.cumsum(quality[order])))
    # A score on an edge belongs to the bin above, so an edge stands before the first answer of its score.
    wanted = [int(share * len(ranked)) for share in np.arange(1, _CANDIDATES) / _CANDIDATES]
    places = sorted({int(np.searchsorted(ranked, ranked[place], side="left")) for place in wanted} - {0})
    least = max(1, int(_LEAST_SHARE * len(ranked)))
    chosen = [0, len(ranked)]
    for _ in range(BINS - 1):
        free = [place for place in places if all(abs(place - other) >= least for other in chosen)]
        if not free:
            break
        best = max(free, key=lambda place: _information(sorted([*chosen, place]), good))
        chosen = sorted([*chosen, best])
    edges = [float(ranked[place]) for place in chosen[1:-1]]
    while len(edges) < BINS - 1:  # too few different scores: bins above the highest stay empty
        edges.append(float(np.nextafter(max([*edges, float(ranked[-1])]), np.inf)))
    return tuple(edges)


def _information(cuts: Sequence[int], good: Floats) -> float:
    """Return minus the entropy of right or wrong given the bin, summed over answers."""
    counts = np.diff(cuts).astype(np.float64)
    share = np.clip(np.diff(good[list(cuts)]) / counts, 1e-9, 1.0 - 1e-9)
    return float((counts * (share * np.log(share) + (1.0 - share) * np.log(1.0 - share))).sum())
