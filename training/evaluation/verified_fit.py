"""What does a panel's verifier know? Heads and verifier fitted on train, and judges who err with the verifier."""

from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ..data.design import EmbedsMany
from ..data.recorded import read_recorded
from ..verifier.answer_matrix import read_answers
from ..verifier.fit import Answered, log_odds
from ..verifier.panel import PanelVerifier, panel_verifier
from .fit import Side
from .judging import SHARED_NOISE
from .panels import Panel
from .run import Request, fit_split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NORMAL = NormalDist()


@dataclass(frozen=True)
class AssessedSide:
    """One side of a split with what the verifier says of its answers; arrays of shape (prompts, tiers)."""

    side: Side
    evidence: Floats
    """Log odds the verifier adds to the prior's."""
    bins: Ints
    """Bin of the evidence in the tier's table."""
    pairs: Floats
    """[i, own, other] = P(own right) once both answers are held, shape (prompts, tiers, tiers)."""


@dataclass(frozen=True)
class VerifiedFit:
    """A panel's heads and its verifier."""

    panel: Panel
    train: AssessedSide
    test: AssessedSide
    verdicts: PanelVerifier


def fit_verified(panel: Panel, request: Request, encoder: EmbedsMany, seed: int = 0) -> VerifiedFit:
    """Fit a panel's heads and its verifier on the train side; the verifier is out of fold there.

    Prompts of which an answer was not recorded are left out on both sides.
    """
    fit = fit_split(panel, request, encoder, seed)
    folders = (request.train_dir, request.test_dir or request.train_dir)
    sides = [
        _answered(panel, side, folder, request.cache)
        for side, folder in zip((fit.train, fit.test), folders, strict=True)
    ]
    (train, seen), (test, asked) = sides
    verdicts = panel_verifier(seen, asked, panel.models, encoder=encoder.fingerprint)
    assessed_train, assessed_test = (
        AssessedSide(side, log_odds(said.q) - log_odds(side.completion_probs), said.bins, said.pair_q)
        for side, said in ((train, verdicts.train), (test, verdicts.test))
    )
    return VerifiedFit(panel, assessed_train, assessed_test, verdicts)


def _answered(panel: Panel, side: Side, folder: Path, cache: Path | None) -> tuple[Side, Answered]:
    """Return the prompts of a side whose answers were all recorded, and these."""
    everything = read_recorded(folder, panel.source)
    answers = read_answers(folder, everything, cache)
    row_of = {prompt_id: row for row, prompt_id in enumerate(everything.prompt_ids.tolist())}
    mine = answers.take([row_of[prompt_id] for prompt_id in side.recorded.prompt_ids.tolist()])
    known = np.flatnonzero(mine.choose(panel.models).given.all(axis=1))
    kept = side.take(known)
    return kept, Answered(kept.recorded, mine.take(known), kept.completion_probs)


def judge_scores(assessed: AssessedSide, auc: float, rng: np.random.Generator, shared: float) -> Floats:
    """Return scores in (0, 1) of a judge of `auc` of whose error variance `shared` is the verifier's.

    The binormal judge of `judging.simulated_scores`, part of whose noise is the verifier's evidence, made normal by
    rank within a tier's right and within its wrong answers.
    """
    correct = assessed.side.correct
    common = rng.standard_normal((len(correct), 1))
    noise = np.sqrt(SHARED_NOISE) * common + np.sqrt(1.0 - SHARED_NOISE) * rng.standard_normal(correct.shape)
    noise = np.sqrt(shared) * _errors(assessed.evidence, correct) + np.sqrt(1.0 - shared) * noise
    separation = np.sqrt(2.0) * _NORMAL.inv_cdf(auc)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (noise + separation * (correct - 0.5)))))


def _errors(evidence: Floats, correct: Floats) -> Floats:
    errors = np.zeros(evidence.shape)
    for column in range(evidence.shape[1]):
        for is_right in (False, True):
            rows = np.flatnonzero((correct[:, column] > 0.5) == is_right)
            ranks = (evidence[rows, column].argsort().argsort() + 0.5) / max(len(rows), 1)
            errors[rows, column] = [_NORMAL.inv_cdf(rank) for rank in ranks.tolist()]
    return errors
