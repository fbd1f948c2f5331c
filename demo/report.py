"""A demo's report for people."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .figures import Estimate


def show(report: dict[str, Any], console: Console) -> None:
    """Print the report of `demo.run.run_demo`."""
    for panel in report["panels"]:
        console.print()
        console.print(_comparison(panel, report["simulated"]))
        console.print(_over_time(panel))
        console.print(_kinds(panel))
        console.print(_arms(panel))
        console.print(
            f"stages passed: {' → '.join(panel['stages'])}   "
            f"escalated: {panel['escalated']} of {panel['calls']} calls   "
            f"judged: {panel['judged']}   judge cost: ${panel['judge_cost_usd']:.6f}"
        )
    chain = report["chain"]
    state = (
        "[green]intact[/green]" if chain["intact"] else f"[red]BROKEN: {escape(str(chain['reason']))}[/red]"
    )
    console.print(f"\naudit chain: {chain['total_records']} records, {state}")
    console.print(f"[dim]{escape(report['footnote'])}[/dim]")


def _comparison(panel: dict[str, Any], simulated: str) -> Table:
    table = Table(
        "", "$/1k calls", "score %", "cost cut %", "points", "s/m/f %",
        title=f"{panel['name']}: {panel['calls']} calls, {simulated}; points = score minus always frontier",
        title_justify="left",
    )  # fmt: skip
    for row in panel["rows"]:
        mix = "/".join(f"{100 * share:.0f}" for share in row["tier_mix"].values())
        table.add_row(
            escape(row["name"]), _interval(row["usd_per_1k"], ".3f"), _interval(row["score"], ".1f"),
            _interval(row["cut"], ".0f", 100), _interval(row["points"], "+.1f"), mix,
            style="bold" if row["name"] == "x25" else None,
        )  # fmt: skip
    return table


def _over_time(panel: dict[str, Any]) -> Table:
    table = Table(
        "calls",
        "slm",
        "mid",
        "frontier",
        "escalated",
        "score",
        title="tier mix over time",
        title_justify="left",
    )
    first = 1
    for window in panel["over_time"]:
        last = first + int(window["calls"]) - 1
        shares = [f"{window[key]:.0%}" for key in ("slm", "mid", "frontier", "escalated", "score")]
        table.add_row(f"{first}-{last}", *shares)
        first = last + 1
    return table


def _kinds(panel: dict[str, Any]) -> Table:
    table = Table(
        "kind",
        "calls",
        "score",
        "frontier's",
        "$ per 1k",
        "frontier's",
        title="by kind",
        title_justify="left",
    )
    for row in panel["kinds"]:
        table.add_row(
            escape(row["kind"]), str(row["calls"]), f"{row['score']:.1%}", f"{row['frontier_score']:.1%}",
            f"{row['usd_per_1k']:.4f}", f"{row['frontier_usd_per_1k']:.4f}",
        )  # fmt: skip
    return table


def _arms(panel: dict[str, Any]) -> Table:
    table = Table(
        "tier",
        "alpha",
        "beta",
        "mean reward",
        "confidence",
        title="what was learnt (posteriors)",
        title_justify="left",
    )
    for arm in panel["arms"]:
        table.add_row(
            arm["tier"],
            f"{arm['alpha']:.1f}",
            f"{arm['beta']:.1f}",
            f"{arm['mean_reward']:.3f}",
            f"{arm['confidence']:.2f}",
        )
    return table


def _interval(value: Estimate, form: str, unit: float = 1.0) -> str:
    """Return mean over interval, two lines, so that the table fits a narrow terminal."""
    mean, low, high = (unit * one for one in (value.mean, value.low, value.high))
    return f"{mean:{form}}\n[dim]{low:{form}}…{high:{form}}[/dim]"
