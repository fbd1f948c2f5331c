"""Refit an org's estimators on its own calls; what was fitted goes live only where it wins on calls held out.

The rule: on held-out calls the candidate's mean log loss of what was seen must be lower than that of what serves, by
more than one standard error of the paired difference (bootstrap over prompts). What serves an org without a version of
its own is the bundled estimators moved by evidence: each model's level is moved by the same training calls ("offsets").
Against the bundled estimators alone ("live" then) the mean must be lower too; against a version of its own that is
live, by one standard error as well. Everything is written into the org's audit chain; the former version can be
served again.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...nodes.org.judge_tables import read_labels
from ...providers.specs import ModelSpec
from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...routing.belief.org_model import KIND, Line, OrgModel, base_id
from ...routing.prompt.difficulty import DifficultyModel
from ...state.errors import ConfigError
from ...state.learning.artifacts import Artifact
from ...state.store import Store
from .calls import Known, OrgCalls, read_calls
from .fit import RIDGES, USUAL_SLOPE, Fitted, Seen, fit, fit_org, log_losses, start

Floats = NDArray[np.float64]

MOST_CALLS = 5_000
"""Calls read, the newest first."""
LEAST_TRAIN, LEAST_HELD_OUT = 80, 20
"""Answers below which nothing is fitted."""
LEAST_GAIN = 1e-4
"""Nats an answer; below this two fits are the same one."""
RESAMPLES = 500
Decision = Literal["live", "rejected", "too few calls"]


@dataclass(frozen=True, slots=True)
class Gain:
    """How much lower the candidate's log loss is than a rival's, nats an answer."""

    mean: float
    standard_error: float

    @property
    def is_won(self) -> bool:
        """Whether the gain is more than one standard error, and more than rounding makes."""
        return self.mean > max(self.standard_error, LEAST_GAIN)


@dataclass(frozen=True)
class Refit:
    """What a refit found and what became of it."""

    org: str
    decision: Decision
    version: int | None
    """None where nothing was fitted, or nothing was to be written."""
    metrics: dict[str, Any]


async def refit(  # noqa: PLR0913 - what a refit depends on
    store: Store,
    org: str,
    difficulty: DifficultyModel,
    specs: Mapping[str, ModelSpec],
    *,
    table: JudgeTable = DEFAULT_TABLE,
    ridges: Sequence[float] = RIDGES,
    dry_run: bool = False,
) -> Refit:
    """Fit on the org's own calls, compare on those held out, and put the winner live.

    The candidate is kept before it is decided about: a process that dies in between leaves what serves untouched.

    Parameters
    ----------
    difficulty
        The bundled model that serves.
    specs
        Known models by id.
    table
        Of judges that the org has not measured by labels.
    ridges
        Penalties to choose from, largest first.
    dry_run
        Fit and compare, write nothing.
    """
    calls = await read_log(store, org, difficulty, specs, table)
    metrics: dict[str, Any] = {
        "answers": len(calls.seen), "labelled": calls.labelled, "held_out": int(calls.held_out.sum()),
        "skipped": dict(calls.skipped),
    }  # fmt: skip
    if min(len(calls.seen) - metrics["held_out"] - LEAST_TRAIN, metrics["held_out"] - LEAST_HELD_OUT) < 0:
        return Refit(org, "too few calls", None, metrics)
    served = await store.artifacts.live(org, KIND)
    live = live_fit(served, difficulty, calls.seen)
    fitted, losses = fit_org(calls.seen.take(~calls.held_out), ridges)
    gains, figures = compare(fitted, live, calls)
    metrics |= figures | {
        "ridge": fitted.ridge if np.isfinite(fitted.ridge) else None,
        "cross_validation": losses,
    }
    is_better = has_won(gains, org_model_is_live=served is not None)
    decision: Decision = "live" if is_better else "rejected"
    if dry_run:
        return Refit(org, decision, None, metrics)
    ratios = restated(fitted, live, calls)
    kept = metrics | {"restated": [[cell, model_id, ratio] for (cell, model_id), ratio in ratios.items()]}
    parameters = json.dumps(org_model_of(fitted, calls.seen, difficulty).to_dict())
    candidate = await store.artifacts.add_candidate(org, KIND, parameters, kept)
    if is_better:
        await store.artifacts.go_live(candidate, ratios, {"metrics": metrics})
    else:
        await store.artifacts.reject(candidate, {"metrics": metrics})
    return Refit(org, decision, candidate.version, metrics)


async def read_log(
    store: Store, org: str, difficulty: DifficultyModel, specs: Mapping[str, ModelSpec], table: JudgeTable
) -> OrgCalls:
    """Return what the org's newest calls teach, with its labels and its judges as its labels measured them."""
    log, said = await store.calls.with_inputs(org, MOST_CALLS), await read_labels(org, store, table)
    words = await store.labels.of_answers(org, said.weight)
    labels = {call_id: word for (call_id, step), word in words.items() if step == 0}
    return read_calls(log, difficulty, Known(specs, labels, table, said.tables))


async def roll_back(store: Store, org: str) -> Artifact | None:
    """Serve the version before the live one again, None = the bundled estimators; predictions are restated back.

    Raises
    ------
    NotFound
        When no version is live.
    """
    live = await store.artifacts.live(org, KIND)
    ratios = live.metrics.get("restated", []) if live is not None else []
    back = {(str(cell), str(model_id)): 1.0 / float(ratio) for cell, model_id, ratio in ratios}
    return await store.artifacts.roll_back(org, KIND, back, {})


def org_model_of(fitted: Fitted, seen: Seen, difficulty: DifficultyModel) -> OrgModel:
    """Return what a fit says as the model that serves."""
    levels = {
        model_id: Line(float(level), float(slope))
        for model_id, level, slope in zip(seen.models, fitted.levels, fitted.slopes, strict=True)
    }
    return OrgModel(base_id(difficulty), fitted.shift, fitted.u.astype(np.float32), levels)


def live_fit(live: Artifact | None, difficulty: DifficultyModel, seen: Seen) -> Fitted:
    """Return what serves now as a fit: the org's live version, or the bundled estimators."""
    nothing = start(seen)
    if live is None:
        return nothing
    try:
        org_model = OrgModel.from_dict(json.loads(live.parameters))
        org_model.require_base(difficulty)
    except (ValueError, ConfigError):  # it does not serve either
        return nothing
    lines = [
        org_model.levels.get(model_id, Line(float(level), USUAL_SLOPE))
        for model_id, level in zip(seen.models, seen.start_levels, strict=True)
    ]
    return Fitted(
        org_model.shift, org_model.u.astype(np.float64), np.array([line.level for line in lines]),
        np.array([line.slope for line in lines]), np.inf,
    )  # fmt: skip


def compare(fitted: Fitted, live: Fitted, calls: OrgCalls) -> tuple[dict[str, Gain], dict[str, Any]]:
    """Return the candidate's gain over each rival on the calls held out, and the figures for the record."""
    held_out = calls.seen.take(calls.held_out)
    offsets = fit(calls.seen.take(~calls.held_out), np.inf, levels_only=True)
    loss = {
        name: log_losses(one.predict(held_out), held_out)
        for name, one in (("candidate", fitted), ("live", live), ("offsets", offsets))
    }
    gains = {name: gain_of(loss[name] - loss["candidate"], held_out.group) for name in ("live", "offsets")}
    return gains, {
        "log_loss": {name: round(float(values.mean()), 5) for name, values in loss.items()},
        "gain": {name: {key: round(x, 5) for key, x in asdict(gain).items()} for name, gain in gains.items()},
    }


def has_won(gains: Mapping[str, Gain], *, org_model_is_live: bool) -> bool:
    """Return whether a candidate goes live, by the rule at the head of this file."""
    beats_live = gains["live"].is_won if org_model_is_live else gains["live"].mean > LEAST_GAIN
    return gains["offsets"].is_won and beats_live


def gain_of(differences: Floats, groups: NDArray[np.str_]) -> Gain:
    """Return the mean of paired differences with its standard error, resampling prompts and not answers."""
    _, place = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(place, weights=differences), np.bincount(place)
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return Gain(float(differences.mean()), float(means.std()))


def restated(fitted: Fitted, live: Fitted, calls: OrgCalls) -> dict[tuple[str, str], float]:
    """Return by how much the candidate's predictions differ from those served: their ratio, by cell and model.

    Cell "*" holds the ratio over all cells.
    """
    new, old = fitted.predict(calls.seen), live.predict(calls.seen)
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row, cell in enumerate(calls.cells):
        model_id = calls.seen.models[calls.seen.model[row]]
        for place in (cell, "*"):
            sums[place, model_id][0] += new[row]
            sums[place, model_id][1] += old[row]
    return {key: round(mine / theirs, 6) for key, (mine, theirs) in sums.items()}
