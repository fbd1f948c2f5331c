"""One replay of a folder of recorded outcomes: regret, ladder, drift and full loop in one JSON document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..data.design import EmbedsMany
from ..data.recorded import Recorded, read_recorded
from ..evaluation.judged import panel_judge
from ..evaluation.panels import load_panels
from ..evaluation.run import Request as PanelRequest
from ..evaluation.run import fit_split
from .drift import LEARNERS, SCENARIOS, measure_drift
from .feedback import measure_feedback
from .ladder import CEILINGS_USD, PUBLISHED_STREAM, measure_ladder
from .loop import CEILING, FIXED, PRIORS, loop_of, measure_loop
from .regret import Setting, learners, measure_regret
from .repair import LEARNERS as REPAIRED
from .repair import measure_repair
from .streams import Replayed, cold, complete, rotated, split, warmed

SOURCE = "paretobandit"
FEEDBACK_CALLS = 1_500
"""Calls of an org on which feedback is measured."""
NEWCOMER = "google/gemini-2.5-flash"

Step = Callable[[str, int, int], None]
"""Told the phase, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Request:
    """What is asked of a replay."""

    stream_dir: Path
    warm_dir: Path | None = None
    """Folder the prompt model is fitted on; None = cold. The stream's own folder is split, or rotated."""
    rotate: bool = False
    """Whether every prompt of the folder is streamed, as predicted by a fit on the folds it is not in."""
    source: str = SOURCE
    models: Sequence[str] = PUBLISHED_STREAM
    """Arms from the cheapest to the dearest."""
    newcomer: str | None = NEWCOMER
    """The arm that arrives in "new-model"; None leaves that scenario out."""
    orders: int = 20
    seed: int = 7
    ceilings_usd: Sequence[float] = CEILINGS_USD
    drifts: Sequence[str] = tuple(SCENARIOS)
    panels: Sequence[str] = ()
    """Tier panels the full loop is run on."""
    feedback: Sequence[str] = ()
    """Tier panels on which feedback is measured."""
    loop_orders: int = 20
    loop_calls: int = 500
    cache: Path | None = None

    def __post_init__(self) -> None:
        """Check what was asked before an hour is spent on it."""
        if self.orders < 1 or self.loop_orders < 1:
            raise ValueError("a replay needs at least one order")
        if len(self.models) < 2:
            raise ValueError(f"a replay needs at least two models to choose from, got {list(self.models)}")
        if unknown := [name for name in self.drifts if name not in SCENARIOS]:
            raise ValueError(f"unknown drift scenario {unknown[0]!r}; there are {', '.join(SCENARIOS)}")
        if any(usd <= 0.0 for usd in self.ceilings_usd):
            raise ValueError(f"a ceiling must be above 0, got {min(self.ceilings_usd)!r}")
        if self.rotate and self.warm_dir is not None and not self.is_one_folder:
            raise ValueError(
                "rotation fits on the stream's own folder: give --rotate or another --warm, not both"
            )

    @property
    def is_one_folder(self) -> bool:
        """Whether stream and warm side come from one folder."""
        return self.warm_dir is not None and self.warm_dir.resolve() == self.stream_dir.resolve()


def prepare(request: Request, encoder: EmbedsMany, models: Sequence[str]) -> Replayed:
    """Return the stream over these arms, warm or cold as asked.

    Raises
    ------
    FileNotFoundError
        If a folder lacks the source.
    ValueError
        If a model was not recorded, or no prompt was answered by all.
    """
    stream = _read(request, request.stream_dir, models)
    if request.rotate:
        return rotated(stream, models, encoder, request.cache)
    if request.warm_dir is None:
        return cold(stream, models, encoder, request.cache)
    if request.is_one_folder:
        return split(stream, models, encoder, request.cache)
    return warmed(stream, _read(request, request.warm_dir, models), models, encoder, request.cache)


def _read(request: Request, folder: Path, models: Sequence[str]) -> Recorded:
    found = complete(read_recorded(folder, request.source), models)
    if not len(found):
        raise ValueError(f"no prompt of {request.source!r} was answered by all of {', '.join(models)}")
    return found


def replay(request: Request, encoder: EmbedsMany, step: Step = lambda *_: None) -> dict[str, Any]:
    """Return all figures and curves as JSON values."""
    replayed = prepare(request, encoder, request.models)
    setting = _counted(request, "regret", len(learners(replayed, 1)), step)
    regret, curves = measure_regret(replayed, setting)
    setting = _counted(request, "ceilings", len(request.ceilings_usd), step)
    ladder = measure_ladder(replayed, tuple(request.ceilings_usd), setting)
    drift = _drift(request, encoder, replayed, step)
    settles, repairs = _loops(request, encoder, step)
    return {
        "stream": _described(request, replayed),
        "warm": None if replayed.warm is None else _warm(request, replayed),
        "orders": request.orders,
        "seed": request.seed,
        "encoder": encoder.fingerprint,
        "regret": regret,
        "ladder": ladder,
        "drift": drift,
        "loop": settles,
        "repair": repairs,
        "feedback": _feedback(request, encoder, step),
        "curves": curves,
    }


def _described(request: Request, replayed: Replayed) -> dict[str, Any]:
    side = replayed.stream
    return {
        "source": request.source,
        "models": list(side.models),
        "prompts": len(side),
        "duplicates_dropped": replayed.dropped,
        "mean_reward": dict(zip(side.models, side.rewards.mean(axis=0).tolist(), strict=True)),
        "mean_cost_usd": dict(zip(side.models, side.costs_usd.mean(axis=0).tolist(), strict=True)),
        "best_reward": float(side.best.mean()),
    }


def _warm(request: Request, replayed: Replayed) -> dict[str, Any]:
    assert replayed.warm is not None
    way = "rotation" if request.rotate else "split" if request.is_one_folder else "another folder"
    return {"way": way, "prompts": len(replayed.warm)}


def _drift(request: Request, encoder: EmbedsMany, replayed: Replayed, step: Step) -> dict[str, Any]:
    newcomer = None
    names = [name for name in request.drifts if not SCENARIOS[name].arrives or request.newcomer is not None]
    if request.newcomer is not None and any(SCENARIOS[name].arrives for name in names):
        newcomer = prepare(request, encoder, [*request.models, request.newcomer])
    setting = _counted(request, "drift", len(names) * len(LEARNERS), step)
    return measure_drift(replayed, newcomer, names, setting)


def _loops(request: Request, encoder: EmbedsMany, step: Step) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return by panel how soon the whole loop settles, and how it meets a model that breaks and is repaired."""
    settles, repairs = {}, {}
    for panel in load_panels(request.panels):
        folder = request.warm_dir or request.stream_dir
        fit = fit_split(panel, PanelRequest(folder, cache=request.cache), encoder, 0)
        judge, models = panel_judge(panel, None, folder), tuple(panel.models)
        loop = loop_of(models, fit.train, judge, np.random.default_rng([request.seed, 27]))
        setting = _counted(
            request, f"loop {panel.name}", len((CEILING, *PRIORS, FIXED)), step, request.loop_orders
        )
        settles[panel.name] = measure_loop(loop, panel.name, setting, request.loop_calls)
        setting = _counted(request, f"repair {panel.name}", 2 * len(REPAIRED), step, request.loop_orders)
        repairs[panel.name] = measure_repair(models, fit.train, judge, setting)
    return settles, repairs


def _feedback(request: Request, encoder: EmbedsMany, step: Step) -> dict[str, Any]:
    """Return by panel and prior what labels are worth: without climbing, where the judge teaches and does no more."""
    found: dict[str, Any] = {}
    for panel in load_panels(request.feedback):
        folder = request.warm_dir or request.stream_dir
        side = fit_split(panel, PanelRequest(folder, cache=request.cache), encoder, 0).train
        found[panel.name] = {}
        for prior in PRIORS:
            setting = _counted(
                request, f"feedback {panel.name} {prior}", request.loop_orders, step, request.loop_orders
            )
            found[panel.name][prior] = measure_feedback(
                tuple(panel.models), side, setting, FEEDBACK_CALLS, prior=prior
            )
    return found


def _counted(request: Request, phase: str, total: int, step: Step, orders: int | None = None) -> Setting:
    """Return a setting that counts the parts of a phase."""
    done = 0

    def tick(_: str) -> None:
        nonlocal done
        done += 1
        step(phase, done, total)

    step(phase, 0, total)
    return Setting(orders or request.orders, request.seed, tick)
