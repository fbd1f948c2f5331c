"""How fast an org's own calls teach its estimators: `python -m x25.training.org.report --data DIR --json OUT`.

A recorded source plays an org. Its bundled head is fitted on the **other** sources, as a new org's prompts are in
nobody's training data. Calls come in random order, each answered by one tier drawn evenly and looked at by a simulated
judge; the refit sees the judge's bins only. Everything is measured on the source's held-out prompts, on true outcomes.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import open_encoder
from ...routing.belief.completion import completion_prob
from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.org_model import move_inputs
from ...routing.prompt.difficulty import DifficultyModel
from ...routing.prompt.logistic import logit
from ...state.types import TIERS
from ..data.design import EmbedsMany, design_matrix
from ..data.metrics import auc, ece
from ..data.recorded import Recorded, is_held_out, read_recorded
from ..evaluation.cascade import Problem
from ..evaluation.judging import JudgePrice, fit_table, simulated_scores
from ..evaluation.panels import Panel, load_panels
from ..evaluation.points import QUALITY_PRICES, match_point, policy_of, trace
from ..fit.difficulty import Rows, fit, read_rows
from .calls import HELD_OUT_ONE_IN, OwnCalls
from .fit import RIDGES, Fitted, Seen, fit_own, start
from .fit import fit as fit_em
from .refit import compare, has_won

Floats = NDArray[np.float64]

PANELS = ("zeroeval", "mmlu_pro", "routerbench")
COUNTS = (200, 500, 1_000, 2_000)
JUDGE_AUC = 0.85
_PRICES = QUALITY_PRICES[::2]
_CEILING_ANSWERS = 6_000


@dataclass(frozen=True)
class Org:
    """A source playing an org."""

    train: Seen
    """Every prompt with every tier, the tier varying fastest; likelihoods still to be drawn."""
    test: Seen
    train_correct: Floats
    """Shape (prompts, tiers), as all that follow."""
    test_correct: Floats
    costs_usd: Floats
    judge_costs_usd: Floats
    mean_costs_usd: Floats
    """Of a call on train, shape (tiers,)."""


def judge_table(auc_of_judge: float = JUDGE_AUC, draws: int = 20_000) -> JudgeTable:
    """Return the table of the simulated judge, from answers half of which are right: a property of the judge."""
    right = (np.arange(draws) % 2).astype(np.float64)[:, None]
    scores = simulated_scores(right, auc_of_judge, np.random.default_rng(1))
    return fit_table(scores, right, f"simulated, AUC {auc_of_judge:g}", start=0.0)


def without_source(rows: Rows, source: str) -> Rows:
    """Return the rows of all other sources."""
    kept = rows.source != source
    return Rows(*(getattr(rows, name)[kept] for name in Rows.__dataclass_fields__))


def org_of(panel: Panel, recorded: Recorded, design: Floats, difficulty: DifficultyModel) -> Org:
    """Return the panel's prompts as an org's, over a difficulty model that has not seen them."""
    covered = panel.covers(recorded)
    held_out = is_held_out(recorded.groups)
    columns = recorded.columns(panel.models)
    sides = [np.flatnonzero(covered & side) for side in (~held_out, held_out)]
    train, test = (_answers(recorded, rows, design[rows], difficulty) for rows in sides)
    tokens = [
        np.nan_to_num(part[sides[1]][:, columns]) for part in (recorded.input_tokens, recorded.output_tokens)
    ]
    return Org(
        train=train,
        test=test,
        train_correct=recorded.correct[sides[0]][:, columns],
        test_correct=recorded.correct[sides[1]][:, columns],
        costs_usd=recorded.costs_usd[sides[1]][:, columns],
        judge_costs_usd=JudgePrice().cost_usd(*tokens),
        mean_costs_usd=recorded.costs_usd[sides[0]][:, columns].mean(axis=0),
    )


def _answers(
    recorded: Recorded, rows: NDArray[np.int64], design: Floats, difficulty: DifficultyModel
) -> Seen:
    tiers, ones = len(TIERS), np.ones(len(rows) * len(TIERS))
    levels = [logit(completion_prob(tier=tier, capability=None, difficulty=0.0)) for tier in TIERS]
    return Seen(
        z=np.repeat(move_inputs(difficulty, design), tiers, axis=0),
        bundled=np.repeat(difficulty.head.predict(design), tiers),
        model=np.tile(np.arange(tiers), len(rows)),
        right=ones,
        wrong=ones,
        group=np.repeat(recorded.groups[rows], tiers),
        models=TIERS,
        start_levels=np.array(levels),
    )


def judged_calls(org: Org, count: int, table: JudgeTable, rng: np.random.Generator) -> OwnCalls:
    """Return an org's first `count` calls as the log would hold them."""
    prompts = rng.permutation(len(org.train_correct))[:count]
    tier = rng.integers(len(TIERS), size=len(prompts))
    right = org.train_correct[prompts, tier]
    bins = np.digitize(simulated_scores(right[:, None], JUDGE_AUC, rng)[:, 0], table.edges)
    seen = replace(
        org.train.take(prompts * len(TIERS) + tier),
        right=np.asarray(table.right)[bins],
        wrong=np.asarray(table.wrong)[bins],
    )
    groups, place = np.unique(seen.group, return_inverse=True)
    held_out = (rng.permutation(len(groups)) % HELD_OUT_ONE_IN == 0)[place]
    return OwnCalls(seen, ["*"] * len(seen), held_out, len(seen), {})


def ceiling(org: Org, rng: np.random.Generator) -> Fitted:
    """Return the fit of the same form on the true outcomes of all tiers, at most `_CEILING_ANSWERS` of them."""
    right = org.train_correct.ravel()
    rows = rng.permutation(len(right))[:_CEILING_ANSWERS]
    return fit_own(replace(org.train, right=right, wrong=1.0 - right).take(rows), RIDGES[1:])[0]


def figures(fitted: Fitted, org: Org, table: JudgeTable, rng: np.random.Generator) -> dict[str, float]:
    """Return AUC, log loss and ECE averaged over tiers, and the cost of scoring as always-frontier does."""
    prob = fitted.predict(org.test).reshape(org.test_correct.shape)
    right = org.test_correct
    loss = -(right * np.log(prob) + (1.0 - right) * np.log(1.0 - prob))
    tiers = range(right.shape[1])
    return {
        "auc": float(np.mean([auc(prob[:, tier], right[:, tier]) for tier in tiers])),
        "log_loss": float(loss.mean()),
        "ece": float(np.mean([ece(prob[:, tier], right[:, tier]) for tier in tiers])),
        **_cost_at_equal_score(prob, org, table, rng),
    }


def _cost_at_equal_score(
    prob: Floats, org: Org, table: JudgeTable, rng: np.random.Generator
) -> dict[str, float]:
    """Choose the price of quality on one half of the held-out prompts and report on the other, both ways."""
    bins = np.digitize(simulated_scores(org.test_correct, JUDGE_AUC, rng), table.edges)
    frontier_usd = float(org.mean_costs_usd[-1])
    names, place = np.unique(org.test.group[:: len(TIERS)], return_inverse=True)
    first = (np.random.default_rng(3).permutation(len(names)) % 2 == 0)[place]
    halves = [
        Problem(
            thetas=prob[half],
            predicted_costs=np.tile(org.mean_costs_usd / frontier_usd, (int(half.sum()), 1)),
            scores=org.test_correct[half], costs_usd=org.costs_usd[half], bins=bins[half],
            judge_costs_usd=org.judge_costs_usd[half], judge_cost=float(org.judge_costs_usd.mean()) / frontier_usd,
        )
        for half in (first, ~first)
    ]  # fmt: skip
    policy, score, cost, frontier = policy_of(table), [], [], []
    for chosen_on, reported_on in (halves, halves[::-1]):
        curve = trace([chosen_on], policy, _PRICES)
        point = match_point(curve, float(chosen_on.scores[:, -1].mean()), 0.0)
        outcome = policy(reported_on, point.quality_price)
        score.append(outcome.score)
        cost.append(outcome.cost_usd)
        frontier.append(reported_on.costs_usd[:, -1])
    delta = np.concatenate(score).mean() - org.test_correct[:, -1].mean()
    return {
        "cost_share": float(np.concatenate(cost).mean() / np.concatenate(frontier).mean()),
        "score_delta_points": float(100.0 * delta),
    }


def learning_curve(org: Org, seeds: int = 3, counts: Sequence[int] = COUNTS) -> dict[str, Any]:
    """Return the figures of the bundled estimators, of offsets and of the refit at each count, and the ceiling."""
    table = judge_table()
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(seeds):
        found = {"bundled": start(org.test), "ceiling": ceiling(org, np.random.default_rng([seed, 7]))}
        lives = {}
        for count in counts:
            if count > len(org.train_correct):
                continue
            calls = judged_calls(org, count, table, np.random.default_rng([seed, count]))
            training = calls.seen.take(~calls.held_out)
            found[f"own {count}"], _ = fit_own(training)
            found[f"offsets {count}"] = fit_em(training, np.inf, levels_only=True)
            gains, _ = compare(found[f"own {count}"], start(calls.seen), calls)
            lives[f"own {count}"] = float(has_won(gains, own_is_live=False))
        for name, fitted in found.items():
            measured = figures(fitted, org, table, np.random.default_rng([seed, 9]))
            if name in lives:
                measured |= {"went_live": lives[name]}
            rows.setdefault(name, []).append(measured)
    return {name: _mean(measured) for name, measured in rows.items()}


def _mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {key: round(float(np.mean([row[key] for row in rows])), 4) for key in rows[0]}


def report(
    data_dir: Path, encoder: EmbedsMany, cache: Path | None, panels: Sequence[str] = PANELS, seeds: int = 3
) -> dict[str, Any]:
    """Return the learning curve of each panel's source."""
    rows = read_rows(data_dir, encoder, cache)
    found = {}
    for panel in load_panels(panels):
        recorded = read_recorded(data_dir, panel.source)
        difficulty = fit(without_source(rows, panel.source), encoder)
        org = org_of(panel, recorded, design_matrix(recorded.prompts, encoder, cache), difficulty)
        found[panel.name] = {
            "prompts": {"train": len(org.train_correct), "test": len(org.test_correct)},
            "curve": learning_curve(org, seeds),
        }
    return found


def show(found: Mapping[str, Any]) -> None:
    """Print a table a source."""
    for name, one in found.items():
        print(
            f"\n{name}: {one['prompts']['train']:,} prompts to learn from, {one['prompts']['test']:,} held out"
        )
        print(f"{'':<14}{'AUC':>7}{'log loss':>10}{'ECE':>7}{'cost %':>8}{'points':>8}{'live':>6}")
        for row, x in one["curve"].items():
            live = f"{x['went_live']:.2f}" if "went_live" in x else ""
            print(
                f"{row:<14}{x['auc']:>7.3f}{x['log_loss']:>10.4f}{x['ece']:>7.3f}{100 * x['cost_share']:>8.1f}"
                f"{x['score_delta_points']:>+8.1f}{live:>6}"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the learning curves and write them down."""
    parser = argparse.ArgumentParser(
        description="Learning curves of orgs' own estimators on recorded outcomes."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of recorded outcomes")
    parser.add_argument("--json", type=Path, default=None, help="write all figures here")
    parser.add_argument("--encoder", default="", help="as X25_ENCODER; the bundled one if none is named")
    parser.add_argument("--cache", type=Path, default=None, help="folder for inputs computed from prompts")
    parser.add_argument("--panel", action="append", default=None, help="panel to report, repeatable")
    parser.add_argument("--seeds", type=int, default=3, help="orders of the calls")
    options = parser.parse_args(arguments)
    encoder = open_encoder(options.encoder)
    found = report(options.data, encoder, options.cache, options.panel or PANELS, options.seeds)
    show(found)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
