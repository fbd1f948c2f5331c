"""Home: what was saved this week, at what quality, what it costs, and what needs looking at."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from nicegui import ui

from ..api.origins import LOOPBACK_HOSTS, host_of
from ..state.queries.periods import Totals
from .alerts import Alert, alerts_of
from .figures import Home, Spent, read_home
from .formats import (
    NOTHING,
    change,
    counted,
    number,
    percent,
    point_change,
    points,
    share_range,
    usd,
    usd_range,
)
from .frame import View, frame, opened, show
from .markup import Markup, div, join, link, span, tag
from .mounting import PREFIX
from .tables import Column, table
from .theme import THEME_COOKIE

Change = Callable[[float | None, float | None], str]
Week = tuple[str, Callable[[Any], str], Change, float | None, float | None]
"""A figure's name, how it and its change are written, and what it was this week and last."""
GATEWAY = "http://localhost:8000"
"""Where a gateway is unless it was told otherwise: pages that are served alone know of none."""


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
            show(nothing_yet(view, GATEWAY if view.ticker.is_alone else here))
        show(hero(found))
        show(cards(view, found, alerts))


def nothing_yet(view: View, gateway: str) -> Markup:
    """Return what to do where no call was made in the last seven days, at the address of the gateway."""
    words = tag("p", "No calls in the last seven days. Make one, and this page fills:")
    is_local = host_of(gateway.partition("//")[2]) in LOOPBACK_HOSTS
    asked_for = view.cascade.settings.require_key
    needs_key = not is_local if asked_for is None else asked_for
    first_call = " \\\n  ".join(
        [
            f"curl {gateway}/v1/chat/completions -H 'content-type: application/json'",
            *(["-H 'authorization: Bearer YOUR-API-KEY'"] if needs_key else []),
            f"-d '{_first_body(None if needs_key else view.org)}'",
        ]
    )
    keys = link(view.href("keys", new="1"), "Generate an API key first") if needs_key else None
    more = tag("p", "Or fill it with simulated calls: ", tag("span", "x25 demo --open", class_="mono"))
    older = link(view.href("observatory"), "Look at earlier days")
    return div("empty", words, tag("pre", first_call), keys, more, older)


def _first_body(org: str | None) -> str:
    whose = "" if org is None else f', "x25": {{"org": "{org}"}}'
    return f'{{"model": "auto", "messages": [{{"role": "user", "content": "What is 17 + 4?"}}]{whose}}}'


def hero(found: Home) -> Markup:
    """Return the banner: saved, calls, quality, each with what it is measured against."""
    saved, week = found.saved, found.week
    against = f"against the reference model for every call, now {found.reference_model}; judge included"
    share = None if week.saved_share is None else span("share", f"({percent(week.saved_share, 0)})")
    simulated = span("tag", "simulated") if found.simulated > 0 else None
    interval = usd_range(saved)
    return tag(
        "section",
        div(
            "first", div("label", "Saved in seven days ", simulated),
            div("figure", join([span("nowrap", usd(saved.value)), share], " "), data_hero="saved"),
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
    delta, quality = found.quality_change, found.quality
    if quality is None:
        none = div("small", "no answer was scored yet")
        return [div("label", "Quality"), div("figure", NOTHING, data_hero="quality"), none]
    around = share_range(quality)
    rows = [div("label", "Quality" if delta is None else "Quality delta")]
    if delta is not None:
        rows.append(div("figure", points(delta.value), data_hero="quality"))
        rows.append(div("small", f"against the week before{_between(delta.low, delta.high)}"))
        rows.append(div("small", f"now {percent(quality.value)}" + (f" ({around})" if around else "")))
    else:
        rows.append(div("figure", percent(quality.value), data_hero="quality"))
        rows.append(div("small", "mean score" + (f", {around}" if around else "")))
        rows.append(div("small", "no week before to compare with"))
    if found.gain is not None and found.believed is not None:
        around = _between(found.gain.low, found.gain.high)
        beside = f"{points(found.gain.value)} against {found.reference_model} alone{around}"
        rows.append(div("small", f"likely right: {percent(found.believed.value)} of all answers, {beside}"))
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
        ("Calls", number, change, week.total_calls, before.total_calls),
        ("Paid", usd, change, week.paid_nusd, before.paid_nusd),
        ("Saved", usd, change, week.saved_nusd, before.saved_nusd),
        ("Quality", percent, point_change, week.mean_quality, before.mean_quality),
        ("Judged", percent, point_change, week.judged_share, before.judged_share),
        ("Failed", percent, point_change, week.failed_share, before.failed_share),
    ]
    columns: list[Column[Week]] = [
        Column("Figure", lambda one: one[0]),
        Column("This week", lambda one: one[1](one[3]), is_number=True),
        Column("Last week", lambda one: one[1](one[4]), is_number=True),
        Column("Change", lambda one: one[2](one[3], one[4]), is_number=True),
    ]
    return table(columns, rows, label="Weeks", file="weeks")


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
            div("small muted", counted(totals.total_calls, "call")),
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
