"""What does `x25 evaluate` write? The whole evaluation as one JSON document."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ...state.errors import ConfigError
from ..data.design import EmbedsMany
from ..report.derived import matched_saving
from ..verifier.report import verifier_figures
from ..verifier.sides import FRONTIER
from .panels import BUNDLED_PANELS, Panel, load_panels
from .run import Request, evaluate_panel, steps_of
from .with_verifier import panel_with_verifier

SCHEMA = 1


def choose_panels(
    request: Request,
    names: Sequence[str] | None = None,
    folder: Path | None = None,
    *,
    only_recorded: bool = False,
) -> list[Panel]:
    """Return the panels of these names, or all whose outcomes are there; of the bundled folder unless another is named.

    `only_recorded` leaves out panels whose judge is simulated.

    Raises
    ------
    ConfigError
        If a panel is unknown, or none is left.
    """
    panels = load_panels(names, folder or BUNDLED_PANELS)
    if only_recorded:
        panels = [panel for panel in panels if panel.recorded_judge]
    if names is None:
        panels = [panel for panel in panels if request.has("outcomes", panel.source)]
    if not panels:
        raise ConfigError(
            "no panel is left to evaluate: expected outcomes of a panel's source in both folders"
        )
    return panels


def evaluate_panels(
    panels: Sequence[Panel],
    request: Request,
    encoder: EmbedsMany,
    *,
    with_verifier: bool = False,
    step: Callable[[str, int], None] = lambda _name, _total: None,
) -> dict[str, Any]:
    """Return the figures of these panels.

    `with_verifier` also measures the free verifier where answers were recorded. `step` is told the panel's name and
    how often it will be called for it.
    """
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "train": _described(request.train_dir, panels),
        "test": "group-safe split of train"
        if request.test_dir is None
        else _described(request.test_dir, panels),
        "seeds": request.seeds,
        "encoder": encoder.fingerprint,
        "panels": {},
    }
    for panel in panels:
        figures = evaluate_panel(panel, request, encoder, partial(step, panel.name, steps_of(request)))
        report["panels"][panel.name] = figures | {"matched_saving": asdict(matched_saving(figures))}
    if with_verifier:
        answered = [panel for panel in panels if request.has("responses", panel.source)]
        for name, figures in _with_verifier(answered, request, encoder, step):
            report["panels"][name]["verifier"] = figures
        sources = tuple(source for source in FRONTIER if source in {panel.source for panel in answered})
        if sources:
            report["verifier"] = verifier_figures(request.folders(encoder), sources)
    return report


def _with_verifier(
    panels: Sequence[Panel], request: Request, encoder: EmbedsMany, step: Callable[[str, int], None]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for panel in panels:
        yield panel.name, panel_with_verifier(panel, request, encoder)
        step(f"{panel.name}, verifier", 1)


def _described(folder: Path, panels: Sequence[Panel]) -> dict[str, str]:
    """Return the SHA-256 of each outcomes file read."""
    return {
        source: hashlib.sha256((folder / "outcomes" / f"{source}.parquet").read_bytes()).hexdigest()
        for source in sorted({panel.source for panel in panels})
    }
