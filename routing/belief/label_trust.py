"""How far may labels be believed? As far as they agree with what checks and judge saw.

Whoever labels may be careful, careless or hostile, towards every model or one. Of a model's labels three things are
held possible: they are right but for `SLIPS`; they are chance, at some share of good ones; they are turned round. With
pi the model's share of right answers, b what was seen of an answer (`likelihood`) and y its label:

    honest    P(b, y=1) = pi L1_b (1 - s) + (1 - pi) L0_b s         P(b, y=0) = pi L1_b s + (1 - pi) L0_b (1 - s)
    turned    the same with y exchanged
    chance    P(b, y=1) = (pi L1_b + (1 - pi) L0_b) rho             P(b, y=0) with 1 - rho

pi and rho are integrated out, and so is the judge's own strength: its default table drawn out or flattened to
L1 ~ g exp(t l / 2), L0 ~ g exp(-t l / 2), g = sqrt(L1 L0), l = ln(L1 / L0), t of `SHARPNESS`. What the judge made of
the model's other answers says what pi is: with w the learning weights, their mean over n answers is normal about
pi E1 w + (1 - pi) E0 w with variance Var w / n + `LEVEL_ERROR`^2, so labels of answers that nobody judged are held
against something, too. Models share their labeller: all honest, all chance with one rho, or each for itself.

No judge that tells nothing is among the strengths: where labels and judge have nothing to do with each other it is the
labels that are put aside. So feedback cannot make a good judge useless, and an org that is right about a useless one
has to say so as an audit, whose word is taken.

Source: Dawid and Skene, Applied Statistics 28 (1979), with a two-class confusion table for judge and labeller alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...state.label_counts import FAILED_CHECK, UNJUDGED, LabelCount
from ...state.records import Evidence
from . import likelihood as seen
from .judge_table import BINS, JudgeTable

Floats = NDArray[np.float64]

SLIPS = 0.05
"""Share of an honest labeller's labels that are wrong."""
ALL_HONEST, ALL_CHANCE = 0.85, 0.05
"""Probability, before any label, that a labeller is honest about every model, or never looks."""
KINDS = (0.5, 0.25, 0.25)
"""Else: that one model's labels are honest, chance, turned round."""
SHARPNESS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""How much sharper than its default table a judge may be; of AUC .70 to .95 on the bins where the default has .83."""
LEVEL_ERROR = 0.05
"""Standard error of a model's mean learning weight beside that of chance: not all its answers were alike."""
TRUSTED_SOURCES = frozenset({"audit", "check"})
"""Labels of whoever has the database at hand; nobody sends them by HTTP."""
_SHARES = np.linspace(0.03, 0.97, 13)
# As an honest labeller would say: labels that nothing can be held against tell nobody apart.
_SAID_SHARES = SLIPS + (1.0 - 2.0 * SLIPS) * _SHARES
_PLACES = BINS + 2


@dataclass(frozen=True, slots=True)
class Group:
    """Labels that are trusted together: of one source, on first answers of a model as it is now, or on its others."""

    source: str
    model_id: str
    is_current: bool


def group_of(count: LabelCount, pooled: Mapping[str, Evidence]) -> Group:
    """Return which group labels belong to; `pooled` is the org's evidence over all cells, by model id."""
    known = pooled.get(count.model_id)
    return Group(count.source, count.model_id, count.epoch == (0 if known is None else known.drifts))


def trust_in(
    counts: Iterable[LabelCount],
    default: JudgeTable,
    pooled: Mapping[str, Evidence],
    *,
    is_judged: bool = True,
) -> dict[Group, float]:
    """Return the posterior probability that each group's labels are honest, 0 to 1.

    Parameters
    ----------
    pooled
        The org's evidence over all cells, by model id.
    is_judged
        Whether a judge made that evidence; where only checks did, it repeats what was predicted and is not read.
    """
    by_source: dict[str, dict[Group, Floats]] = defaultdict(
        lambda: defaultdict(lambda: np.zeros((2, _PLACES)))
    )
    for one in counts:
        by_source[one.source][group_of(one, pooled)][:, one.place] += (one.right, one.wrong)
    likelihoods = _likelihoods(default)
    found: dict[Group, float] = {}
    for source, groups in by_source.items():
        if source in TRUSTED_SOURCES:
            found |= dict.fromkeys(groups, 1.0)
            continue
        levels = [
            _level_logs(
                pooled.get(group.model_id) if is_judged and group.is_current else None, default, likelihoods
            )
            for group in groups
        ]
        found |= dict(zip(groups, _trusts(list(groups.values()), levels, likelihoods), strict=True))
    return found


def _likelihoods(default: JudgeTable) -> tuple[Floats, Floats]:
    """Return P(seen | right) and P(seen | wrong), shape (sharpness, places); negative places count from the end."""
    right, wrong = np.asarray(default.right), np.asarray(default.wrong)
    middle, told = np.sqrt(right * wrong), np.log(right / wrong)
    rows: tuple[list[Floats], list[Floats]] = ([], [])
    for sharpness in SHARPNESS:
        for side, sign in enumerate((1.0, -1.0)):
            bins = middle * np.exp(sign * sharpness * told / 2.0)
            row = np.empty(_PLACES)
            row[:BINS] = bins / bins.sum()
            # Having passed the checks says little, and how little differs from one kind of work to the next.
            row[UNJUDGED], row[FAILED_CHECK] = 1.0, seen.FAILED_CHECK[side]
            rows[side].append(row)
    return np.array(rows[0]), np.array(rows[1])


def _level_logs(known: Evidence | None, default: JudgeTable, likelihoods: tuple[Floats, Floats]) -> Floats:
    """Return the log likelihood of a model's mean learning weight, shape (shares of right answers, sharpness)."""
    if known is None or not known.weight_total > 0.0:
        return np.zeros((len(_SHARES), len(SHARPNESS)))
    weights = default.reward_weights()
    means = [row[:, :BINS] @ weights for row in likelihoods]
    squares = [row[:, :BINS] @ weights**2 for row in likelihoods]
    share = _SHARES[:, None]
    mean = share * means[0] + (1.0 - share) * means[1]
    variance = share * squares[0] + (1.0 - share) * squares[1] - mean**2
    variance = variance / known.weight_total + LEVEL_ERROR**2
    return np.asarray(
        -0.5 * (known.reward_total / known.weight_total - mean) ** 2 / variance - 0.5 * np.log(variance)
    )


def _trusts(
    groups: Sequence[Floats], levels: Sequence[Floats], likelihoods: tuple[Floats, Floats]
) -> list[float]:
    """Return P(honest) of each group, given as sums of right and wrong labels by place, shape (2, places)."""
    found = [_log_evidence(labels, level, likelihoods) for labels, level in zip(groups, levels, strict=True)]
    logs, unlabelled = np.array([one for one, _ in found]), np.array([one for _, one in found])
    of_kinds = logs + np.log(KINDS)[:, None]  # shape (groups, kinds, sharpness)
    each = _log_sum(of_kinds, axis=1)
    honest = np.log(ALL_HONEST) + logs[:, 0].sum(axis=0)
    said = _log_mean(_said_by_chance(np.sum(groups, axis=0)), axis=0)
    chance = np.log(ALL_CHANCE) + unlabelled.sum(axis=0) + said
    apart = np.log1p(-ALL_HONEST - ALL_CHANCE) + each.sum(axis=0)
    total = _log_sum(np.concatenate([honest, chance, apart]), axis=0)
    all_honest = float(np.exp(_log_sum(honest, axis=0) - total))
    return [
        min(1.0, all_honest + float(np.exp(_log_sum(apart + kinds[0] - mixed, axis=0) - total)))
        for kinds, mixed in zip(of_kinds, each, strict=True)
    ]


def _log_evidence(labels: Floats, level: Floats, likelihoods: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return the log marginal likelihood of a group by kind, shape (3, sharpness), and of what was seen alone."""
    right = _SHARES[:, None, None] * likelihoods[0]
    wrong = (1.0 - _SHARES)[:, None, None] * likelihoods[1]
    said_right = np.log(right * (1.0 - SLIPS) + wrong * SLIPS)
    said_wrong = np.log(right * SLIPS + wrong * (1.0 - SLIPS))
    good, bad = labels
    unlabelled = _log_mean(np.log(right + wrong) @ (good + bad) + level, axis=0)
    honest = _log_mean(said_right @ good + said_wrong @ bad + level, axis=0)
    turned = _log_mean(said_wrong @ good + said_right @ bad + level, axis=0)
    chance = unlabelled + _log_mean(_said_by_chance(labels), axis=0)
    return np.stack([honest, chance, turned]), unlabelled


def _said_by_chance(labels: Floats) -> Floats:
    """Return the log likelihood of so many right and wrong labels by each share of right ones."""
    return np.asarray(np.log(_SAID_SHARES) * labels[0].sum() + np.log1p(-_SAID_SHARES) * labels[1].sum())


def _log_sum(logs: Floats, axis: int) -> Floats:
    most = logs.max(axis=axis, keepdims=True)
    return np.asarray(np.log(np.exp(logs - most).sum(axis=axis)) + most.squeeze(axis))


def _log_mean(logs: Floats, axis: int) -> Floats:
    return np.asarray(_log_sum(logs, axis) - np.log(logs.shape[axis]))
