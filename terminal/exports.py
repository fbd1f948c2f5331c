"""Every table as CSV: the calls row by row while they are read, the sums by day, model and tier."""

from collections.abc import AsyncIterator, Callable, Sequence

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..state.errors import Forbidden, InvalidRequest
from ..state.queries.call_pages import Place
from ..state.queries.periods import Share, by_day, by_model, by_tier
from .decisions import columns, filter_of
from .frame import View, view_of
from .tables import Column, csv_head, csv_line

ROWS = 1_000


def _usd(name: str) -> Callable[[Share], str]:
    return lambda share: f"{getattr(share.totals, f'{name}_nusd') / 1e9:.9f}"


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
        return JSONResponse({"error": {"message": str(error)}}, 403 if isinstance(error, Forbidden) else 422)
    if name == "calls":
        return _file(name, view, _calls(view))
    sums = await view.cascade.services.store.rollups.days(view.org, view.period.first, view.period.last)
    if name == "days":
        shares = [Share(one.day.isoformat(), one.totals) for one in by_day(sums, view.period)]
        return _file(name, view, _shares("day", shares))
    if name in {"models", "tiers"}:
        return _file(name, view, _shares(name[:-1], by_model(sums) if name == "models" else by_tier(sums)))
    return JSONResponse({"error": {"message": "calls, days, models or tiers"}}, 404)


async def _calls(view: View) -> AsyncIterator[str]:
    pages, shown, start = view.cascade.services.store.call_pages, columns(view), None
    yield csv_head(shown)
    while lines := await pages.page(filter_of(view), ROWS, start):
        yield "".join(csv_line(shown, one) for one in lines)
        start = Place.of(lines[-1])


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
