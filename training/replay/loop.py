"""The whole loop on recorded answers: select, judge, proceed, learn; and how soon it is as good as a fitted plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.thompson import DEFAULT_LEARNER, Learner
from ...routing.plan.cascade import PlanPrices
from ...routing.plan.decide import proceed, select
from ...routing.plan.terms import Progress, Terms
from ...state.records import Arm
from ...state.types import TIERS
from ...state.working_memory import Decision
from ..evaluation.fit import Side as PanelSide
from ..evaluation.judged import PanelJudge, table_of
from .memory import Memory
from .regret import Setting

Floats = NDArray[np.float64]

WINDOWS = ((0, 50), (50, 100), (100, 200), (200, 500), (500, 1_500))
PRIORS: Mapping[str, tuple[float, float, float] | None] = {
    "warm": None,
    "generic": (0.60, 0.75, 0.85),
    "inverted": (0.90, 0.60, 0.60),
}
"""What is believed of the tiers before any evidence; None = the prompt model's predictions."""
CEILING, FIXED = "ceiling", "inverted, not learning"
QUALITY_PRICE = 0.10
"""Quality paid for a frontier call: balanced weights."""
_CERTAIN = Learner(kappa0=1e9, kappa_max=1e9)
_NANO = 1e9


@dataclass(frozen=True)
class Loop:
    """One panel as the loop meets it; matrices have shape (prompts, tiers)."""

    models: tuple[str, ...]
    probs: Floats
    scores: Floats
    costs_usd: Floats
    predicted_usd: Floats
    bins: NDArray[np.int64]
    """Bin of the judge's score of each answer, were it judged."""
    judge_usd: Floats
    table: JudgeTable
    frontier_usd: float
    """Mean cost of a frontier call: the unit of prices."""

    @cached_property
    def prices(self) -> PlanPrices:
        """Balanced prices without latency, which was not recorded."""
        return PlanPrices(
            quality_price=QUALITY_PRICE,
            latency_price=0.0,
            judge_cost=float(self.judge_usd.mean()) / self.frontier_usd,
        )

    @cached_property
    def weights(self) -> Floats:
        """Learning weight of each bin."""
        return self.table.reward_weights()


def loop_of(models: tuple[str, ...], side: PanelSide, judge: PanelJudge, rng: np.random.Generator) -> Loop:
    """Return a panel's side with its judge's scores drawn."""
    table = table_of(judge, side, rng)
    return Loop(
        models=models,
        probs=side.completion_probs,
        scores=side.scores,
        costs_usd=side.costs_usd,
        predicted_usd=side.predicted_costs_usd,
        bins=np.digitize(judge.scores(side, rng), np.asarray(table.edges)),
        judge_usd=judge.price.cost_usd(side.input_tokens, side.output_tokens),
        table=table,
        frontier_usd=float(side.costs_usd[:, -1].mean()),
    )


def measure_loop(loop: Loop, name: str, setting: Setting, calls: int) -> dict[str, Any]:
    """Return mean utility in points of each window of calls by prior, and how far it is below the ceiling.

    Utility is quality minus the price of what was spent, judge included, times 100. The ceiling plans on the
    prompt model's predictions, believes them, and neither explores nor learns. All priors meet the same prompts in
    the same orders; `se` is the standard error of a mean distance to the ceiling.
    """
    calls = min(calls, len(loop.scores))
    orders = [
        np.random.default_rng([setting.seed, 25, order]).permutation(len(loop.scores))[:calls]
        for order in range(setting.orders)
    ]
    runs = {}
    for prior in (CEILING, *PRIORS, FIXED):
        lanes = [
            _run(loop, prior, rows, np.random.default_rng([setting.seed, 26, order]))
            for order, rows in enumerate(orders)
        ]
        runs[prior] = np.stack(lanes)
        setting.tick(f"loop {name}: {prior}")
    windows = [window for window in WINDOWS if window[0] < calls]
    found: dict[str, Any] = {prior: _by_window(utility, windows) for prior, utility in runs.items()}
    found["below_ceiling"] = {
        prior: _gaps(runs[CEILING] - utility, windows) for prior, utility in runs.items() if prior != CEILING
    }
    return found


def _label(window: tuple[int, int]) -> str:
    return f"{window[0]}-{window[1]}"


def _by_window(utility: Floats, windows: list[tuple[int, int]]) -> dict[str, float]:
    return {_label(window): float(utility[:, slice(*window)].mean()) for window in windows}


def _gaps(gaps: Floats, windows: list[tuple[int, int]]) -> dict[str, dict[str, float]]:
    """Return mean distance and its standard error in each window."""
    parts = {_label(window): gaps[:, slice(*window)] for window in windows}
    return {
        label: {"mean": float(part.mean()), "se": float(part.std() / np.sqrt(part.size))}
        for label, part in parts.items()
    }


def _run(loop: Loop, prior: str, rows: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """Return the utility of each call of one order, in points."""
    learns = prior in PRIORS
    constants = PRIORS.get("inverted" if prior == FIXED else prior)
    probs = loop.probs if constants is None else np.broadcast_to(np.array(constants), loop.probs.shape)
    learner = DEFAULT_LEARNER if learns else _CERTAIN
    memory = Memory(dict(zip(loop.models, TIERS, strict=True)), learner)
    terms = Terms(
        strategy="plan", prices=loop.prices, reference_cost_nusd=round(loop.frontier_usd * _NANO),
        reference_latency_ms=1.0, table=loop.table, learner=learner,
    )  # fmt: skip
    terms = terms if learns else replace(terms, epsilon=0.0, audit_rate=0.0)
    utility = np.empty(len(rows))
    for call, row in enumerate(rows):
        asked = Call(loop, int(row), probs[row])
        first, bin_seen = asked.play(memory, terms, rng)
        utility[call] = asked.utility
        if learns and bin_seen is not None:
            reward = float(loop.weights[bin_seen])
            memory.add(first.model_id, reward, float(probs[row, TIERS.index(first.tier)]), call + 1)
    return utility


class Call:
    """One prompt through the serving decision code, its answers taken from the recording."""

    def __init__(self, loop: Loop, row: int, probs: Floats) -> None:
        self._loop, self._row = loop, row
        self._arms = [
            _arm(model, tier, float(usd), float(prob))
            for model, tier, usd, prob in zip(loop.models, TIERS, loop.predicted_usd[row], probs, strict=True)
        ]
        self._spent_usd = 0.0
        self._held: list[tuple[float, float]] = []
        """Believed and recorded quality of each answer."""

    @property
    def utility(self) -> float:
        """Recorded quality of the answer believed best minus the price of all that was spent, in points."""
        quality = max(self._held)[1]
        return 100.0 * (quality - QUALITY_PRICE * self._spent_usd / self._loop.frontier_usd)

    def play(self, memory: Memory, terms: Terms, rng: np.random.Generator) -> tuple[Decision, int | None]:
        """Go through the call; return the first decision and the bin its answer was judged into, if it was."""
        first, beliefs = select(self._arms, memory.read(), terms, rng, draws=1)
        thetas = {name: belief.theta for name, belief in beliefs.items()}
        decision: Decision | None = first
        seen = self._ask(first, thetas)
        first_bin, climbs = seen, 0
        while decision is not None:
            believed = [quality for quality, _ in self._held]
            progress = Progress(thetas, believed, decision.tier, escalations_left=2 - climbs)
            decision = proceed(self._arms, progress, terms)
            if decision is not None:
                self._ask(decision, thetas)
                climbs += 1
        return first, first_bin

    def _ask(self, decision: Decision, thetas: Mapping[str, float]) -> int | None:
        """Buy an answer, and a judgement where one is due; return its bin."""
        column = TIERS.index(decision.tier)
        theta, score = thetas[decision.model_id], float(self._loop.scores[self._row, column])
        self._spent_usd += float(self._loop.costs_usd[self._row, column])
        if not decision.is_judged:
            self._held.append((theta, score))
            return None
        self._spent_usd += float(self._loop.judge_usd[self._row, column])
        seen = int(self._loop.bins[self._row, column])
        self._held.append((self._loop.table.posterior(theta, seen), score))
        return seen


def _arm(model_id: str, tier: str, usd: float, prob: float) -> Arm:
    return Arm(
        model_id=model_id, provider="", tier=tier, expected_cost_nusd=round(usd * _NANO), expected_latency_ms=0.0,
        completion_prob=prob, input_usd_per_mtok=0.0, output_usd_per_mtok=0.0, context_tokens=1_000_000,
        max_output_tokens=1_000_000,
    )  # fmt: skip
