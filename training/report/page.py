"""The page as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import pictures, sections
from .markup import Child, Safe, join, tag
from .method import everything, method, verifier
from .reading import panels_of, part
from .replay_sections import replay_sections
from .style import STYLE
from .summary import summary

_CHAPTERS = {
    "headline": "Result by panel",
    "frontier": "Cost and quality",
    "calibration": "Calibration",
    "baselines": "Baselines",
    "matched": "Best single model",
    "types": "Task types",
    "mix": "Who answers",
    "points": "Frozen points",
    "splits": "Splits",
    "verifier": "Verifier",
    "regret": "Learning",
    "drift": "Drift",
    "ladder": "Budget",
    "loop": "Loop",
    "method": "Method",
    "everything": "Every number",
}


def render(report: Mapping[str, Any], replay: Mapping[str, Any] | None = None) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    report
        What `x25 evaluate` writes, or a bare mapping of panel names to figures. Absent parts leave their section
        out.
    replay
        What `x25 replay` writes.
    """
    panels = panels_of(report)
    body = [
        summary(panels),
        sections.headline(panels),
        pictures.frontiers(panels),
        pictures.calibrations(panels),
        sections.baselines(panels),
        sections.matched(panels),
        sections.task_types(panels),
        pictures.mixes(panels),
        sections.points(panels),
        sections.splits(panels),
        verifier(report.get("verifier")),
        *(replay_sections(replay) if replay else ()),
        method(report),
        everything({**panels, **({"replay": replay} if replay else {})}),
    ]
    return "<!DOCTYPE html>\n" + _document([one for one in body if one is not None], _made(report))


def _document(body: list[Safe], made: str) -> Safe:
    chapters: list[Child] = [
        tag("a", title, href=f"#{key}")
        for key, title in _CHAPTERS.items()
        if any(f'id="{key}"' in one[:200] for one in body)
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", "x25 evaluation report"),
        # The style sheet is this package's own text and holds no character that ends it.
        tag("style", Safe(STYLE)),
    )
    top = tag("header", tag("h1", "What routing saves, and what it costs"), tag("p", made, class_="note"))
    navigation = tag("nav", *chapters, aria_label="Sections")
    return tag("html", head, tag("body", top, navigation, tag("main", join(body))), lang="en")


def _made(report: Mapping[str, Any]) -> str:
    encoder = report.get("encoder")
    named = part(report, "encoder").get("fingerprint", encoder) if encoder else None
    parts = [
        "x25 evaluation report",
        str(report["created_at"]) if report.get("created_at") else None,
        f"encoder {named}" if isinstance(named, str) else None,
    ]
    return " · ".join(one for one in parts if one)


def write_report(path: Path, report: Mapping[str, Any], replay: Mapping[str, Any] | None = None) -> None:
    """Write the page to a file, replacing what is there; its folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report, replay), encoding="utf-8")
