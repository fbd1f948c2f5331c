"""How does the report become one HTML file? Templates filled with figures and charts, nothing fetched."""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import derived, reading, words
from .context import context_of, flattened, unrounded
from .reading import number, part

NEEDED = ("jinja2", "matplotlib")
"""Libraries a report is made with; the train extra brings them."""
_TEMPLATES = Path(__file__).parent / "templates"


def render(report: Mapping[str, Any], replay: Mapping[str, Any] | None = None) -> str:
    """Return the report as one HTML page that needs nothing else.

    Parameters
    ----------
    report
        What `x25 evaluate` writes, or a bare mapping of panel names to figures. Absent parts leave their section
        out.
    replay
        What `x25 replay` writes.

    Raises
    ------
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    require_libraries()
    page: str = environment().get_template("page.jinja").render(context_of(report, replay or {}))
    return page


def write_report(path: Path, report: Mapping[str, Any], replay: Mapping[str, Any] | None = None) -> None:
    """Write the page to a file, replacing what is there; its folder is made where it is missing."""
    page = render(report, replay)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def require_libraries() -> None:
    """Refuse to begin what could not be finished; raises ModuleNotFoundError naming the extra."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ModuleNotFoundError(f"a report needs {' and '.join(missing)}: pip install 'x25[train]'")


@cache
def environment() -> Any:
    """Return the templates, with the words and the figures they may ask for."""
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415 - train extra

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= words.FILTERS
    environment.tests |= {
        "simulated": reading.is_judge_simulated,
        "compared": lambda panel: bool(part(panel, "baselines")),
        "answered": lambda panel: any(
            part(point, "tier_share") for point in reading.points_of(panel).values()
        ),
        "split": lambda panel: any(part(panel, "over_splits", point) for point in reading.points_of(panel)),
    }
    helpers = (
        reading.interval, number, part, reading.points_of, reading.tiers_of, reading.title_of, derived.finding_of,
        derived.match_of, derived.matched_saving, words.spread, flattened, unrounded,
    )  # fmt: skip
    environment.globals |= {one.__name__: one for one in helpers}
    environment.globals |= {
        name: getattr(derived, name) for name in ("LARGE_CUT", "MARK_COST_SAVE", "MARK_PERF_GAIN")
    }
    return environment
