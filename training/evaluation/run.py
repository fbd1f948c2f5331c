"""What would routing have saved? Fit on train, freeze the operating points there, report on test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.judge_table import JudgeTable
from ..data.design import EmbedsMany
from ..data.metrics import auc
from ..data.recorded import Recorded, is_held_out
from ..data.sides import Divide, Folders
from .baselines import baselines
from .cascade import Problem
from .fit import PanelFit, family_of, fit_panel
from .judged import PanelJudge, panel_judge, problem_of, table_of, train_costs
from .measures import Result, by_task_type, summarise
from .panels import Panel
from .points import QUALITY_PRICES, Curve, Point, Policy, budget_point, match_point, policy_of, trace
from .predictions import prediction_figures

Floats = NDArray[np.float64]

TRAIN_DRAWS = 5
"""Draws of the judge's noise the operating point is chosen over."""
PROMPT_ONLY_SHARE = 0.468
"""Share of the frontier's cost at which prompt-only routing is compared."""


@dataclass(frozen=True)
class Request:
    """What is asked of an evaluation."""

    train_dir: Path
    test_dir: Path | None = None
    """Folder of held-out outcomes; None = a group-safe split of the train folder."""
    judge_auc: float | None = None
    """Replaces the judge each panel names."""
    seeds: int = 5
    """Splits where there is no test folder; draws of the judge's noise in any case."""
    cache: Path | None = None
    """Folder for designs already computed."""

    def folders(self, encoder: EmbedsMany) -> Folders:
        """Return where the outcomes are, read with this encoder."""
        return Folders(self.train_dir, self.test_dir, encoder, self.cache)

    def has(self, table: str, source: str) -> bool:
        """Return whether every folder holds this table of a source: "outcomes", "responses"."""
        folders = [folder for folder in (self.train_dir, self.test_dir) if folder is not None]
        return all((folder / table / f"{source}.parquet").is_file() for folder in folders)


def evaluate_panel(
    panel: Panel, request: Request, encoder: EmbedsMany, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return the figures of one panel: of the test folder, or of the first split with the mean over all.

    `step` is called `steps_of(request)` times.
    """
    splits = [0] if request.test_dir is not None else list(range(request.seeds))
    reports = []
    for seed in splits:
        fit = fit_split(panel, request, encoder, seed)
        reports.append(evaluate_fit(fit, request, seed, step))
    first = reports[0]
    if len(reports) > 1:
        first["over_splits"] = _over_splits(reports)
    return first


def steps_of(request: Request) -> int:
    """Return how often an evaluation of one panel reports progress."""
    splits = 1 if request.test_dir is not None else request.seeds
    return splits * 2 * len(QUALITY_PRICES)


def fit_split(panel: Panel, request: Request, encoder: EmbedsMany, seed: int) -> PanelFit:
    """Return the panel's heads, fitted on the train side of split `seed`."""
    return fit_panel(panel, *request.folders(encoder).sides(panel.source, _divider(panel, seed)), seed)


def _divider(panel: Panel, seed: int) -> Divide:
    """Return the test side: one group in five, and one family of templates in ten where families may be unseen."""

    def divide(recorded: Recorded) -> NDArray[np.bool_]:
        held_out = is_held_out(recorded.groups, seed)
        if panel.unseen_families:
            families = family_of(recorded.datasets)
            halves = is_held_out([f"family {family}" for family in families], seed)
            held_out |= halves & is_held_out([f"half {family}" for family in families], seed)
        return held_out

    return divide


def evaluate_fit(
    fit: PanelFit, request: Request, seed: int, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return the figures of one fitted panel."""
    rng = np.random.default_rng([seed, 25])
    panel = fit.panel
    judge = panel_judge(panel, request.judge_auc, request.train_dir)
    costs = train_costs(judge, fit.train)
    table = table_of(judge, fit.train, rng)
    on_train = [problem_of(fit.train, judge, table, costs, rng) for _ in range(TRAIN_DRAWS)]
    on_test = [problem_of(fit.test, judge, table, costs, rng) for _ in range(max(1, request.seeds))]
    curve = trace(on_train, policy_of(table), step=step)
    points = _points(fit, table, curve, trace(on_train[:1], policy_of(None), step=step))
    results = {
        point.name: Result.of([policy(problem, point.quality_price) for problem in on_test])
        for point, policy in points
    }
    predictions = prediction_figures(fit)
    return {
        "title": panel.title,
        "source": panel.source,
        "models": dict(panel.tiers),
        "prompts": {"train": len(fit.train), "test": len(fit.test)},
        "judge": _judge_figures(judge, table),
        **predictions.figures,
        "operating_points": {
            point.name: _frozen(point) | summarise(results[point.name], fit.test, rng) for point, _ in points
        },
        "by_task_type": by_task_type(results["match"], fit.test, rng),
        "baselines": baselines(fit, predictions.seed_probs, on_test[0], table, rng),
        "cost_error": _cost_error(fit),
        "curves": _curves(curve, on_test, table),
    }


def _points(fit: PanelFit, table: JudgeTable, judged: Curve, unjudged: Curve) -> list[tuple[Point, Policy]]:
    """Return the operating points, chosen on the train curves with and without a judge, and their policies."""
    panel = fit.panel
    score, cost = float(fit.train.scores[:, -1].mean()), float(fit.train.costs_usd[:, -1].mean())
    with_judge, without = policy_of(table), policy_of(None)
    return [
        (match_point(judged, score, panel.match_margin_points), with_judge),
        (budget_point(judged, panel.budget_share * cost), with_judge),
        (match_point(unjudged, score, 0.0, "prompt_only_match"), without),
        (budget_point(unjudged, PROMPT_ONLY_SHARE * cost, "prompt_only_budget"), without),
    ]


def _curves(train: Curve, on_test: Sequence[Problem], table: JudgeTable) -> dict[str, Any]:
    """Return the curves for pictures; those of test are hindsight, no point is chosen on them."""
    prices = QUALITY_PRICES[::2]
    return {
        "train": _curve(train),
        "test": _curve(trace(on_test[:2], policy_of(table), prices)),
        "test_prompt_only": _curve(trace(on_test[:1], policy_of(None), prices)),
    }


def _frozen(point: Point) -> dict[str, Any]:
    return {
        "quality_price": point.quality_price,
        "is_reached_on_train": point.is_reached,
        "train_score": point.train_score,
        "train_cost_usd_per_call": point.train_cost_usd,
    }


def _curve(curve: Curve) -> dict[str, list[float]]:
    return {
        "quality_price": curve.prices.tolist(),
        "score": curve.score.tolist(),
        "cost_usd_per_call": curve.cost_usd.tolist(),
    }


def _judge_figures(judge: PanelJudge, table: JudgeTable) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "description": judge.description,
        "table_auc": table.auc,
        "right": list(table.right),
        "wrong": list(table.wrong),
        "input_usd_per_mtok": judge.price.input_usd_per_mtok,
        "output_usd_per_mtok": judge.price.output_usd_per_mtok,
    }
    if judge.recorded is not None:
        figures["recorded_pairs"] = len(judge.recorded.score)
        figures["auc_at_reference_85"] = auc(judge.recorded.score, judge.recorded.reference >= 0.85)
    return figures


def _cost_error(fit: PanelFit) -> dict[str, float]:
    """Return, by tier, the median relative error of the expected cost of a call on test."""
    error = np.abs(fit.test.predicted_costs_usd / fit.test.costs_usd - 1.0)
    return {tier: float(value) for tier, value in zip(fit.panel.tiers, np.median(error, axis=0), strict=True)}


def _over_splits(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return mean and standard deviation over splits of each point's headline figures."""
    names = reports[0]["operating_points"]
    found: dict[str, Any] = {
        "splits": len(reports),
        "difficulty_pearson": _spread([report["difficulty_pearson"] for report in reports]),
        "ece": _spread([report["ece"] for report in reports]),
    }
    for name in names:
        points = [report["operating_points"][name] for report in reports]
        found[name] = {
            "score_delta_points": _spread([point["score_delta_points"]["value"] for point in points]),
            "cut": _spread([point["cut"]["value"] for point in points]),
            "over_static_mixture_points": _spread([point["over_static_mixture_points"] for point in points]),
        }
    return found


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "sd": float(np.std(values))}
