"""From arms, evidence and prices to one decision: whom to ask first, and what to do after a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..state.records import Arm, Evidence
from ..state.types import TIERS
from .cascade import STOP, PlanPrices, PlanResult, plan
from .configs import Strategy
from .judge_table import JudgeTable
from .thompson import DEFAULT_LEARNER, Learner, classic_draw, draw

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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

    def to_json(self) -> dict[str, Any]:
        """Return the decision as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Draws grouped by tier: K columns in ladder order, D rows; `arm_index` points into the arms."""

    tiers: tuple[str, ...]
    arm_index: Ints
    thetas: Floats
    costs: Floats
    latencies: Floats


def _climb(
    arms: Sequence[Arm], thetas: Floats, prices: PlanPrices, reference: tuple[float, float]
) -> _Ladder:
    """Return the best arm of each tier in each draw: highest worth minus price."""
    cost_nusd, latency_ms = (max(value, 1.0) for value in reference)
    costs = np.array([arm.expected_cost_nusd for arm in arms]) / cost_nusd
    latencies = np.array([arm.expected_latency_ms for arm in arms]) / latency_ms
    gain = prices.worth(thetas) - prices.step_price(costs, latencies)
    tiers = tuple(tier for tier in TIERS if any(arm.tier == tier for arm in arms))
    columns = []
    for tier in tiers:
        members = np.flatnonzero([arm.tier == tier for arm in arms])
        columns.append(members[gain[:, members].argmax(axis=1)])
    arm_index = np.stack(columns, axis=1)
    return _Ladder(
        tiers, arm_index, np.take_along_axis(thetas, arm_index, 1), costs[arm_index], latencies[arm_index]
    )


def _classic_moves(ladder: _Ladder, *, can_judge: bool) -> PlanResult:
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
    draws: int = 64,
    max_escalations: int = 2,
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

    Raises
    ------
    ValueError
        If `arms` is empty.
    """
    if not arms:
        raise ValueError("select needs at least one arm, got none")
    if strategy == "classic":
        thetas = classic_draw(arms, evidence, rng, draws)
        ladder = _climb(arms, thetas, _UNPRICED, (0, 0))
        moves = _classic_moves(ladder, can_judge=table is not None)
    else:
        thetas = draw(arms, evidence, rng, draws, learner)
        ladder = _climb(arms, thetas, prices, (reference_cost_nusd, reference_latency_ms))
        trusted = _trusted(table) if max_escalations else None
        moves = plan(
            ladder.thetas,
            ladder.costs,
            ladder.latencies,
            None,
            trusted,
            prices,
            max_moves=max_escalations + 1,
        )
    can_judge = table is not None
    chance = _Chance(epsilon, _audit_rates(arms, evidence, audit_rate, can_judge=can_judge), can_judge)
    decision = _decide(arms, ladder, moves, chance, rng, strategy=strategy)
    return decision, {arm.model_id: float(theta) for arm, theta in zip(arms, thetas[0], strict=True)}


def _trusted(table: JudgeTable | None) -> JudgeTable | None:
    return table if table is not None and table.is_trusted else None


EXPLORATION_BUDGET = 0.02
"""What exploring may add to the expected cost of the planned arms: where the planned tier is cheap, a random
one is dear. At prices of 1, 10 and 100, three calls in a hundred sent evenly to all tiers would double the bill
of the cheapest."""
COLD_WEIGHT = 50.0
"""Labelled first answers below which an arm is judged more often than the audit rate says: always at none, evenly
less up to here. An arm that is never looked at keeps its prior, right or wrong."""
LEAST_EXPLORATION = 0.02
"""Share of `epsilon` that is explored whatever it costs, so that no propensity ever reaches zero."""


@dataclass(frozen=True, slots=True)
class _Chance:
    """Deliberate chance in a decision."""

    epsilon: float
    audit_rates: tuple[float, ...]
    """Probability that an answer which the plan would not judge is judged all the same, by arm."""
    can_judge: bool

    def exploration(self, ladder: _Ladder, moves: PlanResult) -> Floats:
        """Return the probability of exploring in each draw, shape (D,)."""
        planned = np.take_along_axis(ladder.costs, moves.arm[:, None], 1)[:, 0]
        mean = np.maximum(ladder.costs.mean(axis=1), 1e-12)
        rate: Floats = EXPLORATION_BUDGET * planned / mean
        return rate.clip(LEAST_EXPLORATION * self.epsilon, self.epsilon)

    def propensity(self, ladder: _Ladder, moves: PlanResult, column: int, arm: int) -> tuple[float, float]:
        """Return P(arm chosen) and P(answer judged | arm chosen), over draws, exploration and audits."""
        epsilon = self.exploration(ladder, moves)
        chosen = np.take_along_axis(ladder.arm_index, moves.arm[:, None], 1)[:, 0] == arm
        planned = ((1.0 - epsilon) * chosen).mean()
        unseen = ((1.0 - epsilon) * (chosen & ~moves.judge)).mean()
        explored = (epsilon * (ladder.arm_index[:, column] == arm)).mean() / len(ladder.tiers)
        total = planned + explored
        unjudged = unseen * (1.0 - self.audit_rates[arm]) + (0.0 if self.can_judge else explored)
        return float(total), float(1.0 - unjudged / total)


def _audit_rates(
    arms: Sequence[Arm], evidence: Mapping[str, Evidence], audit_rate: float, *, can_judge: bool
) -> tuple[float, ...]:
    """Return each arm's audit rate: the asked one, more while the arm is cold; a rate of 0 switches audits off."""
    if not can_judge or audit_rate == 0.0:
        return (0.0,) * len(arms)
    weights = [evidence[arm.model_id].weight if arm.model_id in evidence else 0.0 for arm in arms]
    coldness = [min(1.0, max(0.0, 1.0 - weight / COLD_WEIGHT)) for weight in weights]
    return tuple(audit_rate + (1.0 - audit_rate) * cold for cold in coldness)


def _decide(  # noqa: PLR0913 - one move and all it came from
    arms: Sequence[Arm],
    ladder: _Ladder,
    moves: PlanResult,
    chance: _Chance,
    rng: np.random.Generator,
    *,
    strategy: Strategy,
) -> Decision:
    """Return the first row's move, after exploration and audit."""
    explored = bool(rng.random() < chance.exploration(ladder, moves)[0])
    column = int(rng.integers(len(ladder.tiers))) if explored else int(moves.arm[0])
    index = int(ladder.arm_index[0, column])
    audited = bool(rng.random() < chance.audit_rates[index])
    judge = chance.can_judge if explored else bool(moves.judge[0]) or audited
    propensity, judge_prob = chance.propensity(ladder, moves, column, index)
    theta = float(ladder.thetas[0, column])
    value = theta if strategy == "classic" else float(moves.value[0])
    why = "chosen at random to keep learning" if explored else _why(strategy, value)
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
    )


def _why(strategy: Strategy, value: float) -> str:
    return "highest draw" if strategy == "classic" else f"best expected value {value:.3f}"


def _tier_to_model(arms: Sequence[Arm], ladder: _Ladder) -> dict[str, str]:
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
    """
    lowest = 0 if last_tier is None else TIERS.index(last_tier) + 1
    higher = [arm for arm in arms if arm.rank >= lowest]
    if not higher or (held and escalations_left < 1):
        return None
    row = np.array([[thetas.get(arm.model_id, arm.completion_prob) for arm in higher]])
    if strategy == "classic":
        return _proceed_classic(
            higher, row, is_climb=not held or (last_score is not None and last_score < bar), table=table
        )
    ladder = _climb(higher, row, prices, (reference_cost_nusd, reference_latency_ms))
    best = None if not held else np.array([max(held)])
    moves_left = escalations_left if held else escalations_left + 1
    moves = plan(
        ladder.thetas, ladder.costs, ladder.latencies, best, _trusted(table), prices, max_moves=moves_left
    )
    if moves.arm[0] == STOP:
        return None
    return _decide(higher, ladder, moves, _certain(higher), np.random.default_rng(0), strategy=strategy)


def _proceed_classic(
    higher: Sequence[Arm], row: Floats, *, is_climb: bool, table: JudgeTable | None
) -> Decision | None:
    """Return the best draw of the next tier up."""
    if not is_climb:
        return None
    ladder = _climb(higher, row, _UNPRICED, (0, 0))
    moves = PlanResult(arm=np.array([0]), judge=np.array([table is not None]), value=ladder.thetas[:, 0])
    return _decide(higher, ladder, moves, _certain(higher), np.random.default_rng(0), strategy="classic")


def _certain(arms: Sequence[Arm]) -> _Chance:
    return _Chance(epsilon=0.0, audit_rates=(0.0,) * len(arms), can_judge=True)
