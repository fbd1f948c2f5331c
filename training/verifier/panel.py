"""What does the verifier say of a panel's answers? Alone, beside a second answer, out of fold and on other prompts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...routing.answer.choices import find_choices
from ...routing.answer.features import MOST_CHARS, HeldAnswer, pair_features
from ...routing.answer.final_answer import FinalAnswer, find_final
from ...routing.answer.verifier import Verifier, with_products
from ...routing.answer.verifier_trees import LogisticHead
from ...routing.belief.judge_table import JudgeTable
from ...routing.prompt.logistic import sigmoids
from ..fit.heads import fit_tier
from .answer_matrix import Answers
from .fit import FOLDS, Answered, FittedVerifier, Usual, fit_verifier, log_odds
from .heads import Fit, fit_head, fit_logistic

Floats = NDArray[np.float64]
_PAIR_RIDGE = 3.0
_TEXT_INPUTS = 3  # of a pair's seven inputs: same final answer, cosine, length gap


@dataclass(frozen=True)
class Verdicts:
    """What the verifier says of one side's answers; NaN = no answer."""

    q: Floats
    """P(right) of each answer, shape (prompts, tiers)."""
    pair_q: Floats
    """[i, own, other] = P(own right) once both answers are held, shape (prompts, tiers, tiers); NaN diagonal."""
    same: Floats
    """[i, own, other] = 1 where both state the same final answer, 0 another, 1/2 unknown; same shape."""
    bins: NDArray[np.int64]
    """Bin of each answer's evidence, shape (prompts, tiers); -1 = no answer."""


@dataclass(frozen=True)
class PanelVerifier:
    """A panel's answers as the verifier sees them."""

    train: Verdicts
    """Out of fold."""
    test: Verdicts
    tables: tuple[JudgeTable, ...]
    """Per tier, over the evidence logit q - logit p; flat where the guard does not trust it."""
    verifier: Verifier


def panel_verifier(
    train: Answered, test: Answered, models: Sequence[str], *, encoder: str = "", fit: Fit = fit_head
) -> PanelVerifier:
    """Fit verifier and pair verifier for a panel on the train side, and apply them to both.

    Parameters
    ----------
    train, test
        With priors of the panel's models, in its order. A model without any recorded answer has only NaN. Answers of
        other models on the train side are fitted on as well.
    models
        The panel in ladder order; each is its own tier.
    """
    fitted, usual, fold = _fit(train, models, encoder, fit)
    given, asked = (_columns(side.answers, models) for side in (train, test))
    sides = (
        PairSide(train, given, fitted.train_logits[:, : len(models)]),
        PairSide(test, asked, fitted.logits(usual.inputs(asked, test.priors), models)),
    )
    pairs = _pairs(*sides, models, fold)
    tiers = [fitted.verifier.tiers[model] for model in models]
    evidence = [tier.fitted for tier in tiers]
    on_train, on_test = (
        Verdicts(_probs(side.logits), *pair, _bins(side.logits - side.prior_logits, evidence))
        for side, pair in zip(sides, pairs, strict=True)
    )
    return PanelVerifier(on_train, on_test, tuple(tier.table for tier in tiers), fitted.verifier)


def _fit(
    train: Answered, models: Sequence[str], encoder: str, fit: Fit
) -> tuple[FittedVerifier, Usual, NDArray[np.int64]]:
    """Fit on the panel's answers and on those of every other model recorded, which share one tier of their own.

    The others' priors follow from the panel's: its mean log odds stand for how easy a prompt is.
    """
    others = [model for model in train.answers.models if model not in models]
    answers = _columns(train.answers, [*models, *others])
    correct = train.recorded.correct[:, train.recorded.columns(others)]
    difficulty = -log_odds(train.priors).mean(axis=1)
    more = [fit_tier(difficulty, column).predict(difficulty) for column in correct.T]
    everyone = Answered(train.recorded, answers, np.column_stack([train.priors, *more]))
    usual = everyone.usual()
    labelled = everyone.labelled(usual, [*models, *(["others"] * len(others))])
    fitted = fit_verifier(labelled, encoder=encoder, fit=fit)
    return fitted, usual.first(len(models)), labelled.fold


@dataclass(frozen=True)
class PairSide:
    """One side's answers with what each is thought of alone; arrays of shape (prompts, tiers)."""

    answered: Answered
    answers: Answers
    """Of the panel's models, in its order."""
    logits: Floats

    @property
    def prior_logits(self) -> Floats:
        """Log odds before the answers came."""
        return log_odds(self.answered.priors)

    def pair_inputs(self, own: int, other: int, texts: Floats) -> Floats:
        """Return the pair verifier's inputs, shape (prompts, `PAIR_INPUTS`), from `pair_texts(own, other)`."""
        thought = [
            matrix[:, column] for matrix in (self.logits, self.prior_logits) for column in (own, other)
        ]
        return with_products(np.column_stack([texts, *thought]))

    def pair_texts(self, own: int, other: int) -> Floats:
        """Return the inputs read from the two texts, shape (prompts, 3); NaN where one is missing."""
        inputs = np.full((len(self.answers.texts), _TEXT_INPUTS), np.nan)
        for row, prompt in enumerate(self.answered.recorded.prompts):
            texts = self.answers.texts[row][own], self.answers.texts[row][other]
            if texts[0] is None or texts[1] is None:
                continue
            choices = find_choices(prompt[-MOST_CHARS:])
            held = [HeldAnswer(text or "", _final(text or "", choices), 0.0, 0.0) for text in texts]
            inputs[row] = pair_features(*held)[:_TEXT_INPUTS]
        return inputs


def _final(text: str, choices: dict[str, str]) -> FinalAnswer | None:
    half = MOST_CHARS // 2
    return find_final(text if len(text) <= MOST_CHARS else text[:half] + text[-half:], choices)


def mirrored(texts: Floats) -> Floats:
    """Return `pair_texts` seen from the other answer: only the length gap changes its sign."""
    turned: Floats = texts * np.array([1.0, 1.0, -1.0])
    return turned


def fit_pair(inputs: Floats, right: Floats, fold: NDArray[np.int64]) -> tuple[LogisticHead | None, Floats]:
    """Return the pair regression and its out-of-fold probabilities, shape (prompts,); None without labels."""
    known = np.isfinite(inputs).all(axis=1) & np.isfinite(right)
    probs = np.full(len(right), np.nan)
    counts = Counter((right[known] > 0.5).tolist())
    if min(counts[True], counts[False]) < FOLDS:
        return None, probs
    for one in np.unique(fold):
        away, seen = known & (fold == one), known & (fold != one)
        probs[away] = sigmoids(fit_logistic(inputs[seen], right[seen], _PAIR_RIDGE).logits(inputs[away]))
    return fit_logistic(inputs[known], right[known], _PAIR_RIDGE), probs


def _pairs(
    train: PairSide, test: PairSide, models: Sequence[str], fold: NDArray[np.int64]
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return P(own right) beside each other answer, and whether both say the same; of train and of test."""
    size = len(models)
    q, same = (
        [np.full((len(side.answers.texts), size, size), np.nan) for side in (train, test)] for _ in range(2)
    )
    correct = train.answered.recorded.correct[:, train.answered.recorded.columns(models)]
    for low, high in combinations(range(size), 2):
        seen, asked = train.pair_texts(low, high), test.pair_texts(low, high)
        for own, other in ((low, high), (high, low)):
            same[0][:, own, other], same[1][:, own, other] = seen[:, 0], asked[:, 0]
            turn = mirrored if own > other else np.asarray
            inputs = train.pair_inputs(own, other, turn(seen))
            head, q[0][:, own, other] = fit_pair(inputs, correct[:, own], fold)
            fresh = test.pair_inputs(own, other, turn(asked))
            known = np.isfinite(fresh).all(axis=1)
            if head is not None:
                q[1][known, own, other] = sigmoids(head.logits(fresh[known]))
    return (q[0], same[0]), (q[1], same[1])


def _columns(answers: Answers, models: Sequence[str]) -> Answers:
    """Return the models' answers, with an empty column for a model whose answers were not recorded."""
    known = {model: column for column, model in enumerate(answers.models)}
    values = np.full((len(answers.texts), len(models), answers.values.shape[2]), np.nan, dtype=np.float32)
    for column, model in enumerate(models):
        if model in known:
            values[:, column] = answers.values[:, known[model]]
    texts = [[row[known[model]] if model in known else None for model in models] for row in answers.texts]
    return Answers(tuple(models), texts, values)


def _probs(logits: Floats) -> Floats:
    probs: Floats = np.where(np.isfinite(logits), sigmoids(np.nan_to_num(logits)), np.nan)
    return probs


def _bins(evidence: Floats, tables: Sequence[JudgeTable]) -> NDArray[np.int64]:
    bins = np.full(evidence.shape, -1, dtype=np.int64)
    for column, table in enumerate(tables):
        known = np.isfinite(evidence[:, column])
        bins[known, column] = np.searchsorted(table.edges, evidence[known, column], side="right")
    return bins
