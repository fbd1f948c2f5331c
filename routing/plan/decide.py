"""From arms, evidence and prices to one decision: whom to ask first, and what to do after a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from ...state.answers import Belief
from ...state.records import Arm, Evidence
from ...state.types import TIERS
from ...state.working_memory import Decision, Strategy
from ..belief.judge_table import JudgeTable
from ..belief.thompson import belief_mean, classic_draw, classic_posterior, concentration, draw
from .cascade import STOP, PlanPrices, PlanResult, plan
from .exploration import Chance, audit_rates, certain, trial_rates, untried_tiers
from .ladder import Ladder, climb
from .sets import CandidateSet
from .terms import Progress, Terms
from .threshold import choose_set

Floats = NDArray[np.float64]


def _classic_actions(ladder: Ladder, *, can_judge: bool) -> PlanResult:
    """Return the highest draw of each row, judged wherever somebody can."""
    best = ladder.expected.argmax(axis=1)
    return PlanResult(arm=best, judge=np.full(len(best), can_judge), value=ladder.expected.max(axis=1))


_UNPRICED = PlanPrices(quality_price=0.0, latency_price=0.0, call_penalty=0.0)


def select(
    arms: Sequence[Arm],
    evidence: Mapping[str, Evidence],
    terms: Terms,
    rng: np.random.Generator,
    draws: int = 48,
) -> tuple[Decision, dict[str, Belief]]:
    """Return the first decision of a call, and what is believed of each arm with its draw, by model id.

    The first of `draws` rows decides; all of them estimate the propensity. With probability `epsilon`, less
    where that would cost more than `EXPLORATION_BUDGET`, a tier chosen evenly is asked and judged instead; under a
    bar a cheaper one that may meet it is asked more often (`trial_rates`). A call the plan would not judge is judged
    with probability `audit_rate`.

    Parameters
    ----------
    evidence
        What the org observed, by model id; an arm left out has none.

    Raises
    ------
    ValueError
        If `arms` is empty.
    """
    if not arms:
        raise ValueError("select needs at least one arm, got none")
    if terms.strategy == "threshold":
        certain_of = {arm.model_id: Belief(arm.completion_prob, arm.completion_prob) for arm in arms}
        return _by_threshold(arms, terms), certain_of
    if terms.strategy == "classic":
        thetas = classic_draw(arms, evidence, rng, draws)
        ladder = climb(arms, thetas, _UNPRICED, (0, 0))
        actions = _classic_actions(ladder, can_judge=terms.table is not None)
    else:
        thetas = draw(arms, evidence, rng, draws, terms.learner)
        ladder = climb(arms, thetas, terms.prices, terms.reference)
        trusted = terms.trusted_table if terms.max_escalations else None
        actions = plan(*ladder.sight, None, trusted, terms.prices, max_answers=terms.max_escalations + 1)
    rates, trials = audit_rates(arms, evidence, terms), trial_rates(arms, evidence, terms)
    chance = Chance(terms.epsilon, rates, terms.table is not None, *untried_tiers(arms, evidence), trials)
    decision = _decide(arms, ladder, actions, _Draw(chance, rng, terms.strategy, is_first=True))
    return decision, {
        arm.model_id: Belief(_mean(arm, evidence.get(arm.model_id), terms), float(theta))
        for arm, theta in zip(arms, thetas[0], strict=True)
    }


def _mean(arm: Arm, evidence: Evidence | None, terms: Terms) -> float:
    """Return the mean of the posterior an arm's draw comes from."""
    if terms.strategy == "classic":
        return classic_posterior(arm, evidence).mean
    return belief_mean(arm.completion_prob, evidence, terms.learner.about(arm))


def belief_strength(arm: Arm, evidence: Evidence | None, terms: Terms) -> float:
    """Return how sure the belief about an arm is, in observations; infinite where a prediction alone decides."""
    if terms.strategy == "threshold":
        return inf
    if terms.strategy == "classic":
        counted = classic_posterior(arm, evidence)
        return counted.alpha + counted.beta
    return concentration(evidence, terms.learner)


def _by_threshold(arms: Sequence[Arm], terms: Terms) -> Decision:
    """Return the rule's choice of one arm, certain and unjudged; each tier's arm is its choice within the tier."""
    rule, alone = terms.rule, replace(terms, rule=replace(terms.rule, max_k=1))
    tier_to_model: dict[str, str] = {
        tier: select_set(members, alone).model_ids[0]
        for tier in TIERS
        if (members := [arm for arm in arms if arm.tier == tier])
    }
    model_id = select_set(arms, alone).model_ids[0]
    chosen = next(arm for arm in arms if arm.model_id == model_id)
    prob = chosen.completion_prob * chosen.availability
    why = (
        f"cheapest that completes with at least {rule.completion_threshold:.2f}"
        if prob >= rule.completion_threshold
        else f"nobody completes with {rule.completion_threshold:.2f}; cheapest near the best"
    )
    return Decision(
        model_id=model_id,
        tier=chosen.tier,
        is_judged=False,
        theta=prob,
        value=prob,
        propensity=1.0,
        judge_prob=0.0,
        explored=False,
        strategy="threshold",
        reason=f"{chosen.tier}: {why} (predicted {prob:.3f}); the answer is not judged",
        tier_to_model=tier_to_model,
        expected_cost_nusd=chosen.expected_cost_nusd,
        arm_probs={arm.model_id: float(arm.model_id == model_id) for arm in arms},
    )


def select_set(arms: Sequence[Arm], terms: Terms) -> CandidateSet:
    """Return the models that the threshold rule asks together; where it asks one, the one that `select` chooses.

    An arm completes where it answers at all and the answer is good.
    """
    return choose_set(
        [replace(arm, completion_prob=arm.completion_prob * arm.availability) for arm in arms],
        terms.rule,
        reference_cost_nusd=terms.reference_cost_nusd,
        reference_latency_ms=terms.reference_latency_ms,
    )


@dataclass(frozen=True, slots=True)
class _Draw:
    """What a decision is drawn with."""

    chance: Chance
    rng: np.random.Generator
    strategy: Strategy
    is_first: bool = False
    """Whether a call begins with it, so that everybody's probability is kept."""


def _decide(arms: Sequence[Arm], ladder: Ladder, actions: PlanResult, drawn: _Draw) -> Decision:
    """Return the first row's action, after exploration and audit."""
    chance, rng, strategy = drawn.chance, drawn.rng, drawn.strategy
    exploring = chance.exploration(ladder, actions)
    reached = int(np.searchsorted(exploring[0].cumsum(), rng.random(), side="right"))
    explored = reached < len(ladder.tiers)
    column = reached if explored else int(actions.arm[0])
    index = int(ladder.arm_index[0, column])
    audited = bool(rng.random() < chance.audit_rates[index])
    judge = chance.can_judge if explored else bool(actions.judge[0]) or audited
    propensity, judge_prob = chance.propensity(ladder, actions, column, index, exploring)
    theta = float(ladder.thetas[0, column])
    value = theta if strategy == "classic" else float(actions.value[0])
    why = "chosen by chance to keep learning" if explored else _why(strategy, value)
    return Decision(
        model_id=arms[index].model_id,
        tier=arms[index].tier,
        is_judged=judge,
        theta=theta,
        value=value,
        propensity=propensity,
        judge_prob=judge_prob,
        explored=explored,
        strategy=strategy,
        reason=f"{ladder.tiers[column]}: {why} (draw {theta:.3f}); the answer is {'judged' if judge else 'not judged'}",
        tier_to_model=_tier_to_model(arms, ladder),
        audited=audited and judge,
        chance_judge_prob=chance.chance_judge_prob(ladder, actions, column, index, exploring),
        expected_cost_nusd=arms[index].expected_cost_nusd,
        arm_probs=_arm_probs(arms, chance.arm_probs(ladder, actions, len(arms), exploring))
        if drawn.is_first
        else {},
    )


def _arm_probs(arms: Sequence[Arm], probs: Floats) -> dict[str, float]:
    return {arm.model_id: prob for arm, prob in zip(arms, probs.tolist(), strict=True)}


def _why(strategy: Strategy, value: float) -> str:
    return "highest draw" if strategy == "classic" else f"best expected value {value:.3f}"


def _tier_to_model(arms: Sequence[Arm], ladder: Ladder) -> dict[str, str]:
    return {tier: arms[index].model_id for tier, index in zip(ladder.tiers, ladder.arm_index[0], strict=True)}


def proceed(arms: Sequence[Arm], progress: Progress, terms: Terms) -> Decision | None:
    """Return the next decision after a verdict or a failure, or None to stop with the best answer held.

    The call's own draws are used again, so the outcome is certain: its propensity is 1. The threshold strategy never
    climbs: it goes on only while no answer is held.
    """
    answer_beliefs, left = progress.answer_beliefs, progress.escalations_left
    last = -1 if progress.last_tier is None else TIERS.index(progress.last_tier)
    higher = [arm for arm in arms if arm.rank > last]
    if progress.is_unusable and (terms.strategy == "plan" or not higher):
        higher = [arm for arm in arms if arm.rank >= last]
    if not higher or (answer_beliefs and left < 1):
        return None
    if terms.strategy == "threshold":
        return None if answer_beliefs else _by_threshold(higher, terms)
    row = np.array([[progress.thetas.get(arm.model_id, arm.completion_prob) for arm in higher]])
    if terms.strategy == "classic":
        score = progress.last_score
        is_climb = not answer_beliefs or (score is not None and score < terms.bar)
        return _proceed_classic(higher, row, terms.table) if is_climb else None
    ladder = climb(higher, row, terms.prices, terms.reference)
    best_so_far = None if not answer_beliefs else np.array([max(answer_beliefs)])
    actions = plan(
        *ladder.sight,
        best_so_far,
        terms.trusted_table,
        terms.prices,
        max_answers=left if answer_beliefs else left + 1,
    )
    return (
        None if actions.arm[0] == STOP else _decide(higher, ladder, actions, _without_chance(higher, "plan"))
    )


def _proceed_classic(higher: Sequence[Arm], row: Floats, table: JudgeTable | None) -> Decision:
    """Return the best draw of the next tier up."""
    ladder = climb(higher, row, _UNPRICED, (0, 0))
    actions = PlanResult(arm=np.array([0]), judge=np.array([table is not None]), value=ladder.expected[:, 0])
    return _decide(higher, ladder, actions, _without_chance(higher, "classic"))


def _without_chance(arms: Sequence[Arm], strategy: Strategy) -> _Draw:
    return _Draw(certain(arms), np.random.default_rng(0), strategy)
