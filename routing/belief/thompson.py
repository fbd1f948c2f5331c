"""Thompson sampling: draw how good each arm may be, from the prediction and from what the org observed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ...state.records import Arm, Evidence, Posterior
from ..prompt.logistic import logit, sigmoid

CLASSIC_STRENGTH = 2.0
"""Pseudo-observations of the prior in the classic learner."""

_MOST_OBSERVATIONS = 1e9
_MOST_REWARD = 10.0  # largest plausible size of one learning weight; a judge of AUC .85 gives at most 1.8


@dataclass(frozen=True, slots=True)
class Learner:
    """Constants of the offset learner; the defaults suit a judge that passes or fails answers."""

    kappa0: float = 30.0
    """Concentration of a draw before any evidence, pseudo-observations: as sure as the prediction is worth, `n0`."""
    n0: float = 30.0
    """Observations after which evidence weighs as much as the prediction."""
    kappa_max: float = 2000.0
    """Largest concentration: how sure a draw can ever be."""
    gamma: float = 0.995
    """What one org call leaves of older evidence."""
    shown_strength: float = 10.0
    """Pseudo-observations of the prior in the counts shown to people."""
    remembered: float = 30.0
    """Observations that the past, prediction and forgotten evidence together, counts for at most."""
    borrowed: float = 100.0
    """Observations up to which an arm's other cells stand in for what a cell has not seen, before scaling."""
    drifted_n0: float = 5.0
    """`n0` right after a drift; it grows back as old evidence would fade."""
    return_hazard: float = 1.0 / 1500.0
    """Probability that an arm which became worse is repaired, in one call of the org: it is asked again after about
    sqrt(2 / hazard) calls, soon enough to come back within 150, seldom enough to cost nothing that can be measured."""

    unknown_n0: float = 5.0
    """`n0` and `kappa0` of a model known by its tier alone: narrower draws left a good one unasked in an org of six."""

    def about(self, arm: Arm) -> "Learner":
        """Return the constants for one arm. Where nobody judges, asking would teach nothing: it is as any other."""
        is_judged = self.kappa0 < self.kappa_max
        return (
            replace(self, n0=self.unknown_n0, kappa0=self.unknown_n0)
            if arm.is_unknown and is_judged
            else self
        )


DEFAULT_LEARNER = Learner()
UNJUDGED_LEARNER = replace(DEFAULT_LEARNER, kappa0=DEFAULT_LEARNER.kappa_max)
"""Where nobody judges. A wide draw is paid for by what is seen of it: with nobody to look, a model of a few points more
would be asked in a third of the calls at eight times the price, for good. So expected values decide, and evidence
moves them as ever."""


Sums = tuple[float, float, float]
"""Rewards, predictions and observations: R, Q, n."""
_NOTHING: Sums = (0.0, 0.0, 0.0)


def _usable(reward: float, predicted: float, weight: float) -> Sums:
    """Return R, Q, n; zeros when a sum is impossible, since a damaged row must not stop a call."""
    possible = (
        0.0 <= weight <= _MOST_OBSERVATIONS
        and 0.0 <= predicted <= weight * (1.0 + 1e-9)
        and abs(reward) <= _MOST_REWARD * weight
    )  # NaN fails every comparison
    return (reward, predicted, weight) if possible else _NOTHING


def _usable_sums(evidence: Evidence | None) -> Sums:
    if evidence is None:
        return _NOTHING
    return _usable(evidence.reward_sum, evidence.predicted_sum, evidence.weight)


def _usable_totals(evidence: Evidence | None) -> Sums:
    if evidence is None:
        return _NOTHING
    return _usable(evidence.reward_total, evidence.predicted_total, evidence.weight_total)


def _without(whole: Sums, part: Sums) -> Sums:
    """Return what of `whole` is not in `part`; nothing where that is less than nothing."""
    weight = whole[2] - part[2]
    return (whole[0] - part[0], whole[1] - part[1], weight) if weight > 1e-9 else _NOTHING


def long_run(evidence: Evidence | None) -> Sums:
    """Return R, Q, n of the long run without the last few observations; zeros when impossible."""
    if evidence is None:
        return _NOTHING
    fast = _usable(evidence.fast_reward, evidence.fast_predicted, evidence.fast_weight)
    return _without(_usable_totals(evidence), fast)


def _plus(sums: Sums, others: Sums, share: float) -> Sums:
    return (
        sums[0] + share * others[0], sums[1] + share * others[1], sums[2] + share * others[2],
    )  # fmt: skip


def combined(cell: Evidence | None, pooled: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> Sums:
    """Return R, Q, n of one arm in one cell, from all that the org knows of the arm.

    With C, C* the discounted and the long-run sums of the cell, P, P* those pooled over all cells, and n0 the worth
    of the prediction:

        past   = (C* - C) + b (P* - C*)     b brings the second part to max(0, borrowed - n of C*) at most
        result = C + s past                 s = min(1, remembered / (n0 + n of past))

    Recent evidence counts in full. The past is what was forgotten in the cell and, where the cell has seen little,
    what the arm's other cells saw. Together with the prediction, whose worth is scaled alike (`prediction_strength`),
    it counts for at most `remembered` observations: so forgetting fades to what the org knew, never to the
    prediction. No observation counts twice; impossible sums count as none.
    """
    return _combined(cell, pooled, learner)[0]


def _combined(cell: Evidence | None, pooled: Evidence | None, learner: Learner) -> tuple[Sums, float]:
    """Return the combined sums, and how many observations the past holds, unscaled."""
    recent, known, known_pooled = _usable_sums(cell), _usable_totals(cell), _usable_totals(pooled)
    past, elsewhere = _without(known, recent), _without(known_pooled, known)
    room = learner.borrowed - max(known[2], recent[2])
    if room > 0.0 and elsewhere[2] > 0.0:
        past = _plus(past, elsewhere, min(1.0, room / elsewhere[2]))
    return _plus(recent, past, _share(past[2], _fresh_strength(pooled or cell, learner), learner)), past[2]


def _share(past: float, n0: float, learner: Learner) -> float:
    return min(1.0, learner.remembered / (n0 + past)) if past > 0.0 else 1.0


def combine(
    cells: Mapping[str, Evidence],
    pooled: Mapping[str, Evidence],
    learner: Learner = DEFAULT_LEARNER,
    org_calls: int = 0,
) -> dict[str, Evidence]:
    """Return for each arm the evidence that selection reads: sums as `combined`, counts of the cell alone.

    `weight_total` is set so that its excess over `weight` is the number of observations in the past. `return_odds`
    are those of now: what was seen of the arm last, plus the hazard of each of the org's calls since.
    """
    model_id_to_evidence = {}
    for model_id in cells.keys() | pooled.keys():
        cell, pool = cells.get(model_id), pooled.get(model_id)
        (reward, predicted, weight), past = _combined(cell, pool, learner)
        counts, level = cell or Evidence(model_id, ""), pool or cell or Evidence(model_id, "")
        model_id_to_evidence[model_id] = Evidence(
            model_id, counts.task_cell, level.tier, counts.successes, counts.failures, reward, predicted, weight,
            max(level.calls_seen, org_calls if level.drifts else 0), weight_total=weight + past,
            drift_up=level.drift_up, drift_down=level.drift_down, drifts=level.drifts, drifted_at=level.drifted_at,
            forgotten_reward=level.forgotten_reward,
            forgotten_predicted=level.forgotten_predicted, forgotten_weight=level.forgotten_weight,
            return_odds=level.return_odds + learner.return_hazard * max(0, org_calls - level.calls_seen),
        )  # fmt: skip
    return model_id_to_evidence


def prediction_strength(evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> float:
    """Return n0, the observations the prediction is worth.

    It is less after a drift, growing back with the org's calls, and less the more was forgotten: with the
    past F = `weight_total` - `weight` it is scaled by min(1, remembered / (n0 + F)).
    """
    n0 = _fresh_strength(evidence, learner)
    if evidence is None:
        return n0
    past = evidence.weight_total - evidence.weight
    return n0 * _share(past, n0, learner) if 0.0 < past <= _MOST_OBSERVATIONS else n0


def _fresh_strength(evidence: Evidence | None, learner: Learner) -> float:
    if evidence is None or not evidence.drifts:
        return learner.n0
    since = max(0, evidence.calls_seen - evidence.drifted_at)
    return float(learner.n0 - (learner.n0 - learner.drifted_n0) * learner.gamma**since)


def usable_counts(evidence: Evidence | None) -> tuple[float, float]:
    """Return successes and failures; zeros when a count is impossible."""
    if evidence is None:
        return 0.0, 0.0
    counts = (evidence.successes, evidence.failures)
    possible = all(isfinite(count) and 0.0 <= count <= _MOST_OBSERVATIONS for count in counts)
    return counts if possible else (0.0, 0.0)


def offset_posterior(
    p: float, evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER
) -> tuple[float, float]:
    """Return mean and concentration of the belief about an arm predicted at `p` for this prompt.

    The evidence moves the prediction on the logit scale and leaves its dependence on the prompt in place:
    delta = logit((R + n0 p) / (n + n0)) - logit((Q + n0 p) / (n + n0)), mean = sigmoid(logit p + delta),
    concentration = min(kappa0 + n, kappa_max), with every probability clipped to [.02, .98].
    R, Q, n are the sums of rewards, predictions and observations, impossible ones counted as none; n0 as
    `prediction_strength`.
    """
    reward, predicted, weight = _usable_sums(evidence)
    n0 = prediction_strength(evidence, learner)
    return shifted(p, (reward, predicted, weight), n0), min(learner.kappa0 + weight, learner.kappa_max)


def concentration(evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> float:
    """Return how sure the belief of `offset_posterior` is, in observations."""
    return min(learner.kappa0 + _usable_sums(evidence)[2], learner.kappa_max)


def return_prob(evidence: Evidence | None) -> float:
    """Return the probability that an arm which became worse is as it was before; 0 where it never did."""
    if evidence is None or _usable_forgotten(evidence)[2] <= 0.0 or not evidence.return_odds >= 0.0:
        return 0.0
    return evidence.return_odds / (1.0 + evidence.return_odds) if isfinite(evidence.return_odds) else 0.0


def returned_posterior(
    p: float, evidence: Evidence, learner: Learner = DEFAULT_LEARNER
) -> tuple[float, float]:
    """Return mean and concentration of the belief about an arm if it is as it was before it became worse."""
    reward, predicted, weight = _usable_forgotten(evidence)
    share = min(1.0, learner.remembered / weight)
    mean = shifted(p, (share * reward, share * predicted, share * weight), learner.drifted_n0)
    return mean, learner.kappa0 + share * weight


def _usable_forgotten(evidence: Evidence) -> Sums:
    return _usable(evidence.forgotten_reward, evidence.forgotten_predicted, evidence.forgotten_weight)


def belief_mean(p: float, evidence: Evidence | None, learner: Learner = DEFAULT_LEARNER) -> float:
    """Return the mean of the belief that `draw` draws from: both posteriors where the arm may have been repaired."""
    mean, chance = offset_posterior(p, evidence, learner)[0], return_prob(evidence)
    if evidence is None or chance == 0.0:
        return mean
    return (1.0 - chance) * mean + chance * returned_posterior(p, evidence, learner)[0]


def shifted(p: float, sums: Sums, n0: float) -> float:
    """Return the prediction `p` moved by evidence, as in `offset_posterior`."""
    reward, predicted, weight = sums
    total = weight + n0
    return sigmoid(logit(p) + logit((reward + n0 * p) / total) - logit((predicted + n0 * p) / total))


def draw(
    arms: Sequence[Arm],
    model_id_to_evidence: Mapping[str, Evidence],
    rng: np.random.Generator,
    draws: int,
    learner: Learner = DEFAULT_LEARNER,
) -> NDArray[np.float64]:
    """Draw the quality of each arm from its offset posterior; shape (draws, number of arms), in (0, 1).

    Of an arm that became worse, a draw believes with `return_prob` that it was repaired: so it is asked again some day,
    and what is then seen of it moves that probability by its likelihood ratio.
    """
    beliefs = [
        offset_posterior(arm.completion_prob, model_id_to_evidence.get(arm.model_id), learner.about(arm))
        for arm in arms
    ]
    mean, concentration = np.array(beliefs, dtype=np.float64).reshape(-1, 2).T
    drawn = rng.beta(concentration * mean, concentration * (1.0 - mean), size=(draws, len(arms)))
    for column, arm in enumerate(arms):
        evidence = model_id_to_evidence.get(arm.model_id)
        if evidence is None or (chance := return_prob(evidence)) == 0.0:
            continue
        level, sure = returned_posterior(arm.completion_prob, evidence, learner.about(arm))
        repaired = rng.beta(sure * level, sure * (1.0 - level), size=draws)
        drawn[:, column] = np.where(rng.random(draws) < chance, repaired, drawn[:, column])
    return drawn


def classic_posterior(arm: Arm, evidence: Evidence | None) -> Posterior:
    """Return Beta(2 p + successes, 2 (1 - p) + failures): each reward r adds r to alpha and 1 - r to beta."""
    return _counted(arm, evidence, CLASSIC_STRENGTH)


def classic_draw(
    arms: Sequence[Arm], model_id_to_evidence: Mapping[str, Evidence], rng: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    """Draw the quality of each arm from its classic posterior; shape (draws, number of arms), in [0, 1]."""
    beliefs = [classic_posterior(arm, model_id_to_evidence.get(arm.model_id)) for arm in arms]
    alpha, beta = [belief.alpha for belief in beliefs], [belief.beta for belief in beliefs]
    return rng.beta(alpha, beta, size=(draws, len(arms)))


def _counted(arm: Arm, evidence: Evidence | None, strength: float) -> Posterior:
    prior = strength * arm.completion_prob, strength * (1.0 - arm.completion_prob)
    return Posterior(arm.model_id, arm.tier, *prior, *usable_counts(evidence))
