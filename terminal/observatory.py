"""Observatory: a period in figures, curves and distributions, and every single decision of it."""

from collections.abc import Callable
from math import exp, lgamma, log

from fastapi import Request
from nicegui import ui

from ..api.report_schemas import Thompson
from ..api.routes.thompson import thompson
from ..routing.belief.stage import STAGE_NAMES, Stage
from ..state.queries.spreads import TaskQuality
from ..state.types import TIERS
from . import charts
from .decisions import decisions_card, filter_of, narrowing
from .figures import Observed, read_observed, stage_now
from .formats import NOTHING, duration, number, percent, share_range, usd
from .frame import View, frame, opened, show
from .markup import Markup, div, link, span, tag
from .tables import Column, save_link
from .theme import THEME_COOKIE

MODELS_SHOWN = 8
GRID = 101
UNLOCKS = {
    1: "Explore tries all tiers and learns the mix of tasks. Next: Exploit, which keeps to the cheapest reliable tier.",
    2: "Exploit keeps to the cheapest reliable tier. Next: Feedback, which opens labels for answers.",
    3: "Feedback is open: labels sharpen what is believed. Next: Fine-tune, training data for a model of your own.",
    4: "Everything is open: labels, refits, and training data for a model of your own.",
}


@ui.page("/observatory")
async def observatory_page(request: Request) -> None:
    """Show the Observatory."""
    view = await opened(request)
    if view is None:
        return
    services = view.cascade.services
    found = await read_observed(services, filter_of(view))
    beliefs = None if view.org is None else await thompson(view.org, view.cascade, None)
    stage = None if view.org is None else await stage_now(services, view.org)
    table = await decisions_card(view, services.store.call_pages)
    with frame(view, "Observatory", dark=request.cookies.get(THEME_COOKIE)):
        show(head(view))
        show(figures(found, stage))
        _curves(view, found)
        _mixes(view, found)
        with ui.element("div").classes("grid"):
            show(tasks(found), "card s6")
            _posteriors(beliefs)
        show(table, "grid")


def head(view: View) -> Markup:
    """Return title and filters; a plain form, so that the address says what is shown."""
    dates = [
        tag("label", words, tag("input", type="date", name=name, value=day.isoformat()))
        for words, name, day in (("From", "from", view.period.first), ("To", "to", view.period.last))
    ]
    tiers = [
        tag("option", one or "all tiers", value=one, selected=one == view.asked.get("tier", ""))
        for one in ("", *TIERS)
    ]
    model = tag(
        "input", name="model", value=view.asked.get("model", ""), placeholder="all models", list="models"
    )
    models = [tag("option", value=name) for name in (*sorted(view.cascade.services.models), "none")]
    return div(
        "title", tag("h1", f"Observatory, {view.org_words}", span("muted", _of(view))),
        tag("datalist", *models, id="models"),
        tag(
            "form", *dates, tag("label", "Model", model), tag("label", "Tier", tag("select", *tiers, name="tier")),
            tag("input", type="hidden", name="org", value=view.org or ""), tag("button", "Show", class_="primary"),
            method="get", class_="filters", autocomplete="off",
        ),
    )  # fmt: skip


def _of(view: View) -> str | None:
    """Return in words what the figures are narrowed to."""
    wanted = filter_of(view)
    named = [
        f"model {wanted.model_id}" if wanted.model_id else "", f"tier {wanted.tier}" if wanted.tier else "",
    ]  # fmt: skip
    words = ", ".join(filter(None, named))
    return f" ({words})" if words else None


def figures(found: Observed, stage: Stage | None) -> Markup:
    """Return the row of figures."""
    totals, seen = found.totals, found.rates
    of_all = f"of all {number(seen.calls)} calls" if seen else ""
    small = [
        ("Saved", usd(totals.saved_nusd), percent(totals.saved_share, 0) + " of the reference's cost, judge included"),
        (
            "Paid", usd(totals.paid_nusd),
            f"{number(totals.total_calls)} calls, {usd(totals.judge_cost_nusd)} for judging",
        ),
        ("Escalated", percent(seen.escalated if seen else None), of_all),
        ("Fell back", percent(seen.fell_back if seen else None), of_all),
    ]  # fmt: skip
    shown = [
        div(
            "card s3",
            div("muted small", name),
            div("figure", value, data_figure=name),
            div("small muted", words),
        )
        for name, value, words in small
    ]
    percentiles = [
        div("pair", span("", f"p{p}"), tag("b", duration(ms))) for p, ms in found.percentiles.items()
    ]
    timed = f"{number(totals.timed)} calls of the period, within 2.4 %"
    shown.append(
        div(
            "card s4",
            tag("h2", "Time taken"),
            div("small muted", timed),
            div("rows", *(percentiles or [Markup(NOTHING)])),
        )
    )
    shown.append(_stage(stage))
    return div("grid", *shown)


def _stage(stage: Stage | None) -> Markup:
    if stage is None:
        return div(
            "card s8",
            tag("h2", "Stage"),
            tag("p", "Each organisation has its own: choose one above.", class_="muted"),
        )
    steps = [
        span("", name, aria_current="step" if n == stage.stage else None)
        for n, name in enumerate(STAGE_NAMES, 1)
    ]
    left = (
        f"{number(stage.calls_to_next_stage)} more calls open the next stage."
        if stage.calls_to_next_stage
        else ""
    )
    return div(
        "card s8", tag("h2", "Stage"), div("rows", div("steps", *steps),
        div("meter", tag("i", style=f"width:{100 * stage.progress_in_stage:.1f}%")),
        div("small muted", f"{number(stage.total_calls)} calls. {UNLOCKS[stage.stage]} {left}")),
    )  # fmt: skip


def _chart(title: str, note: str, options: charts.Options, csv_link: str | None, class_: str) -> None:
    with ui.element("section").classes(f"card {class_}").props(f'aria-label="{title}"'):
        more = (
            None if csv_link is None else link(csv_link, "CSV", class_="small", aria_label=f"{title} as CSV")
        )
        show(div("pair", tag("h2", title), more) + div("small muted", note))
        ui.echart(charts.sized(options), renderer="svg").classes("chart")


def _curves(view: View, found: Observed) -> None:
    days = [f"{one.day:%b %d}" for one in found.points]
    saved, paid = (
        [getattr(one.totals, name) / 1e9 for one in found.points] for name in ("saved_nusd", "paid_nusd")
    )
    total, running = 0.0, []
    for one in saved:
        total += one
        running.append(round(total, 9))
    with ui.element("div").classes("grid"):
        _chart(
            "Savings",
            f"Added up over {view.period.length} UTC days, judge included; {usd(found.totals.saved_nusd)} in all",
            charts.line(days, {"saved so far": running}, "$"), view.href("export/days.csv", **narrowing(view)), "s7",
        )  # fmt: skip
        _chart(
            "A day",
            "Saved and paid on each day",
            charts.line(days, {"saved": saved, "paid": paid}, "$"),
            None,
            "s5",
        )


def _mixes(view: View, found: Observed) -> None:
    days = [f"{one.day:%b %d}" for one in found.points]
    place = {one.day: n for n, one in enumerate(found.points)}
    tiers: dict[str, list[float]] = {one: [0.0] * len(days) for one in TIERS}
    for one in found.sums:
        tiers.setdefault(one.tier, [0.0] * len(days))[place[one.day]] += (
            one.cost_nusd + one.judge_cost_nusd
        ) / 1e9
    models = {one.name: float(one.totals.total_calls) for one in found.models[:MODELS_SHOWN]}
    rest = sum(one.totals.total_calls for one in found.models[MODELS_SHOWN:])
    dearest = sorted(found.models, key=lambda one: -one.totals.paid_nusd)[:MODELS_SHOWN]
    spent = {one.name: one.totals.paid_nusd / 1e9 for one in dearest}
    with ui.element("div").classes("grid"):
        _chart(
            "Spend by tier", "Dollars a day, judge included", charts.stacked(days, tiers, "$"),
            view.href("export/tiers.csv", **narrowing(view)),
            "s5",
        )  # fmt: skip
        _chart(
            "Model mix", f"Share of {number(found.totals.total_calls)} calls",
            charts.ring(models | ({"others": float(rest)} if rest else {}), "calls"),
            view.href("export/models.csv", **narrowing(view)), "s4",
        )  # fmt: skip
        _chart("Spend by model", "Dollars, judge included", charts.bars(spent, "$"), None, "s3")


def tasks(found: Observed) -> Markup:
    """Return quality by kind of task."""
    rows = [
        div(
            "", div("pair", span("", one.task_type), tag("b", percent(one.mean.value))),
            div("meter", tag("i", style=f"width:{100 * one.mean.value:.1f}%")),
            div("small muted", " · ".join(filter(None, (f"{number(one.calls)} calls", share_range(one.mean))))),
        )
        for one in found.tasks
    ]  # fmt: skip
    note = f"Mean score with its 95 % interval, of the newest {number(len(found.lines))} calls"
    facts: dict[str, Callable[[TaskQuality], object]] = {
        "Kind of task": lambda one: one.task_type, "Calls": lambda one: one.calls,
        "Mean score": lambda one: one.mean.value, "Low": lambda one: one.mean.low, "High": lambda one: one.mean.high,
    }  # fmt: skip
    columns = [Column(title, value, value) for title, value in facts.items()]
    saved = save_link(columns, found.tasks, label="Quality by kind of task", file="tasks") if rows else None
    return (
        div("pair", tag("h2", "Quality by kind of task"), saved)
        + div("small muted", note)
        + div("rows", *(rows or [Markup(NOTHING)]))
    )


def _posteriors(beliefs: Thompson | None) -> None:
    with ui.element("section").classes("card s6").props('aria-label="What is believed"'):
        note = "How likely each tier's answers pass, as far as is known: narrow is sure"
        if beliefs is None:
            show(
                tag("h2", "What is believed")
                + tag("p", "Each organisation has its own: choose one above.", class_="muted")
            )
            return
        show(tag("h2", "What is believed") + div("small muted", note))
        curves = {one.tier: beta_curve(one.alpha, one.beta) for one in beliefs.arms}
        ui.echart(charts.sized(charts.densities(curves)), renderer="svg").classes("chart")


def beta_curve(alpha: float, beta: float) -> list[tuple[float, float]]:
    """Return the density of Beta(alpha, beta) at a hundred places between 0 and 1, its highest point at 1."""
    scale = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
    places = [(n + 0.5) / GRID for n in range(GRID)]
    logs = [scale + (alpha - 1) * log(x) + (beta - 1) * log(1 - x) for x in places]
    top = max(logs)
    return [(round(x, 4), round(exp(one - top), 4)) for x, one in zip(places, logs, strict=True)]
