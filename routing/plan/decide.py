"""From arms, evidence and prices to one decision: whom to ask first, and what to do after a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.records import Arm, Evidence
from ...state.types import TIERS
from ..belief.judge_table import JudgeTable
from ..belief.thompson import DEFAULT_LEARNER, Learner, classic_draw, draw
from .cascade import STOP, PlanPrices, PlanResult, plan
from .configs import Strategy
from .exploration import Chance, audit_rates, certain, untried_tiers
from .ladder import Ladder, climb
from .threshold import DEFAULT_RULE, ThresholdRule, choose_set

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decision:
    """The arm to ask next, whether its answer is to be judged, and why."""

    model_id: str
    tier: str
    judge: bool
    theta: float
    """Drawn quality of the arm."""
    value: float
    """Expected quality of the whole plan minus its prices; for the classic strategy the draw."""
    propensity: float
    """Probability that this arm was chosen."""
    judge_prob: float
    """Probability that the answer is judged, given the arm."""
    explored: bool
    """Whether the tier was chosen at random."""
    strategy: Strategy
    reason: str
    tier_to_model: dict[str, str]
    """The best arm of each tier in this draw."""
    audited: bool = False
    """Whether the answer was drawn at random to be judged; nothing seen of it afterwards changes that."""
    expected_cost_nusd: int = 0
    """What the chosen arm's answer was estimated to cost; reported against what it did cost."""

    def to_json(self) -> dict[str, Any]:
        """Return the decision as JSON values."""
        return asdict(self)


def _classic_moves(ladder: Ladder, *, can_judge: bool) -> PlanResult:
    """Return the highest draw of each row, judged wherever somebody can."""
    best = ladder.thetas.argmax(axis=1)
    return PlanResult(arm=best, judge=np.full(len(best), can_judge), value=ladder.thetas.max(axis=1))


_UNPRICED = PlanPrices(quality_price=0.0, latency_price=0.0, call_penalty=0.0)


def select(  # noqa: PLR0913 - everything the decision depends on comes in by the door
    arms: Sequence[Arm],
    evidence: Mapping[str, Evidence],
    *,
    strategy: Strategy,
    prices: PlanPrices,
    reference_cost_nusd: int,
    reference_latency_ms: float,
    table: JudgeTable | None,
    rng: np.random.Generator,
    learner: Learner = DEFAULT_LEARNER,
    epsilon: float = 0.03,
    audit_rate: float = 0.05,
    draws: int = 48,
    max_escalations: int = 2,
    rule: ThresholdRule = DEFAULT_RULE,
) -> tuple[Decision, dict[str, float]]:
    """Return the first decision of a call and its draw for each arm, by model id.

    The first of `draws` rows decides; all of them estimate the propensity. With probability `epsilon`, less
    where that would cost more than `EXPLORATION_BUDGET`, a tier chosen evenly is asked and judged instead;
    a call the plan would not judge is judged with probability
    `audit_rate`.

    Parameters
    ----------
    evidence
        What the org observed, by model id; an arm left out has none.
    reference_cost_nusd, reference_latency_ms
        The reference frontier model's for this request; costs and latencies are priced relative to them.
    table
        The judge, or None when no answer can be judged. One of too small an AUC is asked for audits only.
    max_escalations
        Most climbs after the first answer; with 0 nothing is planned beyond it.
    rule
        Knobs of the threshold strategy, which looks at predictions alone: no evidence, no chance, no judge.

    Raises
    ------
    ValueError
        If `arms` is empty.
    """
    if not arms:
        raise ValueError("select needs at least one arm, got none")
    if strategy == "threshold":
        decision = _by_threshold(arms, rule, reference_cost_nusd, reference_latency_ms)
        return decision, {arm.model_id: arm.completion_prob for arm in arms}
    reference = (reference_cost_nusd, reference_latency_ms)
    trusted = _trusted(table) if max_escalations else None
    if strategy == "classic":
        thetas = classic_draw(arms, evidence, rng, draws)
        ladder = climb(arms, thetas, _UNPRICED, (0, 0))
        moves = _classic_moves(ladder, can_judge=table is not None)
    else:
        thetas = draw(arms, evidence, rng, draws, learner)
        ladder = climb(arms, thetas, prices, reference)
        moves = plan(*ladder.sight, None, trusted, prices, max_moves=max_escalations + 1)
    can_judge = table is not None
    rates = audit_rates(arms, evidence, audit_rate, can_judge=can_judge)
    chance = Chance(epsilon, rates, can_judge, *untried_tiers(arms, evidence))
    decision = _decide(arms, ladder, moves, chance, rng, strategy=strategy)
    return decision, {arm.model_id: float(theta) for arm, theta in zip(arms, thetas[0], strict=True)}


def _by_threshold(
    arms: Sequence[Arm], rule: ThresholdRule, reference_cost_nusd: float, reference_latency_ms: float
) -> Decision:
    """Return the rule's choice of one arm, certain and unjudged; each tier's arm is its choice within the tier."""
    reference = {"reference_cost_nusd": reference_cost_nusd, "reference_latency_ms": reference_latency_ms}
    one = replace(rule, max_k=1)
    tier_to_model: dict[str, str] = {
        tier: choose_set(members, one, **reference).model_ids[0]
        for tier in TIERS
        if (members := [arm for arm in arms if arm.tier == tier])
    }
    model_id = choose_set(arms, one, **reference).model_ids[0]
    chosen = next(arm for arm in arms if arm.model_id == model_id)
    prob = chosen.completion_prob
    why = (
        f"cheapest that completes with at least {rule.completion_threshold:.2f}"
        if prob >= rule.completion_threshold
        else f"nobody completes with {rule.completion_threshold:.2f}; cheapest near the best"
    )
    return Decision(
        model_id=model_id,
        tier=chosen.tier,
        judge=False,
        theta=prob,
        value=prob,
        propensity=1.0,
        judge_prob=0.0,
        explored=False,
        strategy="threshold",
        reason=f"{chosen.tier}: {why} (predicted {prob:.3f}); the answer is not judged",
        tier_to_model=tier_to_model,
        expected_cost_nusd=chosen.expected_cost_nusd,
    )


def _trusted(table: JudgeTable | None) -> JudgeTable | None:
    return table if table is not None and table.is_trusted else None


def _decide(  # noqa: PLR0913 - one move and all it came from
    arms: Sequence[Arm],
    ladder: Ladder,
    moves: PlanResult,
    chance: Chance,
    rng: np.random.Generator,
    *,
    strategy: Strategy,
) -> Decision:
    """Return the first row's move, after exploration and audit."""
    exploring = chance.exploration(ladder, moves)
    reached = int(np.searchsorted(exploring[0].cumsum(), rng.random(), side="right"))
    explored = reached < len(ladder.tiers)
    column = reached if explored else int(moves.arm[0])
    index = int(ladder.arm_index[0, column])
    audited = bool(rng.random() < chance.audit_rates[index])
    judge = chance.can_judge if explored else bool(moves.judge[0]) or audited
    propensity, judge_prob = chance.propensity(ladder, moves, column, index, exploring)
    theta = float(ladder.thetas[0, column])
    value = theta if strategy == "classic" else float(moves.value[0])
    why = "chosen by chance to keep learning" if explored else _why(strategy, value)
    return Decision(
        model_id=arms[index].model_id,
        tier=arms[index].tier,
        judge=judge,
        theta=theta,
        value=value,
        propensity=propensity,
        judge_prob=judge_prob,
        explored=explored,
        strategy=strategy,
        reason=f"{ladder.tiers[column]}: {why} (draw {theta:.3f}); the answer is {'judged' if judge else 'not judged'}",
        tier_to_model=_tier_to_model(arms, ladder),
        audited=audited and judge,
        expected_cost_nusd=arms[index].expected_cost_nusd,
    )


def _why(strategy: Strategy, value: float) -> str:
    return "highest draw" if strategy == "classic" else f"best expected value {value:.3f}"


def _tier_to_model(arms: Sequence[Arm], ladder: Ladder) -> dict[str, str]:
    return {tier: arms[index].model_id for tier, index in zip(ladder.tiers, ladder.arm_index[0], strict=True)}


def proceed(  # noqa: PLR0913 - as for select
    arms: Sequence[Arm],
    thetas: Mapping[str, float],
    held: Sequence[float],
    *,
    strategy: Strategy,
    last_tier: str | None,
    last_score: float | None,
    prices: PlanPrices,
    reference_cost_nusd: int,
    reference_latency_ms: float,
    table: JudgeTable | None,
    bar: float = 0.7,
    escalations_left: int = 2,
    rule: ThresholdRule = DEFAULT_RULE,
) -> Decision | None:
    """Return the next decision after a verdict, or None to stop with the best answer held.

    The call's own draws are used again, so the outcome is certain: its propensity is 1. Only arms of a tier
    above `last_tier` are considered, all of them where it is None.

    Parameters
    ----------
    thetas
        This call's draw for each arm, by model id; an arm without one stands at its prediction.
    held
        Posterior quality of each answer held.
    last_score
        Score of the last verdict; None when there is none, which never makes the classic strategy climb.
    bar
        Score below which the classic strategy climbs.
    escalations_left
        Climbs the call may still make.
    rule
        Knobs of the threshold strategy, which never climbs: it goes on only while no answer is held.
    """
    lowest = 0 if last_tier is None else TIERS.index(last_tier) + 1
    higher = [arm for arm in arms if arm.rank >= lowest]
    if not higher or (held and escalations_left < 1):
        return None
    if strategy == "threshold":
        return None if held else _by_threshold(higher, rule, reference_cost_nusd, reference_latency_ms)
    row = np.array([[thetas.get(arm.model_id, arm.completion_prob) for arm in higher]])
    if strategy == "classic":
        return _proceed_classic(
            higher, row, is_climb=not held or (last_score is not None and last_score < bar), table=table
        )
    ladder = climb(higher, row, prices, (reference_cost_nusd, reference_latency_ms))
    best = None if not held else np.array([max(held)])
    moves_left = escalations_left if held else escalations_left + 1
    moves = plan(
        ladder.thetas, ladder.costs, ladder.latencies, best, _trusted(table), prices, max_moves=moves_left
    )
    if moves.arm[0] == STOP:
        return None
    return _decide(higher, ladder, moves, certain(higher), np.random.default_rng(0), strategy=strategy)


def _proceed_classic(
    higher: Sequence[Arm], row: Floats, *, is_climb: bool, table: JudgeTable | None
) -> Decision | None:
    """Return the best draw of the next tier up."""
    if not is_climb:
        return None
    ladder = climb(higher, row, _UNPRICED, (0, 0))
    moves = PlanResult(arm=np.array([0]), judge=np.array([table is not None]), value=ladder.thetas[:, 0])
    return _decide(higher, ladder, moves, certain(higher), np.random.default_rng(0), strategy="classic")
