"""The whole loop on recorded answers: select, judge, proceed, learn; and how soon it is as good as a fitted plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.drift import surprise
from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.likelihood import FAILED_CHECK, learning_weight, likelihood, posterior
from ...routing.belief.thompson import DEFAULT_LEARNER, Learner
from ...routing.plan.cascade import PlanPrices
from ...routing.plan.decide import proceed, select
from ...routing.plan.terms import Progress, Terms
from ...state.observations import Observation
from ...state.records import Arm
from ...state.types import TIERS
from ...state.working_memory import Decision
from ..evaluation.fit import Side as PanelSide
from ..evaluation.judged import PanelJudge, table_of
from .memory import Memory, arm_of
from .regret import Setting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

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
    fails: NDArray[np.bool_]
    """Whether each answer fails a free check: every answer is checked, and one that fails is not judged."""
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

    def terms(self, learner: Learner) -> Terms:
        """Return the terms of a balanced org."""
        return Terms(
            strategy="plan", prices=self.prices, reference_cost_nusd=round(self.frontier_usd * _NANO),
            reference_latency_ms=1.0, table=self.table, learner=learner,
        )  # fmt: skip


def loop_of(models: tuple[str, ...], side: PanelSide, judge: PanelJudge, rng: np.random.Generator) -> Loop:
    """Return a panel's side with its judge's scores drawn, and which answers fail a free check."""
    table = table_of(judge, side, rng)
    return Loop(
        models=models,
        probs=side.completion_probs,
        scores=side.scores,
        costs_usd=side.costs_usd,
        predicted_usd=side.predicted_costs_usd,
        bins=np.digitize(judge.scores(side, rng), np.asarray(table.edges)),
        fails=failed_checks(side.correct, rng),
        judge_usd=judge.price.cost_usd(side.input_tokens, side.output_tokens),
        table=table,
        frontier_usd=float(side.costs_usd[:, -1].mean()),
    )


def failed_checks(correct: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which answers fail a free check: of the wrong and of the right ones the shares of `likelihood`."""
    return np.asarray(rng.random(correct.shape) < np.where(correct > 0.0, FAILED_CHECK[0], FAILED_CHECK[1]))


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


def _run(loop: Loop, prior: str, rows: Ints, rng: np.random.Generator) -> Floats:
    """Return the utility of each call of one order, in points."""
    learns = prior in PRIORS
    constants = PRIORS.get("inverted" if prior == FIXED else prior)
    probs = loop.probs if constants is None else np.broadcast_to(np.array(constants), loop.probs.shape)
    loop = replace(loop, probs=probs)
    terms = loop.terms(DEFAULT_LEARNER if learns else _CERTAIN)
    terms = terms if learns else replace(terms, epsilon=0.0, audit_rate=0.0)
    return run_order([loop] * len(rows), rows, terms, rng, learns=learns)[0]


def run_order(
    loops: Sequence[Loop], rows: Ints, terms: Terms, rng: np.random.Generator, *, learns: bool = True
) -> tuple[Floats, Ints]:
    """Return of each call of one order the utility in points and the tier asked first.

    Parameters
    ----------
    loops
        The world as it is at each call.
    """
    memory = Memory(dict(zip(loops[0].models, TIERS, strict=True)), terms.learner)
    utility, tiers = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    for call, (loop, row) in enumerate(zip(loops, rows.tolist(), strict=True)):
        asked = Call(loop, row)
        first, seen = asked.play(memory, terms, rng, call)
        utility[call], tiers[call] = asked.utility, TIERS.index(first.tier)
        if learns and seen.teaches:
            teach(memory, asked.arms[tiers[call]], seen, loop.table, org_calls=call + 1)
    return utility, tiers


def teach(memory: Memory, arm: Arm, seen: Observation, table: JudgeTable, *, org_calls: int) -> bool:
    """Add what was seen of a first answer, as the serving node does; return whether its arm began anew."""
    if seen.outcome != "failed_check" and not table.is_trusted:
        return False
    expected = memory.expected(arm.model_id, arm.completion_prob)
    nats = None if expected is None else surprise(expected, likelihood(seen, table))
    return memory.add(arm.model_id, learning_weight(seen, table), arm.completion_prob, org_calls, nats)


class Call:
    """One prompt through the serving decision code, its answers taken from the recording."""

    def __init__(self, loop: Loop, row: int) -> None:
        self._loop, self._row = loop, row
        predicted = zip(loop.models, TIERS, loop.probs[row], loop.predicted_usd[row], strict=True)
        self.arms = [arm_of(model, tier, float(prob), float(usd)) for model, tier, prob, usd in predicted]
        self._spent_usd = 0.0
        self._held: list[tuple[float, float]] = []
        """Believed and recorded quality of each answer."""
        self._looks: list[tuple[int, Observation]] = []

    @property
    def utility(self) -> float:
        """Recorded quality of the answer believed best minus the price of all that was spent, in points."""
        quality = max(self._held)[1]
        return 100.0 * (quality - QUALITY_PRICE * self._spent_usd / self._loop.frontier_usd)

    @property
    def returned(self) -> tuple[int, int, Observation]:
        """Place among the answers and tier of the answer believed best, and what was seen of it."""
        best = self._held.index(max(self._held))
        return best, *self._looks[best]

    def play(
        self, memory: Memory, terms: Terms, rng: np.random.Generator, org_calls: int = 0
    ) -> tuple[Decision, Observation]:
        """Go through the call; return the first decision and what was seen of its answer."""
        first, beliefs = select(self.arms, memory.read(org_calls), terms, rng, draws=1)
        thetas = {name: belief.theta for name, belief in beliefs.items()}
        decision: Decision | None = first
        first_seen, climbs = self._ask(first, thetas), 0
        while decision is not None:
            believed = [quality for quality, _ in self._held]
            progress = Progress(
                thetas, believed, decision.tier, escalations_left=terms.max_escalations - climbs
            )
            decision = proceed(self.arms, progress, terms)
            if decision is not None:
                self._ask(decision, thetas)
                climbs += 1
        return first, first_seen

    def _ask(self, decision: Decision, thetas: Mapping[str, float]) -> Observation:
        """Buy an answer, check it, and buy a judgement where one is due and the checks passed."""
        column, loop = TIERS.index(decision.tier), self._loop
        self._spent_usd += float(loop.costs_usd[self._row, column])
        seen = self._look(decision, column)
        if seen.outcome == "scored":
            self._spent_usd += float(loop.judge_usd[self._row, column])
        believed = posterior(thetas[decision.model_id], likelihood(seen, loop.table))
        self._looks.append((column, seen))
        self._held.append((believed, float(loop.scores[self._row, column])))
        return seen

    def _look(self, decision: Decision, column: int) -> Observation:
        prob, is_due = decision.judge_prob, decision.is_judged
        if self._loop.fails[self._row, column]:
            return Observation("failed_check", None, 0.0, None, prob, is_due)
        if not is_due:
            return Observation("unseen", None, None, None, prob, is_due)
        return Observation("scored", int(self._loop.bins[self._row, column]), None, None, prob, is_due)
