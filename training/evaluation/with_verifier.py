"""What does the free verifier save a panel? Paid judgements, and money where no judge is asked at all."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...routing.answer.verifier_evidence import error_correlation
from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.judge_worth import tables_after_verifier
from ..data.design import EmbedsMany
from ..data.metrics import bootstrap_ci
from ..verifier.fit import log_odds
from .cascade import Outcome, Problem
from .judged import PanelJudge, TrainCosts, problem_of, train_costs
from .judging import fit_table
from .measures import RESAMPLES, Result, summarise
from .panels import Panel
from .points import Point, Policy, budget_point, match_point, plan_prices, policy_of, trace
from .run import Request
from .verified import AssessedProblem, Assessments, run_verified, verifier_tables_of
from .verified_fit import AssessedSide, VerifiedFit, fit_verified, judge_scores

Figures = dict[str, Any]

PRICES: tuple[float, ...] = tuple(np.geomspace(0.01, 2.0, 24).round(5))
"""Quality paid for one frontier call."""
TRAIN_DRAWS, TEST_DRAWS = 2, 4
"""Draws of the judge's noise that points are chosen over and measured on."""
SHARED = 0.2
JUDGES: dict[str, tuple[float, float]] = {"85": (0.85, 0.0), "85_shared": (0.85, SHARED), "75": (0.75, 0.0)}
"""Name → AUC, and the share of the judge's error variance that is the verifier's."""


@dataclass(frozen=True)
class JudgeSetting:
    """A simulated judge as train knows it."""

    auc: float
    shared: float
    """Share of its error variance that is the verifier's."""
    judge: PanelJudge
    costs: TrainCosts
    table: JudgeTable
    correlations: tuple[float, ...]
    """Per tier, of the errors of judge and verifier, as measured on train."""

    @classmethod
    def of(cls, fit: VerifiedFit, auc: float, shared: float, rng: np.random.Generator) -> "JudgeSetting":
        """Return the judge with the table and the correlations that the train side's labels give."""
        judge, side = PanelJudge(auc=auc), fit.train.side
        scores = judge_scores(fit.train, auc, rng, shared)
        correlations = tuple(
            error_correlation(fit.train.evidence[:, tier], log_odds(scores[:, tier]), side.correct[:, tier])
            for tier in range(scores.shape[1])
        )
        table = fit_table(scores, side.scores, judge.description)
        return cls(auc, shared, judge, train_costs(judge, side), table, correlations)

    def problem(
        self,
        assessed: AssessedSide,
        tables: Sequence[JudgeTable],
        rng: np.random.Generator,
        *,
        is_judged: bool,
    ) -> AssessedProblem:
        """Return one side with freshly drawn scores; `tables` are the verifier's, one a tier."""
        base = problem_of(assessed.side, self.judge, self.table, self.costs, rng)
        scores = judge_scores(assessed, self.auc, rng, self.shared)
        after = [
            tables_after_verifier(self.table, *one) for one in zip(tables, self.correlations, strict=True)
        ]
        known = {item.name: getattr(base, item.name) for item in fields(Problem)}
        known["bins"] = np.digitize(scores, np.asarray(self.table.edges))
        # Where a judge is asked this is the plan that serves, corrected by the verifier; alone the plan foresees it.
        both = verifier_tables_of(tables, after if is_judged else None)
        assessments = Assessments(both, assessed.bins, is_foreseen=not is_judged)
        return AssessedProblem(**known, assessments=assessments)


@dataclass(frozen=True)
class Sides:
    """The same policy's problems on both sides, one a draw of the judge's noise."""

    train: Sequence[Problem]
    test: Sequence[Problem]

    @classmethod
    def assessed(
        cls, fit: VerifiedFit, setting: JudgeSetting, rng: np.random.Generator, *, is_judged: bool
    ) -> "Sides":
        """Return both sides with what the verifier says; one draw is enough where no judge is asked."""
        draws = (TRAIN_DRAWS, TEST_DRAWS) if is_judged else (1, 1)
        train, test = (
            [setting.problem(side, fit.verdicts.tables, rng, is_judged=is_judged) for _ in range(times)]
            for side, times in zip((fit.train, fit.test), draws, strict=True)
        )
        return cls(train, test)


@dataclass(frozen=True)
class Measured:
    """One policy's frozen points with what came of them on test."""

    policy: Policy
    sides: Sides
    points: dict[str, Point]
    results: dict[str, Result]

    @classmethod
    def of(cls, fit: VerifiedFit, sides: Sides, policy: Policy) -> "Measured":
        """Choose the points on the train curve, then run them on test."""
        train, panel = fit.train.side, fit.panel
        curve = trace(sides.train, policy, PRICES)
        frontier, cost = float(train.scores[:, -1].mean()), float(train.costs_usd[:, -1].mean())
        points = [
            match_point(curve, frontier, panel.match_margin_points),
            match_point(curve, frontier, 0.0, "match_0"),
            budget_point(curve, panel.budget_share * cost),
        ]
        results = {point.name: _run(sides.test, policy, point.quality_price) for point in points}
        return cls(policy, sides, {point.name: point for point in points}, results)

    def figures(self, fit: VerifiedFit, rng: np.random.Generator) -> Figures:
        """Return each point's figures."""
        return {
            name: {
                "quality_price": point.quality_price,
                "is_reached_on_train": point.is_reached,
                "train_score": point.train_score,
                "train_cost_usd_per_call": point.train_cost_usd,
            }
            | summarise(self.results[name], fit.test.side, rng)
            for name, point in self.points.items()
        }


def _run(problems: Sequence[Problem], policy: Policy, price: float) -> Result:
    return Result.of([policy(problem, price) for problem in problems])


def panel_with_verifier(panel: Panel, request: Request, encoder: EmbedsMany, seed: int = 0) -> Figures:
    """Return what verifier alone, judge alone and both together score and cost, and the judgements saved.

    Operating points are frozen on train, where heads and verifier are out of fold.

    Raises
    ------
    FileNotFoundError
        If the answers of the panel's source were not recorded.
    """
    return figures_of(fit_verified(panel, request, encoder, seed), np.random.default_rng([seed, 26]))


def figures_of(fit: VerifiedFit, rng: np.random.Generator) -> Figures:
    """Return the figures of a fitted panel."""
    settings = {name: JudgeSetting.of(fit, auc, shared, rng) for name, (auc, shared) in JUDGES.items()}
    first = next(iter(settings.values()))
    unjudged = Sides.assessed(fit, first, rng, is_judged=False)
    alone = {
        name: Measured.of(fit, sides, _verified_policy(None)).figures(fit, rng)
        for name, sides in (
            ("verifier_alone", unjudged),
            ("verifier_alone_with_pairs", _with_pairs(fit, unjudged)),
        )
    }
    return {
        "prompts": {"train": len(fit.train.side), "test": len(fit.test.side)},
        "frontier_score": float(fit.test.side.scores[:, -1].mean()),
        "tiers": _tier_figures(fit),
        **alone,
        "judges": {name: _judge_figures(fit, setting, rng) for name, setting in settings.items()},
    }


def _tier_figures(fit: VerifiedFit) -> Figures:
    tiers = fit.verdicts.verifier.tiers
    return {
        tier: {
            "evidence_auc": tiers[model].fitted.auc,
            "audit_auc": tiers[model].audit_auc,
            "is_trusted": tiers[model].is_trusted,
        }
        for tier, model in fit.panel.tiers.items()
    }


def _verified_policy(table: JudgeTable | None) -> Policy:
    def policy(problem: Problem, price: float) -> Outcome:
        assert isinstance(problem, AssessedProblem)
        return run_verified(problem, table, plan_prices(price, problem))

    return policy


def _judge_figures(fit: VerifiedFit, setting: JudgeSetting, rng: np.random.Generator) -> Figures:
    both = Measured.of(
        fit, Sides.assessed(fit, setting, rng, is_judged=True), _verified_policy(setting.table)
    )
    # The same draws of the judge's noise, so that the difference is the verifier's.
    plain = Sides(*([_without_verifier(one) for one in side] for side in (both.sides.train, both.sides.test)))
    alone = Measured.of(fit, plain, policy_of(setting.table))
    return {
        "table_auc": setting.table.auc,
        "error_correlation": dict(zip(fit.panel.tiers, setting.correlations, strict=True)),
        "judge_alone": alone.figures(fit, rng),
        "with_verifier": both.figures(fit, rng),
        "saved": {
            name: _saved(alone.results[name], both.results[name], rng)
            | {"at_the_price_without": _saved(
                alone.results[name], _run(both.sides.test, both.policy, alone.points[name].quality_price), rng
            )}
            for name in alone.points
        },
    }  # fmt: skip


def _with_pairs(fit: VerifiedFit, sides: Sides) -> Sides:
    """Return the problems where two answers held are compared by the pair verifier."""
    train, test = (
        [
            replace(one, assessments=replace(one.assessments, pairs=side.pairs))
            for one in problems
            if isinstance(one, AssessedProblem)
        ]
        for problems, side in ((sides.train, fit.train), (sides.test, fit.test))
    )
    return Sides(train, test)


def _without_verifier(problem: Problem) -> Problem:
    return Problem(**{item.name: getattr(problem, item.name) for item in fields(Problem)})


def _saved(alone: Result, both: Result, rng: np.random.Generator) -> Figures:
    """Return the share of judgements saved and what that changed of the score, paired by prompt, in points."""
    change = both.score - alone.score
    low, high = bootstrap_ci(100.0 * change, rng, RESAMPLES)
    return {
        "judge_calls_share": 1.0 - both.judge_calls / alone.judge_calls if alone.judge_calls else 0.0,
        "score_change_points": {
            "value": 100.0 * float(change.mean()),
            "ci95": [low, high],
        },
        "cost_change": float(both.cost_usd.mean() / alone.cost_usd.mean()) - 1.0,
    }
