"""A panel's judge: draws scores for recorded answers and turns one side of a split into a problem to plan over."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from .cascade import Problem
from .fit import Side
from .judging import JudgePrice, RecordedJudge, fit_table, read_recorded_judge, simulated_scores
from .panels import Panel

Floats = NDArray[np.float64]

REFERENCE_JUDGE = "deepseek/deepseek-r1"
"""Whose ratings are the recorded quality where quality is a rating."""
RECORDED_PRICE = JudgePrice(input_usd_per_mtok=0.40, output_usd_per_mtok=1.60)
"""List price of gpt-4.1-mini, the judge whose noise is resampled."""


@dataclass(frozen=True)
class PanelJudge:
    """Who looks at answers, how well, and for how much."""

    auc: float | None
    """Strength of a simulated judge; None where `recorded` is resampled."""
    recorded: RecordedJudge | None = None
    price: JudgePrice = field(default_factory=JudgePrice)

    @property
    def description(self) -> str:
        """One line for reports."""
        if self.auc is None:
            return "recorded noise of a judge, resampled"
        return f"simulated judge of AUC {self.auc:g}"

    def scores(self, side: Side, rng: np.random.Generator) -> Floats:
        """Return a score of every answer, shape (prompts, tiers)."""
        if self.recorded is not None:
            return self.recorded.resample(side.scores, rng)
        assert self.auc is not None
        return simulated_scores(side.correct, self.auc, rng)


def panel_judge(panel: Panel, judge_auc: float | None, data_dir: Path) -> PanelJudge:
    """Return the judge a panel names, or a simulated one of `judge_auc` where that is given.

    Raises
    ------
    FileNotFoundError, ValueError
        If the panel names a recorded judge the data lacks.
    """
    if judge_auc is not None:
        return PanelJudge(auc=judge_auc)
    if not panel.recorded_judge:
        return PanelJudge(auc=panel.judge_auc)
    recorded = read_recorded_judge(data_dir, panel.source, panel.recorded_judge, REFERENCE_JUDGE)
    return PanelJudge(auc=None, recorded=recorded, price=RECORDED_PRICE)


def table_of(judge: PanelJudge, train: Side, rng: np.random.Generator) -> JudgeTable:
    """Return the judge's table as labelled answers of the train side give it."""
    return fit_table(judge.scores(train, rng), train.scores, judge.description)


@dataclass(frozen=True, slots=True)
class TrainCosts:
    """Mean costs on **train**: what decisions know of cost beside the heads' predictions."""

    frontier_usd: float
    """Of the frontier's call, the unit of all costs in decisions."""
    judge_usd: float
    """Of a judgement."""


def train_costs(judge: PanelJudge, train: Side) -> TrainCosts:
    """Return the mean costs of the train side."""
    judgements = judge.price.cost_usd(train.input_tokens, train.output_tokens)
    return TrainCosts(float(train.costs_usd[:, -1].mean()), float(judgements.mean()))


def problem_of(
    side: Side, judge: PanelJudge, table: JudgeTable, costs: TrainCosts, rng: np.random.Generator
) -> Problem:
    """Return one side as a problem, with freshly drawn judge's scores."""
    judge_costs = judge.price.cost_usd(side.input_tokens, side.output_tokens)
    return Problem(
        thetas=side.completion_probs,
        predicted_costs=side.predicted_costs_usd / costs.frontier_usd,
        scores=side.scores,
        costs_usd=side.costs_usd,
        bins=np.digitize(judge.scores(side, rng), np.asarray(table.edges)),
        judge_costs_usd=judge_costs,
        judge_cost=costs.judge_usd / costs.frontier_usd,
    )
