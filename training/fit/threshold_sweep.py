"""What would the threshold rule have cost and completed? `x25 sweep-thresholds`, over a grid of thresholds.

Decided on estimates alone: mu of the completion model, and what a model's answers cost on the training side.
The realised cost of the model chosen is looked at only afterwards, for the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...routing.belief.irt import FormName
from ..data.metrics import bootstrap_ci, calibration_table
from .corpus import Corpus
from .irt import fit, form_mu, scores_of
from .irt_from_outcomes import Prepared, Step, TrainOptions, prepare

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CapabilityFrom = Literal["profiles", "datasets"]

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
MARGIN = 0.05
_SAME_PROB = 1e-12
_INTERVAL_SEED = 0


@dataclass(frozen=True)
class Candidates:
    """Who could have answered each prompt. Matrices have shape (prompts, models); NaN = no candidate."""

    mu: Floats
    estimated_usd: Floats
    completed: Floats
    realised_usd: Floats


@dataclass(frozen=True, slots=True)
class Grid:
    """What is swept, and with which predictions."""

    thresholds: Sequence[float] = THRESHOLDS
    margin: float = MARGIN
    """Where nobody reaches the threshold: how far below the best mu a cheaper model may be."""
    capability_from: CapabilityFrom = "profiles"
    """profiles: published benchmarks. datasets: what the model completed of the source's other tasks."""
    form: FormName = "estimated"

    def __post_init__(self) -> None:
        """Check ranges; raises ValueError naming the value that is out of range."""
        for value in (*self.thresholds, self.margin):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"expected thresholds and the margin in [0, 1], got {value}")
        if not self.thresholds:
            raise ValueError("expected at least one threshold, got none")


def sweep(options: TrainOptions, grid: Grid | None = None, step: Step | None = None) -> dict[str, Any]:
    """Fit on the training side and report the frontier, the baselines and the calibration on the held-out side.

    Raises
    ------
    ConfigError, FileNotFoundError
        As `prepare`.
    ValueError
        Also if no held-out prompt has two candidates.
    """
    grid = grid or Grid()
    data = prepare(options, step)
    train_capability, test_capability = capabilities_of(data, grid.capability_from)
    fitted = fit(data.train, data.train_design, train_capability, options.labels, data.anchors)
    difficulty = fitted.head.predict(data.test_design)
    mu = form_mu(fitted.forms[grid.form], test_capability, difficulty[data.test.prompt])
    candidates = candidates_of(data.test, mu, estimated_costs(data.train, data.test))
    known = np.isfinite(mu)
    return {
        "counts": data.counts,
        "form": grid.form,
        "capability_from": grid.capability_from,
        "fallback_quality_margin": grid.margin,
        "prompts": len(candidates.mu),
        "thresholds": [
            {
                "threshold": threshold,
                **outcome_of(candidates, choose(candidates, threshold, grid.margin), data.test),
            }
            for threshold in grid.thresholds
        ],
        "baselines": baselines(candidates, data.test),
        **scores_of(mu[known], data.test.completed[known]),
        "calibration": [one.as_dict() for one in calibration_table(mu[known], data.test.completed[known])],
    }


def capabilities_of(data: Prepared, capability_from: CapabilityFrom) -> tuple[Floats, Floats]:
    """Return the capability behind each answer of the training and of the held-out side."""
    if capability_from == "datasets":
        return data.train.own_capabilities(data.train), data.test.own_capabilities(data.train)
    return data.train.capabilities(data.profiles), data.test.capabilities(data.profiles)


def estimated_costs(train: Corpus, test: Corpus) -> Floats:
    """Return what each held-out answer is expected to cost, dollars, shape (answers,); NaN = no idea.

    The mean of the same model's answers in the same source on the training side, which is known before the call.
    """
    means: dict[tuple[str, str], float] = {}
    names = np.array(train.models)[train.model]
    sources = train.sources[train.prompt]
    priced = np.isfinite(train.cost_usd)
    for source in np.unique(sources):
        for name in np.unique(names[priced & (sources == source)]):
            part = priced & (sources == source) & (names == name)
            means[str(name), str(source)] = float(train.cost_usd[part].mean())
    keys = zip(np.array(test.models)[test.model], test.sources[test.prompt], strict=True)
    return np.array([means.get((str(name), str(source)), np.nan) for name, source in keys])


def candidates_of(test: Corpus, mu: Floats, estimated_usd: Floats) -> Candidates:
    """Return the candidates of the prompts that have at least two.

    A candidate's answer, its cost and an estimate of both are recorded; a model without a price is none, since
    nothing must pass as free.

    Raises
    ------
    ValueError
        If no prompt has two.
    """
    used = np.isfinite(mu) & np.isfinite(estimated_usd) & np.isfinite(test.cost_usd)
    shape = (len(test.texts), len(test.models))
    matrices = []
    for values in (mu, estimated_usd, test.completed, test.cost_usd):
        matrix = np.full(shape, np.nan)
        matrix[test.prompt[used], test.model[used]] = values[used]
        matrices.append(matrix)
    enough = np.isfinite(matrices[0]).sum(axis=1) >= 2
    if not enough.any():
        raise ValueError(
            "expected held-out prompts with at least 2 models of known capability and cost, got none"
        )
    return Candidates(*(matrix[enough] for matrix in matrices))


def choose(candidates: Candidates, threshold: float, margin: float = MARGIN) -> Ints:
    """Return the column of the model chosen for each prompt, shape (prompts,).

    `routing.plan.threshold` for all prompts at once: the cheapest with mu >= threshold, else the cheapest within the
    margin of the best; ties by mu.
    """
    mu = np.nan_to_num(candidates.mu, nan=-np.inf)
    best = mu.max(axis=1, keepdims=True)
    bar = np.where(best >= threshold, threshold, best - margin - _SAME_PROB)
    capable = mu >= bar
    cost = np.where(capable, np.nan_to_num(candidates.estimated_usd, nan=np.inf), np.inf)
    cheapest = cost == cost.min(axis=1, keepdims=True)
    chosen: Ints = np.where(capable & cheapest, mu, -np.inf).argmax(axis=1)
    return chosen


def outcome_of(candidates: Candidates, chosen: Ints, test: Corpus) -> dict[str, Any]:
    """Return what the chosen models completed and cost, with a 95 % interval, and how often each was chosen."""
    rows = np.arange(len(chosen))
    completed = candidates.completed[rows, chosen]
    low, high = bootstrap_ci(completed, np.random.default_rng(_INTERVAL_SEED), resamples=500)
    share = np.bincount(chosen, minlength=len(test.models)) / len(chosen)
    common = sorted(np.flatnonzero(share), key=lambda column: -share[column])
    return {
        "completion": round(float(completed.mean()), 4),
        "completion_interval": [round(low, 4), round(high, 4)],
        "average_cost_usd": float(candidates.realised_usd[rows, chosen].mean()),
        "average_decision_cost_usd": float(candidates.estimated_usd[rows, chosen].mean()),
        "mean_mu": round(float(candidates.mu[rows, chosen].mean()), 4),
        "chosen": {test.models[column]: round(float(share[column]), 4) for column in common},
        "models_with_a_tenth": int((share >= 0.1).sum()),
    }


def baselines(candidates: Candidates, test: Corpus) -> dict[str, Any]:
    """Return the same figures of the cheapest, the dearest, the likeliest and a random candidate, and an oracle."""
    cost = np.nan_to_num(candidates.estimated_usd, nan=np.inf)
    dear = np.nan_to_num(candidates.estimated_usd, nan=-np.inf)
    mu = np.nan_to_num(candidates.mu, nan=-np.inf)
    realised = np.nan_to_num(candidates.realised_usd, nan=np.inf)
    right = np.where(candidates.completed > 0.5, realised, np.inf)
    oracle = np.where(np.isfinite(right).any(axis=1), right.argmin(axis=1), realised.argmin(axis=1))
    columns = {
        "cheapest": cost.argmin(axis=1),
        "dearest": dear.argmax(axis=1),
        "likeliest": mu.argmax(axis=1),
    }
    report = {name: outcome_of(candidates, column, test) for name, column in columns.items()}
    report["oracle"] = outcome_of(candidates, oracle, test)
    report["random"] = {
        "completion": round(float(np.nanmean(candidates.completed, axis=1).mean()), 4),
        "average_cost_usd": float(np.nanmean(candidates.realised_usd, axis=1).mean()),
    }
    return report
