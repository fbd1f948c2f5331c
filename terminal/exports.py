"""Every table as CSV: the calls row by row while they are read, the sums by day, model and tier."""

from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..state.audit.history import Logged
from ..state.errors import Forbidden, InvalidRequest
from ..state.queries.call_pages import CallLine, Place
from ..state.queries.periods import Share, by_day, by_model, by_tier
from ..state.records import Call
from .decisions import columns, filter_of
from .figures import sums_of
from .frame import View, view_of
from .routing_page import selected
from .tables import Column, csv_head, csv_line

ROWS = 1_000


def _usd(name: str) -> Callable[[Share], str]:
    return lambda share: f"{getattr(share.totals, f'{name}_nusd') / 1e9:.9f}"


MORE: dict[str, Callable[[CallLine], object]] = {
    "Status": lambda one: one.status,
    "Answers": lambda one: f"{one.cost_nusd / 1e9:.9f}",
    "Judge": lambda one: f"{one.judge_cost_nusd / 1e9:.9f}",
    "On the reference": lambda one: f"{one.reference_cost_nusd / 1e9:.9f}",
    "Escalations": lambda one: one.escalations,
    "Fallbacks": lambda one: one.fallbacks,
    "Propensity": lambda one: one.propensity,
    "Router": lambda one: one.router,
    "Simulated": lambda one: one.simulated,
}
"""What a receipt says of a call beyond the columns of the page's table."""
HISTORY: dict[str, Callable[[Logged], object]] = {
    "Id": lambda one: one.row.call_id,
    "Kind": lambda one: one.kind,
    "Time": lambda one: one.row.created_at.isoformat(),
    "Config": lambda one: one.row.router if isinstance(one.row, Call) else one.row.config,
    "Model": selected,
    "Task": lambda one: one.row.task_type,
    "Cost": lambda one: (
        f"{(one.row.paid_nusd if isinstance(one.row, Call) else one.row.cost_nusd) / 1e9:.9f}"
    ),
    "Prompt": lambda one: one.row.prompt or "",
}
"""Calls and decisions, which were not asked; the cost of a decision is the one expected."""
FIGURES: dict[str, Callable[[Share], object]] = {
    "calls": lambda share: share.totals.total_calls,
    **{f"{name}_usd": _usd(name) for name in ("paid", "judge_cost", "reference_cost", "saved")},
    "mean_quality": lambda share: share.totals.mean_quality,
    "mean_latency_ms": lambda share: share.totals.mean_latency_ms,
}
router = APIRouter(prefix="/export", include_in_schema=False)


@router.get("/{name}.csv")
async def export(name: str, request: Request) -> Response:
    """Return a table of the org and the days that the address names."""
    try:
        view = await view_of(request)
    except (Forbidden, InvalidRequest) as error:
        status, field = (403, "org") if isinstance(error, Forbidden) else (422, error.field)
        return JSONResponse({"error": {"message": str(error), "field": field}}, status)
    if name == "calls":
        return _file(name, view, _calls(view))
    if name == "history" and view.org is not None:
        return _file(name, view, _history(view, view.org))
    sums = await sums_of(view.cascade.services, filter_of(view))
    if name == "days":
        shares = [Share(one.day.isoformat(), one.totals) for one in by_day(sums, view.period)]
        return _file(name, view, _shares("day", shares))
    if name in {"models", "tiers"}:
        return _file(name, view, _shares(name[:-1], by_model(sums) if name == "models" else by_tier(sums)))
    return JSONResponse({"error": {"message": "calls, days, models, tiers, or of one org history"}}, 404)


async def _calls(view: View) -> AsyncIterator[str]:
    pages, start = view.cascade.services.store.call_pages, None
    shown = [*columns(view), *(Column(title, value, value) for title, value in MORE.items())]
    yield csv_head(shown)
    while lines := await pages.page(filter_of(view), ROWS, start):
        yield "".join(csv_line(shown, one) for one in lines)
        start = Place.of(lines[-1])


async def _history(view: View, org: str) -> AsyncIterator[str]:
    history, before = view.cascade.services.store.history, None
    shown = [Column(title, value, value) for title, value in HISTORY.items()]
    yield csv_head(shown)
    while True:
        page = await history.recent(org, limit=ROWS, before=before)
        first, last = view.period.first, view.period.last
        yield "".join(csv_line(shown, one) for one in page.rows if first <= one.row.created_at.date() <= last)
        before = page.next
        if before is None or page.rows[-1].row.created_at.date() < first:
            return


async def _shares(first: str, shares: Sequence[Share]) -> AsyncIterator[str]:
    shown: list[Column[Share]] = [
        Column(first, lambda one: one.name, lambda one: one.name),
        *(Column(title, value, value) for title, value in FIGURES.items()),
    ]
    yield csv_head(shown) + "".join(csv_line(shown, one) for one in shares)


def _file(name: str, view: View, lines: AsyncIterator[str]) -> StreamingResponse:
    whose = view.org or "all"
    attached = f'attachment; filename="x25-{name}-{whose}-{view.period.first}-{view.period.last}.csv"'
    return StreamingResponse(
        lines, media_type="text/csv; charset=utf-8", headers={"content-disposition": attached}
    )
