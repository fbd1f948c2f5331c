"""Home: what was saved this week, at what quality, what it costs, and what needs looking at."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from nicegui import ui

from ..state.queries.periods import Totals
from .alerts import Alert, alerts_of
from .figures import Home, Spent, read_home
from .formats import NOTHING, number, percent, points, share_range, usd, usd_range
from .frame import View, frame, opened, show
from .markup import Markup, div, link, span, tag
from .mounting import PREFIX
from .tables import Column, table
from .theme import THEME_COOKIE

Week = tuple[str, Callable[[Any], str], float | None, float | None]
"""A figure's name, how it is written, and what it was this week and last."""
GATEWAY = "http://localhost:8000"
"""Where a gateway is unless it was told otherwise; pages alone do not know where theirs is."""
FIRST_CALL = """curl {address}/v1/chat/completions -H 'content-type: application/json' \\
  -d '{"model": "auto", "messages": [{"role": "user", "content": "What is 17 + 4?"}]}'"""


@ui.page("/")
async def home_page(request: Request) -> None:
    """Show Home."""
    view = await opened(request)
    if view is None:
        return
    found = await read_home(view.cascade.services, view.org, view.cascade.services.now().date())
    alerts = await alerts_of(view.cascade, view.org, found)
    with frame(view, "Home", dark=request.cookies.get(THEME_COOKIE)):
        show(tag("h1", f"This week, {view.org_words}"))
        if not found.week.total_calls:
            here = str(request.base_url).removesuffix("/").removesuffix(PREFIX)
            show(nothing_yet(view, GATEWAY if view.ticker.admission is None else here))
        show(hero(found))
        show(cards(view, found, alerts))


def nothing_yet(view: View, address: str) -> Markup:
    """Return what to do where no call was made in the last seven days; `address` is the gateway's."""
    words = tag("p", "No calls in the last seven days. Make one, and this page fills:")
    more = tag("p", "Or fill it with simulated calls: ", tag("span", "x25 demo --open", class_="mono"))
    older = link(view.href("observatory"), "Look at earlier days")
    return div("empty", words, tag("pre", FIRST_CALL.replace("{address}", address)), more, older)


def hero(found: Home) -> Markup:
    """Return the banner: saved, calls, quality, each with what it is measured against."""
    saved, week = found.saved, found.week
    against = f"against {found.reference_model} for every call, judge included"
    share = "" if week.saved_share is None else f" ({percent(week.saved_share, 0)})"
    simulated = span("tag", "simulated") if found.simulated > 0 else None
    interval = usd_range(saved)
    return tag(
        "section",
        div(
            "first", div("label", "Saved in seven days ", simulated),
            div("figure", usd(saved.value) + share, data_hero="saved"),
            div("small", against),
            div("small", f"interval {interval}" if interval else "too few calls for an interval"),
        ),
        div(
            "", div("label", "Calls"), div("figure", number(week.total_calls), data_hero="calls"),
            div("small", f"{usd(week.paid_nusd)} paid, of it {usd(week.judge_cost_nusd)} for judging"),
        ),
        div("", *_quality(found)),
        div("note", f"Quality is measured thus: {found.measured_by}. Intervals are of 95 %."),
        class_="hero", aria_label="This week",
    )  # fmt: skip


def _quality(found: Home) -> list[Markup]:
    """Return the change against the week before, or against the reference where there was none."""
    change, quality = found.quality_change, found.quality
    if quality is None:
        none = div("small", "no answer was scored yet")
        return [div("label", "Quality"), div("figure", NOTHING, data_hero="quality"), none]
    around = share_range(quality)
    rows = [div("label", "Quality" if change is None else "Quality delta")]
    if change is not None:
        rows.append(div("figure", points(change.value), data_hero="quality"))
        rows.append(div("small", f"against the week before{_between(change.low, change.high)}"))
        rows.append(div("small", f"now {percent(quality.value)}" + (f" ({around})" if around else "")))
    else:
        rows.append(div("figure", percent(quality.value), data_hero="quality"))
        rows.append(div("small", "mean score" + (f", {around}" if around else "")))
        rows.append(div("small", "no week before to compare with"))
    if found.gain is not None:
        around = _between(found.gain.low, found.gain.high)
        rows.append(div("small", f"{points(found.gain.value)} against {found.reference_model} alone{around}"))
    return rows


def _between(low: float | None, high: float | None) -> str:
    return (
        "" if low is None or high is None else f" ({points(low).removesuffix(' points')} to {points(high)})"
    )


def cards(view: View, found: Home, alerts: list[Alert]) -> Markup:
    """Return what is below the banner."""
    return div(
        "grid",
        div("card s4", tag("h2", "This week against last"), _weeks(found)),
        div("card s4", tag("h2", "Spend and forecast"), _spend(view, found)),
        div("card s4", tag("h2", "What costs most"), _drivers(view, found)),
        div("card s12", tag("h2", "Alerts"), _alerts(alerts)),
    )


def _weeks(found: Home) -> Markup:
    week, before = found.week, found.before
    rows: list[Week] = [
        ("Calls", number, week.total_calls, before.total_calls), ("Paid", usd, week.paid_nusd, before.paid_nusd),
        ("Saved", usd, week.saved_nusd, before.saved_nusd),
        ("Quality", percent, week.mean_quality, before.mean_quality),
        ("Judged", percent, week.judged_share, before.judged_share),
    ]  # fmt: skip
    columns: list[Column[Week]] = [
        Column("Figure", lambda one: one[0]),
        Column("This week", lambda one: one[1](one[2]), is_number=True),
        Column("Last week", lambda one: one[1](one[3]), is_number=True),
        Column("Change", lambda one: _change(one[2], one[3]), is_number=True),
    ]
    return table(columns, rows, label="Weeks", file="weeks")


def _change(new: float | None, old: float | None) -> str:
    return NOTHING if not old or new is None else f"{100 * (new - old) / abs(old):+.0f} %".replace("-", "−")


def _spend(view: View, found: Home) -> Markup:
    month = found.month
    rows = [
        _row("Spent this month", usd(month.spent_nusd)),
        _row("Month-end forecast", usd(month.month_end_nusd)),
        div("small muted", f"{usd(month.low_nusd)} to {usd(month.high_nusd)}: as the cheapest and the dearest "
            f"of the last seven days; {days_left(month.days_left)}"),
    ]  # fmt: skip
    rows += [_budget(one) for one in found.ceilings]
    if not found.ceilings:
        whose = "Budgets are set an organisation: choose one above." if view.org is None else (
            "No budget is set: PATCH /orgs/ORG/settings sets one."
        )  # fmt: skip
        rows.append(div("small muted", whose))
    return div("rows", *rows)


def days_left(days: int) -> str:
    """Return how many days of a month are left."""
    return {0: "its last day", 1: "one day left"}.get(days, f"{days} days left")


def _budget(spent: Spent) -> Markup:
    share = min(1.0, spent.spent_nusd / spent.ceiling_nusd)
    level = "bad" if share >= 1 else "warn" if share >= 0.8 else None
    bar = div("meter", tag("i", style=f"width:{100 * share:.1f}%", class_=level))
    name = {"day": "Today's budget", "month": "This month's budget"}[spent.name]
    return div("", _row(name, f"{usd(spent.spent_nusd)} of {usd(spent.ceiling_nusd)}"), bar)


def _drivers(view: View, found: Home) -> Markup:
    if not found.drivers:
        return tag("p", "Nothing was paid in the last seven days.", class_="muted")
    paid = found.week.paid_nusd

    def line(name: str, totals: Totals) -> Markup:
        share = totals.paid_nusd / paid if paid else 0.0
        words = f"{usd(totals.paid_nusd)} · {percent(share, 0)}"
        where = link(view.href("observatory", model=name), name)
        return div(
            "", div("pair", span("", where), tag("b", words)),
            div("small muted", f"{number(totals.total_calls)} calls"),
            div("meter", tag("i", style=f"width:{100 * share:.1f}%")),
        )  # fmt: skip

    return div("rows", *(line(one.name, one.totals) for one in found.drivers))


def _alerts(alerts: list[Alert]) -> Markup:
    if not alerts:
        return tag("p", "Nothing needs looking at.", class_="muted")
    words = {"bad": "now", "warn": "soon"}
    return div("rows", *(
        div("alert", span(f"tag {one.level}", words[one.level]),
            div("", tag("b", one.words), div("small muted", one.advice)))
        for one in alerts
    ))  # fmt: skip


def _row(name: str, value: str) -> Markup:
    return div("pair", span("", name), tag("b", value))
