"""Mission control: one call's way through the nodes, the calls as they come, and how everything is."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import Request
from nicegui import ui

from ..state.queries.call_pages import CallLine
from .decisions import call_link, tier_tag, why
from .figures import ceilings_of
from .formats import duration, moment, number, percent, usd
from .frame import View, frame, moving, opened, show
from .kept import Receipt, receipt_of
from .live import Part
from .markup import Markup, div, join, link, span, tag
from .tables import Column, table
from .theme import THEME_COOKIE

NODES = (
    "lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch", "judge", "update_posterior",
    "audit", "stage_check",
)  # fmt: skip
ROWS = 12
ALONE = "These pages run in a process of their own. Each gateway tells of itself: GET /readyz, GET /metrics."
GOOD_PROB, FAIR_PROB = 0.95, 0.5


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
    )  # fmt: skip
    with frame(view, "Mission control", parts, dark=request.cookies.get(THEME_COOKIE)):
        show(tag("h1", f"Mission control, {view.org_words}"))
        show(trace_card(view, traced), "card")
        with ui.element("div").classes("grid"):
            moving(show(tag("p", "…"), "card s12 live"), "feed")
            moving(show(deployments(view), "card s6"), "deployments")
            moving(show(machine(view), "card s3"), "machine")
            show(tag("h2", "Budgets") + budgets, "card s3")


async def _deployments(view: View) -> str:
    return str(deployments(view))


async def _machine(view: View) -> str:
    return str(machine(view))


async def _traced(view: View) -> Receipt | None:
    pages, call_id = view.cascade.services.store.call_pages, view.asked.get("call", "").strip()
    if not call_id:
        newest = await view.ticker.newest(view.org)
        if not newest:
            return None
        call = await pages.find([newest[0].org], newest[0].call_id)
    else:
        orgs = None if view.viewer.is_admin else view.orgs
        call = await pages.find(orgs, call_id)
    return None if call is None else await receipt_of(view.cascade, call)


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
    return str(tag("h2", "Live feed") + note + (table(columns, lines, label="Live feed") if lines else empty))


def trace_card(view: View, found: Receipt | None) -> Markup:
    """Return one call's way through the nodes, each with its time."""
    form = tag(
        "form", tag("input", name="call", placeholder="call id", aria_label="Call id", required=True),
        tag("input", type="hidden", name="org", value=view.org or ""), tag("button", "Trace", class_="button"),
        method="get", class_="filters",
    )  # fmt: skip
    if found is None:
        return div("title", tag("h2", "Trace"), form) + div(
            "empty", "No such call on record, or none was made yet."
        )
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


def deployments(view: View) -> Markup:
    """Return how each way to a model does lately, in this process."""
    services = view.cascade.services
    now_s, rows = services.clock_s(), []
    for spec in services.models.values():
        seen = services.health.seen(spec.model_id)
        for one in spec.deployments:
            health = seen.get(one.name)
            rows.append((spec.model_id, one.name, None if health is None else health.at(now_s)))
    columns: list[Column[Any]] = [
        Column("Model", lambda one: one[0]), Column("Deployment", lambda one: one[1]),
        Column("State", lambda one: _state(None if one[2] is None else one[2].success_prob)),
        Column(
            "Expected to answer",
            lambda one: "not asked lately" if one[2] is None else percent(one[2].success_prob), is_number=True,
        ),
        Column("Recent failures", lambda one: "–" if one[2] is None else f"{one[2].failed:.1f}", is_number=True),
    ]  # fmt: skip
    note = "Recent requests of this process; a failing one is asked less, and tried again as its failures age"
    return tag("h2", "Deployments") + div("small muted", note) + table(columns, rows, label="Deployments")


def _state(chance: float | None) -> Markup:
    if chance is None:
        return join([span("dot", style="background: var(--none)"), "idle"])
    level, words = (
        ("", "answers")
        if chance >= GOOD_PROB
        else ("warn", "shaky")
        if chance >= FAIR_PROB
        else ("bad", "failing")
    )
    return join([span(f"dot {level}"), words])


def machine(view: View) -> Markup:
    """Return how the gateway itself is."""
    cascade = view.cascade
    if view.ticker.is_alone:
        return tag("h2", "Gateway") + tag("p", ALONE, class_="muted")
    figures: Mapping[str, str] = {
        "Calls not written down yet": number(cascade.under_way),
        "Transactions waiting": number(cascade.services.store.waiting),
        "Checkpoints waiting": number(cascade.checkpoints_waiting),
        "Checkpoints lost": number(cascade.checkpoint_writes.lost),
    }
    troubles = [div("alert", span("tag warn", name), reason) for name, reason in cascade.degraded().items()]
    rows = [div("pair", span("", name), tag("b", value)) for name, value in figures.items()]
    return tag("h2", "Gateway") + div("rows", *rows, *(troubles or [_pair("Degraded", "nothing")]))


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
