"""What do the templates read? The figures of an evaluation and of a replay, their charts, and lists made of them."""

import json
from collections.abc import Mapping
from statistics import median
from typing import Any, get_args

from . import words
from .charts import calibration_chart, frontier_chart
from .derived import Kind, finding_of, large_cuts, match_of
from .reading import Figures, interval, is_judge_simulated, number, panels_of, part
from .replay_charts import drift_charts, ladder_chart, regret_chart


def context_of(report: Figures, replay: Figures) -> dict[str, Any]:
    """Return the names the templates know; whatever is absent is empty."""
    panels = panels_of(report)
    rungs = [rung for rung in replay.get("ladder") or () if number(rung, "ceiling_usd") is not None]
    regret, hidden = regret_chart(replay)
    charts = {
        kind: {name: chart for name, panel in panels.items() if (chart := draw(name, panel)) is not None}
        for kind, draw in (("frontier", frontier_chart), ("calibration", calibration_chart))
    }
    drift = {name: part(replay, "drift", name) for name in part(replay, "drift")}
    return {
        "report": report,
        "panels": panels,
        "said": _said(panels),
        "origin": {key: value for key, value in report.items() if key not in {"panels", "verifier"}},
        "replay": replay,
        "learners": sorted(
            part(replay, "regret"), key=lambda name: number(replay, "regret", name, "regret") or 0.0
        ),
        "drift_figures": {name: _figures_of(learners) for name, learners in drift.items()},
        "rungs": rungs,
        "loops": [
            table
            for panel in part(replay, "loop")
            for table in _loop_tables(panel, part(replay, "loop", panel))
        ],
        "everything_held": {**panels, **({"replay": replay} if replay else {})},
        "charts": {
            **charts,
            "regret": regret,
            "regret_hidden": hidden,
            "drift": {name: drift_charts(name, learners) for name, learners in drift.items()},
            "ladder": ladder_chart(rungs),
        },
    }


def _said(panels: Mapping[str, Figures]) -> dict[str, Any]:
    """Return the numbers of the first paragraph; `by_finding` holds the panels of each kind, by name."""
    by_finding: dict[Kind, dict[str, Figures]] = {kind: {} for kind in get_args(Kind)}
    for name, panel in panels.items():
        by_finding[finding_of(match_of(panel))][name] = panel
    matches = {name: match_of(panel) for name, panel in panels.items()}
    judged = [number(point, "judge_calls_per_request") for point in matches.values()]
    known = [calls for calls in judged if calls is not None]
    doubtful = [matches[name] for name in by_finding["unproven"]]
    bounds = [interval(point, "score_delta_points") for point in doubtful]
    unjudged = [part(panel, "operating_points", "prompt_only_match") for panel in panels.values()]
    tested: dict[str, float] = {}  # panels of one source share their prompts
    for name, panel in panels.items():
        source = str(panel.get("source", name))
        tested[source] = max(tested.get(source, 0.0), number(panel, "prompts", "test") or 0.0)
    return {
        "by_finding": by_finding,
        "simulated": sum(is_judge_simulated(panel) for panel in panels.values()),
        "judged": median(known) if known else None,
        "furthest": max(
            (abs(number(point, "score_delta_points", "value") or 0.0) for point in doubtful), default=None
        ),
        "worst": -min((low for low, _ in filter(None, bounds)), default=0.0),
        "unjudged": sum(bool(point) for point in unjudged),
        "unjudged_claims": sum(finding_of(point) == "claimed" for point in unjudged if point),
        "cuts": large_cuts(panels.values()),
        "tested": sum(tested.values()),
    }


def _figures_of(learners: Figures) -> list[str]:
    """Return the name of every figure of a drift but the curves."""
    return list(
        dict.fromkeys(key for learner in learners for key in part(learners, learner) if key != "curves")
    )


def _loop_tables(panel: str, held: Figures) -> list[tuple[str, list[str], dict[str, list[str]]]]:
    """Return title, windows of calls, and a row of cells a starting belief: utility, and distance to the ceiling."""
    levels = {name: part(held, name) for name in held if name != "below_ceiling" and part(held, name)}
    below = part(held, "below_ceiling")
    found = []
    for title, rows in ((f"{panel}: utility", levels), (f"{panel}: points below the ceiling ± s.e.", below)):
        windows = list(dict.fromkeys(window for name in rows for window in part(rows, name)))
        if windows:
            cells = {name: [_utility(rows, name, window) for window in windows] for name in rows}
            found.append((title, windows, cells))
    return found


def _utility(rows: Figures, name: str, window: str) -> str:
    value = part(rows, name).get(window)
    if isinstance(value, Mapping):
        return f"{words.signed(number(value, 'mean'))} ± {words.plain(number(value, 'se'), 1)}"
    return words.plain(number(rows, name, window), 1)


def flattened(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the leaves of nested figures as (path with dots, value as JSON without quotes); nothing for no mapping."""
    if isinstance(value, Mapping):
        return [
            leaf
            for key, inner in value.items()
            for leaf in flattened(inner, f"{path}.{key}" if path else str(key))
        ]
    return [(path, value if isinstance(value, str) else unrounded(value, None))] if path else []


def unrounded(value: Any, indent: int | None = 1) -> str:
    """Return figures as JSON."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)
