"""The whole evaluation as one JSON document."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ...state.errors import ConfigError
from ..data.design import EmbedsMany
from ..report.derived import matched_saving
from .panels import BUNDLED_PANELS, Panel, load_panels
from .run import Request, evaluate_panel, steps_of

SCHEMA = 1


def evaluate_panels(  # noqa: PLR0913 - what the command offers
    request: Request,
    encoder: EmbedsMany,
    names: Sequence[str] | None = None,
    panels_dir: Path | None = None,
    *,
    only_recorded: bool = False,
    with_verifier: bool = False,
    step: Callable[[str, int], None] = lambda _name, _total: None,
) -> dict[str, Any]:
    """Return the figures of all asked panels.

    `step` is told the panel's name and how often it will be called for it.

    Raises
    ------
    ConfigError
        If a panel is unknown, or none is left.
    """
    panels = load_panels(names, panels_dir or BUNDLED_PANELS)
    if only_recorded:
        panels = [panel for panel in panels if panel.recorded_judge]
    if names is None:
        panels = [panel for panel in panels if _is_there(panel, request)]
    if not panels:
        raise ConfigError(
            "no panel is left to evaluate: expected outcomes of a panel's source in both folders"
        )
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
        _add_verifier(report, panels, request, encoder, step)
    return report


def _add_verifier(
    report: dict[str, Any],
    panels: Sequence[Panel],
    request: Request,
    encoder: EmbedsMany,
    step: Callable[[str, int], None],
) -> None:
    """Add what the free verifier tells and saves, of panels and sources whose answers were recorded."""
    from ..verifier.report import verifier_figures  # noqa: PLC0415 - loads scikit-learn
    from ..verifier.sides import FRONTIER  # noqa: PLC0415
    from .verified_fit import has_answers  # noqa: PLC0415
    from .with_verifier import panel_with_verifier  # noqa: PLC0415

    answered = [panel for panel in panels if has_answers(panel, request)]
    for panel in answered:
        report["panels"][panel.name]["verifier"] = panel_with_verifier(panel, request, encoder)
        step(f"{panel.name}, verifier", 1)
    sources = tuple(source for source in FRONTIER if source in {panel.source for panel in answered})
    if sources:
        report["verifier"] = verifier_figures(
            request.train_dir, request.test_dir, sources, encoder=encoder, cache=request.cache
        )


def _is_there(panel: Panel, request: Request) -> bool:
    folders = [folder for folder in (request.train_dir, request.test_dir) if folder is not None]
    return all((folder / "outcomes" / f"{panel.source}.parquet").is_file() for folder in folders)


def _described(folder: Path, panels: Sequence[Panel]) -> dict[str, str]:
    """Return the SHA-256 of each outcomes file read."""
    return {
        source: hashlib.sha256((folder / "outcomes" / f"{source}.parquet").read_bytes()).hexdigest()
        for source in sorted({panel.source for panel in panels})
    }
