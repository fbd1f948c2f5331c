"""Fit an org's own estimators on answers a noisy judge looked at: EM over whether each answer was right.

    d_i = b_i + shift + u . z_i,   p_i = sigmoids(level_m - slope_m d_i),   m = the model that answered call i
    P(seen_i) = p_i right_i + (1 - p_i) wrong_i

`right` and `wrong` are the likelihoods of what was seen of the answer if it was right and if it was wrong: the
judge's table at the score's bin, the shares of answers that fail a free check, or (1, 0) and (0, 1) where a person
said so. E step: r_i = p_i right_i / P(seen_i). M step: logistic regression on r, penalised towards the bundled
prediction, in two blocks (levels and slopes; shift and u), each by Newton's method.
Source: Dempster, Laird and Rubin 1977; Dawid and Skene 1979 for a known confusion table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIDGES = (np.inf, 1_000.0, 300.0, 100.0)
"""Penalties of u tried; infinite = the bundled difficulty stays as it is but for the shift.

Weaker ones are not tried: on training prompts of three sources, 30 cost up to .10 nats at 500 calls of one of them and
gained at most .004 on the others, and cross-validation on so few judged calls does not always see it."""
FOLDS = 4
USUAL_SLOPE = 0.375
"""Slope of the bundled prediction: .75 at a trust of one half."""
_SHIFT_PENALTY = 0.25
_LEVEL_PENALTY = 1.0
_SLOPE_PENALTY = 16.0
_LEAST_SLOPE = 0.02
_LOWEST, _HIGHEST = 0.02, 0.98
_STEPS = 60
_ENOUGH = 2e-5  # nats an answer
_REFRESH = 10
"""Steps that share a curvature of u: it changes little, and makes up most of the work."""


@dataclass(frozen=True)
class Seen:
    """Answers somebody looked at; arrays of shape (answers,) unless said otherwise."""

    z: Floats
    """Standardised inputs, shape (answers, inputs)."""
    bundled: Floats
    """Bundled difficulty, remembered context taken off."""
    model: Ints
    """Index into `models`."""
    right: Floats
    """Likelihood of what was seen if the answer was right."""
    wrong: Floats
    group: NDArray[np.str_]
    """Prompts alike share one: they stay on one side of every split."""
    models: tuple[str, ...]
    start_levels: Floats
    """Level of each model's bundled prediction, shape (models,)."""

    def __len__(self) -> int:
        """Return the number of answers."""
        return len(self.bundled)

    def take(self, rows: NDArray[np.bool_] | Ints) -> "Seen":
        """Return the answers of these rows."""
        fixed = {"models", "start_levels"}
        return replace(
            self, **{one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name not in fixed}
        )


@dataclass(frozen=True)
class Fitted:
    """What the calls taught."""

    shift: float
    u: Floats
    levels: Floats
    """Shape (models,), as `slopes`."""
    slopes: Floats
    ridge: float

    def difficulty(self, seen: Seen) -> Floats:
        """Return the org's difficulty of each answer's prompt."""
        return seen.bundled + self.shift + seen.z @ self.u

    def predict(self, seen: Seen) -> Floats:
        """Return the probability that each answer is right, before it was looked at."""
        eta = self.levels[seen.model] - self.slopes[seen.model] * self.difficulty(seen)
        return np.asarray(sigmoids(eta).clip(_LOWEST, _HIGHEST))


def log_losses(prob: Floats, seen: Seen) -> Floats:
    """Return -log P(what was seen) of each answer under predictions of the same shape, nats."""
    return np.asarray(-np.log(np.maximum(prob * seen.right + (1.0 - prob) * seen.wrong, 1e-12)))


def start(seen: Seen) -> Fitted:
    """Return the bundled prediction as a fit that learnt nothing."""
    slopes = np.full(len(seen.models), USUAL_SLOPE)
    return Fitted(0.0, np.zeros(seen.z.shape[1]), seen.start_levels.copy(), slopes, np.inf)


def fit(seen: Seen, ridge: float, *, levels_only: bool = False, begin: Fitted | None = None) -> Fitted:
    """Return the penalised maximum-likelihood fit.

    Parameters
    ----------
    ridge
        Penalty of u; infinite = u stays 0.
    levels_only
        Move levels alone, as evidence offsets do: the rival a refit has to beat.
    begin
        Where to begin, such as the fit of a larger penalty; None = at the bundled prediction.
    """
    found = replace(begin or start(seen), ridge=ridge)
    last, inverse = np.inf, None
    for step in range(_STEPS):
        prob = sigmoids(found.levels[seen.model] - found.slopes[seen.model] * found.difficulty(seen))
        loss = float(log_losses(prob, seen).sum())
        if abs(last - loss) < _ENOUGH * len(seen):
            break
        last = loss
        odds = prob * seen.right
        is_right = odds / (odds + (1.0 - prob) * seen.wrong)
        if not levels_only and np.isfinite(ridge):
            inverse = _inverse_curvature(found, seen) if step % _REFRESH == 0 else inverse
            found = _move_difficulty(found, seen, is_right, inverse)
        elif not levels_only:
            found = _move_shift(found, seen, is_right)
        found = _move_lines(found, seen, is_right, levels_only=levels_only)
    return found


def _move_lines(found: Fitted, seen: Seen, is_right: Floats, *, levels_only: bool) -> Fitted:
    """Take a Newton step of each model's level and slope towards the soft labels."""
    difficulty = found.difficulty(seen)
    levels, slopes = found.levels.copy(), found.slopes.copy()
    penalty = np.array([_LEVEL_PENALTY, 1e9 if levels_only else _SLOPE_PENALTY])
    for one in np.unique(seen.model):
        mine = seen.model == one
        inputs = np.stack([np.ones(int(mine.sum())), -difficulty[mine]], axis=1)
        line = np.array([levels[one], slopes[one]])
        prob = sigmoids(inputs @ line)
        pull = penalty * (line - np.array([seen.start_levels[one], USUAL_SLOPE]))
        gradient = inputs.T @ (prob - is_right[mine]) + pull
        curvature = (inputs * (prob * (1.0 - prob))[:, None]).T @ inputs + np.diag(penalty)
        line -= np.linalg.solve(curvature, gradient).clip(-1.0, 1.0)
        levels[one], slopes[one] = line[0], max(line[1], _LEAST_SLOPE)
    return replace(found, levels=levels, slopes=slopes)


def _pulls(found: Fitted, seen: Seen, is_right: Floats) -> tuple[Floats, Floats]:
    """Return each answer's pull on its difficulty and the weight of it; slopes translate difficulty into logits."""
    slope = found.slopes[seen.model]
    prob = sigmoids(found.levels[seen.model] - slope * found.difficulty(seen))
    return slope * (prob - is_right), slope * slope * prob * (1.0 - prob)


def _move_shift(found: Fitted, seen: Seen, is_right: Floats) -> Fitted:
    """Take a Newton step of the shift alone."""
    pull, weight = _pulls(found, seen, is_right)
    step = (_SHIFT_PENALTY * found.shift - pull.sum()) / (weight.sum() + _SHIFT_PENALTY)
    return replace(found, shift=found.shift - float(np.clip(step, -1.0, 1.0)))


def _penalties(found: Fitted) -> Floats:
    return np.concatenate([[_SHIFT_PENALTY], np.full(len(found.u), found.ridge)])


def _inverse_curvature(found: Fitted, seen: Seen) -> Floats:
    """Return the inverse curvature of the penalised log likelihood in (shift, u), shape (1 + inputs, 1 + inputs)."""
    _, weight = _pulls(found, seen, seen.right)
    inputs = np.column_stack([np.ones(len(seen)), seen.z]).astype(np.float32)
    gram = (inputs * weight[:, None].astype(np.float32)).T @ inputs
    return np.asarray(np.linalg.inv(gram.astype(np.float64) + np.diag(_penalties(found))))


def _move_difficulty(found: Fitted, seen: Seen, is_right: Floats, inverse: Floats | None) -> Fitted:
    """Take a Newton step of shift and u towards the soft labels."""
    assert inverse is not None
    pull, _ = _pulls(found, seen, is_right)
    weights = np.concatenate([[found.shift], found.u])
    gradient = _penalties(found) * weights - np.concatenate([[pull.sum()], seen.z.T @ pull])
    weights = weights - (inverse @ gradient).clip(-1.0, 1.0)
    return replace(found, shift=float(weights[0]), u=weights[1:])


def choose_ridge(
    seen: Seen, ridges: Sequence[float] = RIDGES, folds: int = FOLDS
) -> tuple[float, dict[str, float]]:
    """Return the penalty of the lowest out-of-fold log loss, and the loss of each, nats an answer.

    Penalties are tried in the order given, each from where the one before it ended: largest first.
    """
    names, place = np.unique(seen.group, return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(names))[place] % folds
    losses = dict.fromkeys(ridges, 0.0)
    for one in np.unique(fold):
        away, found = seen.take(fold == one), None
        kept = seen.take(fold != one)
        for ridge in ridges:
            found = fit(kept, ridge, begin=found)
            losses[ridge] += float(log_losses(found.predict(away), away).sum()) / len(seen)
    best = min(losses, key=losses.__getitem__)
    return best, {f"{ridge:g}": round(loss, 5) for ridge, loss in losses.items()}


def fit_org(seen: Seen, ridges: Sequence[float] = RIDGES) -> tuple[Fitted, dict[str, float]]:
    """Return the fit whose penalty cross-validation on these answers chose, and the losses it chose by."""
    ridge, losses = choose_ridge(seen, ridges)
    return fit(seen, ridge), losses
