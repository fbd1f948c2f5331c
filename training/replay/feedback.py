"""What labels on a few calls are worth to an org whose judge is weak, and what harm they can do when they lie.

The judge is one that nobody measured: its scores are quantiles, read by the default table. From the call on at which
feedback opens, a share of the returned answers is labelled; what labels say is worked out by the serving functions.
Utility is quality less the price of all that was spent, in points, over the calls from then on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import erf, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import DEFAULT_TABLE
from ...routing.belief.label_evidence import NO_LABELS, OrgLabels, weigh_labels
from ...routing.belief.stage import FEEDBACK_STAGE, STAGE_STARTS
from ...routing.belief.thompson import DEFAULT_LEARNER
from ...routing.plan.terms import Terms
from ...state.label_counts import FAILED_CHECK, NO_FIRST_ANSWER, UNJUDGED, LabelCount
from ...state.observations import Observation
from ...state.records import Evidence
from ...state.types import TIERS
from ..evaluation.fit import Side
from ..evaluation.judging import JudgePrice, simulated_scores
from .loop import PRIORS, Call, Loop, failed_checks, teach
from .memory import CELL, Memory
from .regret import Setting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OPENS_AT = STAGE_STARTS[FEEDBACK_STAGE - 1]
WEAK, STRONG = 0.75, 0.95
"""AUC of the judge whose org is labelled, and of the one it is compared with."""
SHARE = 0.05
"""Share of the calls that is labelled."""
RESAMPLES = 2_000
_RIGHT_SHARE = 0.727
_JUDGE = "judge"
Say = Callable[[float, bool, np.random.Generator], float]
"""How right an answer is, whether it is of the model asked most, and chance: to what is said of it."""
LABELLERS: Mapping[str, Say] = {
    "honest": lambda right, _usual, _rng: right,
    "turned round": lambda right, _usual, _rng: 1.0 - right,
    "chance": lambda _right, _usual, rng: float(rng.random() < 0.5),
    "turned for one model": lambda right, usual, _rng: 1.0 - right if usual else right,
    "all bad": lambda _right, _usual, _rng: 0.0,
}


def unmeasured_loop(models: tuple[str, ...], side: Side, auc: float, rng: np.random.Generator) -> Loop:
    """Return a panel's side with a judge of this AUC, its scores quantiles of those of right and wrong answers."""
    shift = sqrt(2.0) * NormalDist().inv_cdf(auc)
    normal = np.vectorize(lambda x: 0.5 * (1.0 + erf(x / sqrt(2.0))))
    raw = 2.0 * np.arctanh(2.0 * simulated_scores(side.correct, auc, rng) - 1.0)
    scores = _RIGHT_SHARE * normal(raw - shift / 2.0) + (1.0 - _RIGHT_SHARE) * normal(raw + shift / 2.0)
    return Loop(
        models=models,
        probs=side.completion_probs,
        scores=side.scores,
        costs_usd=side.costs_usd,
        predicted_usd=side.predicted_costs_usd,
        bins=np.digitize(scores, DEFAULT_TABLE.edges),
        fails=failed_checks(side.correct, rng),
        judge_usd=JudgePrice().cost_usd(side.input_tokens, side.output_tokens),
        table=DEFAULT_TABLE,
        frontier_usd=float(side.costs_usd[:, -1].mean()),
    )


class LabelledMemory(Memory):
    """An org's evidence with what its labels say."""

    labels: OrgLabels = NO_LABELS

    def read(self, org_calls: int = 0) -> dict[str, Evidence]:
        """Return what selection reads, labels added."""
        return self.labels.added_to(super().read(org_calls), CELL)

    def weigh(self, counts: list[LabelCount]) -> None:
        """Read labels as the gateway does."""
        self.labels = weigh_labels(counts, DEFAULT_TABLE, self._pooled)


@dataclass
class LabelBook:
    """The labels of one order, added up as the store does."""

    counts: dict[tuple[str, str, int, int], tuple[float, float, float]] = field(default_factory=dict)

    def add(self, model_id: str, place: int, right: float, predicted: float | None) -> None:
        """Count one label; `predicted` is None of later answers."""
        epoch = NO_FIRST_ANSWER if predicted is None else 0
        key = (model_id, _JUDGE if place >= 0 else "", place, epoch)
        old = self.counts.get(key, (0.0, 0.0, 0.0))
        self.counts[key] = (old[0] + right, old[1] + 1.0 - right, old[2] + (predicted or 0.0))

    def all(self) -> list[LabelCount]:
        """Return the counts."""
        return [
            LabelCount(
                source="feedback", model_id=model_id, task_cell=CELL, judge=judge, place=place, epoch=epoch,
                right=right, wrong=wrong, predicted=predicted,
            )
            for (model_id, judge, place, epoch), (right, wrong, predicted) in self.counts.items()
        ]  # fmt: skip


def run_labelled(
    loop: Loop, rows: Ints, terms: Terms, rng: np.random.Generator, say: Say | None
) -> tuple[Floats, Ints]:
    """Return utility in points and the tier asked first of each call of one order; `say` None = nobody labels."""
    memory, book = LabelledMemory(dict(zip(loop.models, TIERS, strict=True)), terms.learner), LabelBook()
    utility, tiers = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    lots = np.random.default_rng(rng.integers(2**31))
    for call, row in enumerate(rows.tolist()):
        asked = Call(loop, row)
        first, seen = asked.play(memory, terms, rng, call)
        utility[call], tiers[call] = asked.utility, TIERS.index(first.tier)
        if seen.teaches:
            teach(memory, asked.arms[tiers[call]], seen, loop.table, org_calls=call + 1)
        if say is None or call < OPENS_AT or lots.random() >= SHARE:
            continue
        step, tier, look = asked.returned
        usual = tier == int(np.bincount(tiers[: call + 1], minlength=len(TIERS)).argmax())
        predicted = asked.arms[tier].completion_prob if step == 0 else None
        book.add(loop.models[tier], _place(look), say(float(loop.scores[row, tier]), usual, lots), predicted)
        memory.weigh(book.all())
        table = memory.labels.tables.get(_JUDGE, DEFAULT_TABLE)
        loop, terms = replace(loop, table=table), replace(terms, table=table)
    return utility, tiers


def _place(look: Observation) -> int:
    if look.outcome == "failed_check":
        return FAILED_CHECK
    return UNJUDGED if look.bin is None else look.bin


def measure_feedback(  # noqa: PLR0913 - one experiment, spelled out
    models: tuple[str, ...],
    side: Side,
    setting: Setting,
    calls: int,
    *,
    prior: str = "generic",
    climbs: int = 0,
) -> dict[str, Any]:
    """Return utilities by judge and labeller, what labellers add, and the share of the loss that honest ones recover.

    Differences are paired over orders and have 95 % intervals; the share is a ratio of means, its interval resampled.
    `climbs` is how often a call may go on to a dearer model: with 0 the judge teaches and does no more.
    """
    constants = PRIORS[prior]
    runs: dict[str, list[float]] = {"strong": [], "weak": [], **{name: [] for name in LABELLERS}}
    for order in range(setting.orders):
        rows = np.random.default_rng([setting.seed, 31, order]).integers(len(side.scores), size=calls)
        for name, values in runs.items():
            auc, say = (STRONG if name == "strong" else WEAK), LABELLERS.get(name)
            loop = unmeasured_loop(models, side, auc, np.random.default_rng([setting.seed, 32, order]))
            if constants is not None:
                loop = replace(loop, probs=np.broadcast_to(np.array(constants), loop.probs.shape))
            terms = replace(loop.terms(DEFAULT_LEARNER), max_escalations=climbs)
            lane = np.random.default_rng([setting.seed, 33, order])
            values.append(float(run_labelled(loop, rows, terms, lane, say)[0][OPENS_AT:].mean()))
        setting.tick(f"feedback {prior} {order}")
    utility = {name: np.array(values) for name, values in runs.items()}
    lost, gained = utility["strong"] - utility["weak"], utility["honest"] - utility["weak"]
    return {
        "utility": {name: round(float(values.mean()), 3) for name, values in utility.items()},
        "lost": _interval(lost),
        "added": {name: _interval(utility[name] - utility["weak"]) for name in LABELLERS},
        "recovered": _ratio(gained, lost),
    }


def _interval(values: Floats) -> dict[str, float]:
    reach = 1.959964 * float(values.std(ddof=1)) / sqrt(len(values)) if len(values) > 1 else float("nan")
    mean = float(values.mean())
    return {"mean": round(mean, 3), "low": round(mean - reach, 3), "high": round(mean + reach, 3)}


def _ratio(gained: Floats, lost: Floats) -> dict[str, float]:
    drawn = np.random.default_rng(0).integers(len(gained), size=(RESAMPLES, len(gained)))
    shares = gained[drawn].mean(axis=1) / lost[drawn].mean(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    share = float(gained.mean() / lost.mean())
    return {"share": round(share, 3), "low": round(float(low), 3), "high": round(float(high), 3)}
