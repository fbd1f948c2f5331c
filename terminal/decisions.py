"""The table of calls: its columns, on the page and in a file, and the way through all of its pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..state.queries.call_pages import CallFilter, CallLine, CallPages, Place, Toward
from ..state.records import Call
from .formats import NOTHING, duration, moment, percent, usd
from .frame import View
from .markup import Markup, div, join, link, span, tag
from .tables import Column, table

ROWS = 25
SEPARATOR = "~"
SHOWN_ID = 8
"""Last characters of an id that tables show."""


def columns(view: View, *, is_marked: bool = False) -> list[Column[CallLine]]:
    """Return the columns of calls; `is_marked`: that they are simulated is said above the table."""
    return [
        Column("Call", lambda one: call_link(view, one.org, one.call_id), lambda one: one.call_id),
        Column("Time", lambda one: moment(one.created_at), lambda one: one.created_at.isoformat()),
        Column("Organisation", lambda one: one.org, lambda one: one.org),
        Column("Model", lambda one: _model(one, says=not is_marked), lambda one: one.model_id or ""),
        Column("Tier", lambda one: tier_tag(one.tier), lambda one: one.tier or ""),
        Column("Task", lambda one: one.task_type, lambda one: one.task_type),
        Column(
            "Paid", lambda one: usd(one.paid_nusd), lambda one: f"{one.paid_nusd / 1e9:.9f}", is_number=True
        ),
        Column(
            "Saved",
            lambda one: usd(one.saved_nusd),
            lambda one: f"{one.saved_nusd / 1e9:.9f}",
            is_number=True,
        ),
        Column("Quality", _quality, lambda one: one.quality_score, is_number=True),
        Column("Measured by", lambda one: one.quality_source, lambda one: one.quality_source),
        Column(
            "Time taken",
            lambda one: duration(one.latency_ms),
            lambda one: round(one.latency_ms, 1),
            is_number=True,
        ),
        Column("Why", lambda one: span("words", why(one)), why),
    ]


def call_link(view: View, org: str, call_id: str) -> Markup:
    """Return a link to a call's receipt."""
    return link(
        view.href("call", id=call_id, org=org), f"…{call_id[-SHOWN_ID:]}", class_="mono", title=call_id
    )


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for a call."""

    call: Call | None
    words: str
    """Why there is none."""


async def call_of(view: View, written_id: str, org: str | None) -> Search:
    """Return the call of an id, or of its last characters as tables show them; of an org, or of all that are seen."""
    pages, sought = view.cascade.services.store.call_pages, written_id.strip().lstrip("…")
    orgs = [org] if org else None if view.viewer.is_admin else view.orgs
    if sought and (call := await pages.find(orgs, sought)) is not None:
        return Search(call, "")
    ending = await pages.find_ending(orgs, sought) if len(sought) >= SHOWN_ID else []
    if len(ending) == 1:
        return Search(ending[0], "")
    if ending:
        return Search(None, f"Several calls' ids end in {sought}: write a whole one.")
    whose = f" in {org}" if org else "" if view.viewer.is_admin else " in your organisations"
    return Search(
        None,
        f"No call {sought[:80]!r} is on record{whose}. A call is found by its id, or by the last {SHOWN_ID} "
        "characters of it or more.",
    )


def tier_tag(tier: str | None) -> Markup:
    """Return a tier in its colour."""
    return span(f"tag {tier or 'none'}", tier or "no answer")


def why(line: CallLine) -> str:
    """Return in few words how a call came to its model."""
    words = []
    if line.status != "answered":
        words.append(line.status)
    if line.escalations:
        words.append(f"escalated {line.escalations}×")
    if line.fallbacks:
        words.append(f"fell back {line.fallbacks}×")
    words.append(f"chosen in {percent(line.propensity, 0)} of draws, {line.router}")
    return "; ".join(words)


def _model(line: CallLine, *, says: bool) -> Markup:
    simulated = span("tag", "simulated") if line.simulated and says else None
    return join([span("nowrap", line.model_id or NOTHING), simulated], " ")


def _quality(line: CallLine) -> str:
    return percent(line.quality_score, 0)


def filter_of(view: View) -> CallFilter:
    """Return which calls an address asks for."""
    return CallFilter(view.org, view.period, view.asked.get("model") or None, view.asked.get("tier") or None)


def narrowing(view: View) -> Mapping[str, str | None]:
    """Return the parameters of an address that narrow its calls to a model or a tier."""
    return {name: view.asked.get(name) for name in ("model", "tier")}


def place_from(written: str) -> Place | None:
    """Return the place that an address names; None for none, or nonsense."""
    parts = written.split(SEPARATOR)
    try:
        at = datetime.fromisoformat(parts[0])
    except ValueError:
        return None
    return Place(at, parts[1], parts[2]) if len(parts) == 3 and at.tzinfo is not None else None


def written(line: CallLine) -> str:
    """Return a row's place as an address names it."""
    return SEPARATOR.join((line.created_at.isoformat(), line.org, line.call_id))


async def decisions_card(view: View, pages: CallPages) -> Markup:
    """Return the page of calls that an address asks for, and links to all others."""
    wanted, asked = filter_of(view), view.asked
    toward: Toward = "newer" if asked.get("toward") == "newer" else "older"
    start = place_from(asked.get("at", ""))
    lines = await pages.page(wanted, ROWS, start, toward)
    total = await pages.count(wanted)
    are_simulated = any(one.simulated for one in lines) and all(
        one.simulated or one.model_id is None for one in lines
    )
    head = div(
        "title", tag("h2", "Decisions ", span("tag warn", "simulated models") if are_simulated else None),
        tag("form", tag("label", "Call id ", tag("input", name="id", required=True, placeholder="search")),
            *(tag("input", type="hidden", name=name, value=value) for name, value in view.kept.items()),
            tag("button", "Find", class_="button"), method="get", action="call", class_="filters"),
    )  # fmt: skip
    if not lines:
        return div(
            "card s12",
            head,
            div("empty", "No calls fit. Choose more days, or fewer filters."),
            id="decisions",
        )
    older = bool(await pages.page(wanted, 1, Place.of(lines[-1])))
    newer = bool(await pages.page(wanted, 1, Place.of(lines[0]), "newer"))
    body = table(columns(view, is_marked=are_simulated), lines, label="Decisions")
    return div("card s12", head, body, _pager(view, lines, total, older=older, newer=newer), id="decisions")


def _pager(view: View, lines: list[CallLine], total: int, *, older: bool, newer: bool) -> Markup:
    kept = narrowing(view)

    def step(words: str, is_on: bool, at: str | None, toward: str | None) -> Markup:
        if not is_on:
            return span("off", words)
        return link(view.href("observatory", **kept, at=at, toward=toward) + "#decisions", words)

    return div(
        "pager", step("« Newest", newer, None, None), step("‹ Newer", newer, written(lines[0]), "newer"),
        step("Older ›", older, written(lines[-1]), "older"), step("Oldest »", older, None, "newer"),
        span("muted small", f"{len(lines)} of {total:,} calls"),
        link(view.href("export/calls.csv", **kept), "CSV of all", class_="button"),
    )  # fmt: skip
