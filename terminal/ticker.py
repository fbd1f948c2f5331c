"""The strip below the header: what was saved today, how the gateway is doing, what models cost."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from ..api.admission import Admission
from ..graph.run import Cascade
from ..state.queries.call_pages import CallFilter, CallLine
from ..state.queries.periods import Period, total
from .formats import number, uptime, usd
from .live import EVERY_S, Live
from .markup import Markup, div, join, span, tag
from .viewers import Viewer, is_still

MOST_KEPT = 2_000
NEWEST_CALLS, NEWEST_DAYS = 12, 60
MOST_PRICES = 12


@dataclass(frozen=True, slots=True)
class Tick:
    """What the strip shows; prices in dollars per million tokens."""

    saved_today_nusd: int
    calls_today: int
    open_calls: int | None
    """Of this process; None where it serves pages alone, as of the next two."""
    waiting: int | None
    """Transactions that wait for the store."""
    uptime_s: float | None
    is_simulated: bool
    prices: tuple[tuple[str, float, float], ...]


class Ticker:
    """Reads what every open page asks again and again: once in a few seconds, however many pages there are."""

    def __init__(self, cascade: Cascade, state: Any) -> None:
        self.cascade = cascade
        self._state = state
        self._kept: OrderedDict[tuple[str, object], tuple[float, Any]] = OrderedDict()
        self.live = Live(self.is_still)

    @property
    def admission(self) -> Admission | None:
        """What lets calls into this process; None where it serves pages alone."""
        return getattr(self._state, "admission", None)

    @property
    def is_alone(self) -> bool:
        """Whether this process serves pages and no calls."""
        return self.admission is None

    async def read(self, org: str | None) -> Tick:
        """Return the figures of an org, or of all for None, at most as old as pages ask again."""
        tick: Tick = await self._once(("tick", org), lambda: self._read(org))
        return tick

    async def strip(self, org: str | None) -> str:
        """Return the strip of an org."""

        async def shown() -> str:
            return str(strip(await self.read(org)))

        found: str = await self._once(("strip", org), shown)
        return found

    async def newest(self, org: str | None) -> list[CallLine]:
        """Return the newest calls of an org."""
        today = self.cascade.services.now().date()
        wanted = CallFilter(org, Period(today - timedelta(days=NEWEST_DAYS), today))
        pages = self.cascade.services.store.call_pages
        found: list[CallLine] = await self._once(("newest", org), lambda: pages.page(wanted, NEWEST_CALLS))
        return found

    async def shown(self, key: object, show: Callable[[], Awaitable[str]]) -> str:
        """Return markup that several pages show alike, by a key of theirs."""
        found: str = await self._once(("shown", key), show)
        return found

    async def is_still(self, viewer: Viewer) -> bool:
        """Return whether somebody may still look; before an act, `viewers.is_still` asks the store itself."""
        found: bool = await self._once(("viewer", viewer), lambda: is_still(viewer, self.cascade))
        return found

    async def _once(self, key: tuple[str, object], read: Callable[[], Awaitable[Any]]) -> Any:
        now_s = monotonic()
        kept = self._kept.get(key)
        if kept is not None and now_s - kept[0] < EVERY_S * 0.8:
            return kept[1]
        found = await read()
        self._kept[key] = (now_s, found)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _read(self, org: str | None) -> Tick:
        services, state = self.cascade.services, self._state
        today = services.now().date()
        sums = total(await services.store.rollups.days(org, today, today))
        newest = await self.newest(org)
        specs = services.models if org is None else services.models_of(org)
        prices = sorted(
            (spec.model_id, float(spec.input_usd_per_mtok), float(spec.output_usd_per_mtok))
            for spec in (one.priced_at(services.now()) for one in specs.values())
        )
        admission = self.admission
        return Tick(
            sums.saved_nusd, sums.total_calls, None if admission is None else admission.in_flight,
            None if admission is None else services.store.waiting,
            None if admission is None else monotonic() - state.started_s, bool(newest and newest[0].simulated),
            tuple(sorted(prices, key=lambda one: one[2])[:MOST_PRICES]),
        )  # fmt: skip


def strip(tick: Tick) -> Markup:
    """Return the strip."""
    figures = (
        ("Saved today", usd, tick.saved_today_nusd), ("Calls today", number, tick.calls_today),
        ("In flight", number, tick.open_calls), ("Queue depth", number, tick.waiting),
        ("Router up", uptime, tick.uptime_s),
    )  # fmt: skip
    shown = [
        span("", span("label", name), tag("b", words(value), data_tick=name))
        for name, words, value in figures
        if value is not None
    ]
    prices = [
        span("", span("label", model_id), tag("b", f"${given:,.2f} / ${made:,.2f}"))
        for model_id, given, made in tick.prices
    ]
    label = span("label", "$ per million tokens, in / out")
    simulated = span("tag warn", "simulated models") if tick.is_simulated else None
    return join([simulated, *shown, div("prices", label, *prices)])
