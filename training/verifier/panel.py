"""What the free look says of a panel's answers: alone, beside a second answer, out of fold and on other prompts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...routing.answer.choices import find_choices
from ...routing.answer.features import MOST_CHARS, HeldAnswer, pair_features
from ...routing.answer.final_answer import FinalAnswer, find_final
from ...routing.answer.verifier import PairVerifier, Verifier, with_products
from ...routing.answer.verifier_trees import LogisticHead
from ...routing.belief.judge_table import JudgeTable
from ...routing.prompt.logistic import sigmoids
from ..data.recorded import Recorded
from ..fit.heads import fit_tier
from .answer_matrix import Answers
from .fit import FOLDS, FittedVerifier, Usual, fit_verifier, labelled_of, log_odds
from .heads import Fit, fit_head, fit_logistic

Floats = NDArray[np.float64]
_PAIR_RIDGE = 3.0
_TEXT_INPUTS = 3  # of a pair's seven inputs: same final answer, cosine, length gap


@dataclass(frozen=True)
class PanelVerifier:
    """A panel's answers as the verifier sees them; train rows out of fold. NaN = no answer."""

    q_train: Floats
    """P(right) of each answer, shape (prompts, tiers)."""
    q_test: Floats
    pair_q_train: Floats
    """[i, own, other] = P(own right) once both answers are held, shape (prompts, tiers, tiers); NaN diagonal."""
    pair_q_test: Floats
    same_train: Floats
    """[i, own, other] = 1 where both state the same final answer, 0 another, 1/2 unknown; same shape."""
    same_test: Floats
    tables: tuple[JudgeTable, ...]
    """Per tier, over the evidence logit q - logit p; flat where the guard does not trust it."""
    bins_train: NDArray[np.int64]
    """Bin of each answer's evidence, shape (prompts, tiers); -1 = no answer."""
    bins_test: NDArray[np.int64]
    verifier: Verifier
    pairs: PairVerifier


def panel_verifier(  # noqa: PLR0913 - two sides, each with prompts, answers and priors
    train: Recorded,
    test: Recorded,
    models: Sequence[str],
    *,
    priors_train: Floats,
    priors_test: Floats,
    answers_train: Answers,
    answers_test: Answers,
    encoder: str = "",
    fit: Fit = fit_head,
) -> PanelVerifier:
    """Fit verifier and pair verifier for a panel on the train side, and apply them to both.

    Parameters
    ----------
    models
        The panel in ladder order; each is its own tier.
    priors_train, priors_test
        P(right) from the prompt alone, shape (prompts, len(models)); those of train out of fold.
    answers_train, answers_test
        Hold the models' answers; a model without any recorded answer has only NaN. Answers of other models on
        the train side are fitted on as well.
    """
    fitted, usual, fold = _fit(train, answers_train, models, priors_train, encoder, fit)
    given, asked = (_columns(side, models) for side in (answers_train, answers_test))
    logits_train = fitted.train_logits[:, : len(models)]
    logits_test = fitted.logits(usual.inputs(asked, priors_test), list(models))
    prior_logits = log_odds(priors_train), log_odds(priors_test)
    sides = (
        PairSide(train, given, logits_train, prior_logits[0]),
        PairSide(test, asked, logits_test, prior_logits[1]),
    )
    pair_train, pair_test, same_train, same_test, pairs = _pairs(*sides, models, fold)
    tiers = [fitted.verifier.tiers[model] for model in models]
    bins_train, bins_test = (
        _bins(logits - priors, [tier.fitted for tier in tiers])
        for logits, priors in zip((logits_train, logits_test), prior_logits, strict=True)
    )
    return PanelVerifier(
        q_train=_probs(logits_train),
        q_test=_probs(logits_test),
        pair_q_train=pair_train,
        pair_q_test=pair_test,
        same_train=same_train,
        same_test=same_test,
        tables=tuple(tier.table for tier in tiers),
        bins_train=bins_train,
        bins_test=bins_test,
        verifier=fitted.verifier,
        pairs=pairs,
    )


def _fit(  # noqa: PLR0913, PLR0917 - the train side of `panel_verifier`
    train: Recorded, answers: Answers, models: Sequence[str], priors: Floats, encoder: str, fit: Fit
) -> tuple[FittedVerifier, Usual, NDArray[np.int64]]:
    """Fit on the panel's answers and on those of every other model recorded, which share one tier of their own.

    The others' priors follow from the panel's: its mean log odds stand for how easy a prompt is.
    """
    others = [model for model in answers.models if model not in models]
    everyone = [*models, *others]
    given = _columns(answers, everyone)
    correct = train.correct[:, train.columns(everyone)]
    difficulty = -log_odds(priors).mean(axis=1)
    more = [
        fit_tier(difficulty, correct[:, len(models) + at]).predict(difficulty) for at in range(len(others))
    ]
    usual = Usual.of(given, correct)
    labelled = labelled_of(train, given, np.column_stack([priors, *more]), usual)
    tiers = [*models, *(["others"] * len(others))]
    fitted = fit_verifier(labelled, everyone, tiers, usual, encoder=encoder, fit=fit)
    return fitted, usual.first(len(models)), labelled.fold


@dataclass(frozen=True)
class PairSide:
    """One side's answers with what each is thought of alone; arrays of shape (prompts, tiers)."""

    recorded: Recorded
    answers: Answers
    logits: Floats
    prior_logits: Floats

    def pair_inputs(self, own: int, other: int, texts: Floats) -> Floats:
        """Return the pair verifier's inputs, shape (prompts, `PAIR_INPUTS`), from `pair_texts(own, other)`."""
        thought = [
            matrix[:, column] for matrix in (self.logits, self.prior_logits) for column in (own, other)
        ]
        return with_products(np.column_stack([texts, *thought]))

    def pair_texts(self, own: int, other: int) -> Floats:
        """Return the inputs read from the two texts, shape (prompts, 3); NaN where one is missing."""
        inputs = np.full((len(self.recorded), _TEXT_INPUTS), np.nan)
        for row, prompt in enumerate(self.recorded.prompts):
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
) -> tuple[Floats, Floats, Floats, Floats, PairVerifier]:
    size = len(models)
    q_train, same_train = (np.full((len(train.recorded), size, size), np.nan) for _ in range(2))
    q_test, same_test = (np.full((len(test.recorded), size, size), np.nan) for _ in range(2))
    correct = train.recorded.correct[:, train.recorded.columns(models)]
    heads = {}
    for low, high in combinations(range(size), 2):
        texts_train, texts_test = train.pair_texts(low, high), test.pair_texts(low, high)
        for own, other in ((low, high), (high, low)):
            is_turned = own > other
            inputs = train.pair_inputs(own, other, mirrored(texts_train) if is_turned else texts_train)
            head, q_train[:, own, other] = fit_pair(inputs, correct[:, own], fold)
            same_train[:, own, other], same_test[:, own, other] = texts_train[:, 0], texts_test[:, 0]
            if head is None:
                continue
            heads[models[own], models[other]] = head
            asked = test.pair_inputs(own, other, mirrored(texts_test) if is_turned else texts_test)
            known = np.isfinite(asked).all(axis=1)
            q_test[known, own, other] = sigmoids(head.logits(asked[known]))
    return q_train, q_test, same_train, same_test, PairVerifier(heads)


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
