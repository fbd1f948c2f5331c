"""Mission control: one call's way through the nodes, the calls as they come, and how everything is."""

from functools import partial

from fastapi import Request
from nicegui import ui

from ..state.queries.call_pages import CallLine
from .decisions import call_link, call_of, tier_tag, why
from .figures import ceilings_of
from .formats import duration, moment, usd
from .frame import View, frame, moving, opened, show
from .kept import Receipt, receipt_of
from .live import Part
from .machine import cache, deployments, limits, machine
from .markup import Markup, div, link, span, tag
from .tables import Column, table
from .theme import THEME_COOKIE

NODES = (
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge", "update_posterior",
    "audit", "stage_check",
)  # fmt: skip
ROWS = 12


@ui.page("/mission")
async def mission_page(request: Request) -> None:
    """Show mission control."""
    view = await opened(request)
    if view is None:
        return
    traced = await _traced(view)
    budgets = await budget_rows(view)
    parts = (
        Part("feed", (view.org, view.asked.get("from"), view.asked.get("to")), partial(_feed, view)),
        Part("deployments", None, partial(_deployments, view)), Part("machine", None, partial(_machine, view)),
        Part("cache", view.org, partial(_cache, view)), Part("limits", view.org, partial(_limits, view)),
    )  # fmt: skip
    with frame(view, "Mission control", parts, dark=request.cookies.get(THEME_COOKIE)):
        show(tag("h1", f"Mission control, {view.org_words}"))
        show(trace_card(view, traced), "card")
        with ui.element("div").classes("grid"):
            moving(show(tag("p", "…"), "card s12 live"), "feed")
            moving(show(deployments(view), "card s12"), "deployments")
            moving(show(machine(view), "card s3"), "machine")
            moving(show(await cache(view), "card s3"), "cache")
            moving(show(await limits(view), "card s3"), "limits")
            show(tag("h2", "Budgets") + budgets, "card s3")


async def _deployments(view: View) -> str:
    return str(deployments(view))


async def _machine(view: View) -> str:
    return str(machine(view))


async def _cache(view: View) -> str:
    return str(await cache(view))


async def _limits(view: View) -> str:
    return str(await limits(view))


async def _traced(view: View) -> Receipt | str:
    """Return the receipt of the call that is asked for, or of the newest; or why there is none."""
    if view.asked.get("call", "").strip():
        sought = await call_of(view, view.asked["call"], view.org)
    else:
        newest = await view.ticker.newest(view.org)
        if not newest:
            return "No call was made yet."
        sought = await call_of(view, newest[0].call_id, newest[0].org)
    return sought.words if sought.call is None else await receipt_of(view.cascade, sought.call)


async def _feed(view: View) -> str:
    lines = await view.ticker.newest(view.org)
    columns: list[Column[CallLine]] = [
        Column("Call", lambda one: call_link(view, one.org, one.call_id)),
        Column("Time", lambda one: moment(one.created_at)), Column("Organisation", lambda one: one.org),
        Column("Model", lambda one: one.model_id or "–"), Column("Tier", lambda one: tier_tag(one.tier)),
        Column("Paid", lambda one: usd(one.paid_nusd), is_number=True),
        Column("Took", lambda one: duration(one.latency_ms), is_number=True), Column("Why", why),
    ]  # fmt: skip
    empty = div("empty", "No calls yet. They appear here as they come.")
    note = div("small muted", "The newest calls, as they are logged")
    return str(
        tag("h2", "Live feed")
        + note
        + (table(columns, lines, label="Live feed", file="feed") if lines else empty)
    )


def trace_card(view: View, found: Receipt | str) -> Markup:
    """Return one call's way through the nodes, each with its time."""
    form = tag(
        "form", tag("input", name="call", placeholder="call id", aria_label="Call id", required=True),
        tag("input", type="hidden", name="org", value=view.org or ""), tag("button", "Trace", class_="button"),
        method="get", class_="filters",
    )  # fmt: skip
    if isinstance(found, str):
        return div("title", tag("h2", "Trace"), form) + div("empty", found)
    call = found.call
    name = link(view.href("call", id=call.call_id, org=call.org), call.call_id, class_="mono")
    who, took = call.model_id or "nobody", duration(call.latency_ms)
    facts = f"{who} answered after {took}, {usd(call.paid_nusd)}: {call.status}"
    return div("title", tag("h2", "Trace of ", name), form) + div("small muted", facts) + _path(found)


def _path(found: Receipt) -> Markup:
    if not found.times:
        return div("empty", "The times of its nodes were in its checkpoint, which is not kept.")
    total = sum(one.ms for one in found.times) or 1.0
    visited = {one.node for one in found.times}
    nodes = [
        div("node", _name(one.node), span("small muted", duration(one.ms) if one.ms >= 10 else f"{one.ms:.2f} ms"),
            tag("i", style=f"width:{max(2.0, 100 * one.ms / total):.1f}%"), data_node=one.node)
        for one in found.times
    ]  # fmt: skip
    missed = [name for name in NODES if name not in visited]
    nodes += [div("node muted", _name(name), span("small", "not visited"), data_node=name) for name in missed]
    return div("path", *nodes)


async def budget_rows(view: View) -> Markup:
    """Return where the org stands against its ceilings."""
    found = await ceilings_of(view.cascade.services, view.org)
    if not found:
        words = (
            "Choose an organisation above."
            if view.org is None
            else "No budget is set: PATCH /orgs/ORG/settings sets one."
        )
        return tag("p", words, class_="muted")
    return div("rows", *(
        div("", _pair(f"This {one.name}", f"{usd(one.spent_nusd)} of {usd(one.ceiling_nusd)}"),
            div("meter", tag("i", style=f"width:{min(100.0, 100 * one.spent_nusd / one.ceiling_nusd):.1f}%")))
        for one in found
    ))  # fmt: skip


def _pair(name: str, value: str) -> Markup:
    return div("pair", span("", name), tag("b", value))


def _name(node: str) -> Markup:
    """Return a node's name, which may be broken behind a "_"."""
    return tag("b", Markup("_<wbr>").join(node.split("_")))
