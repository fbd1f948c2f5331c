"""What Home and the Observatory tell of an org, or of all for None: read once a page from queries, nothing scanned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ..nodes.org.comparison import compare
from ..nodes.org.quality import quality_of
from ..nodes.services import Services
from ..routing.belief.comparison import Interval
from ..routing.belief.stage import Stage, stage_of
from ..state.latency_buckets import percentiles_ms
from ..state.money.budgets import Budget, day_account
from ..state.queries.call_pages import CallFilter, CallLine
from ..state.queries.periods import (
    Forecast,
    Period,
    Point,
    Share,
    Totals,
    by_day,
    by_model,
    by_tier,
    cost_drivers,
    forecast,
    total,
)
from ..state.queries.rollups import DaySum
from ..state.queries.spreads import (
    Range,
    Rates,
    TaskQuality,
    difference,
    mean_quality,
    quality_by_task,
    rates,
    saved_total,
)

WEEK_DAYS, MONTH_DAYS = 7, 31


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent under one ceiling, reservations included."""

    name: str
    """"day" or "month"."""
    spent_nusd: int
    ceiling_nusd: int


@dataclass(frozen=True, slots=True)
class Home:
    """The last seven days, today included, beside the seven before."""

    week: Totals
    before: Totals
    today: Totals
    saved: Range
    quality: Range | None
    quality_change: Range | None
    believed: Interval | None
    """Share of right answers of all calls, as likely as each is; scores are no probabilities."""
    gain: Interval | None
    """That less what the reference model is believed to reach on the same kinds of task; of one org alone."""
    reference_model: str
    """What calls are measured against now; the log holds what each would have cost on the one of its time."""
    measured_by: str
    drivers: list[Share]
    month: Forecast
    ceilings: list[Spent]
    simulated: float
    """Share of the week's calls that simulated models answered."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A period."""

    sums: list[DaySum]
    totals: Totals
    points: list[Point]
    models: list[Share]
    tiers: list[Share]
    lines: list[CallLine]
    """The newest calls, which quality by task is told of."""
    rates: Rates | None
    percentiles: Mapping[int, float]
    """Milliseconds by percent, of all calls of the period, within 2.4 % of the exact ones."""
    tasks: list[TaskQuality]


async def read_home(services: Services, org: str | None, today: date) -> Home:
    """Return what Home shows."""
    store, week = services.store, Period.ending(today, WEEK_DAYS)
    sums = await store.rollups.days(org, today - timedelta(days=MONTH_DAYS + WEEK_DAYS), today)
    totals, old = total(_within(sums, week)), total(_within(sums, week.before))
    quality, seen = mean_quality(totals), rates(totals)
    compared = await compare(services, org)
    beside = compared.frontier
    reference = await reference_name(services, org)
    return Home(
        week=totals,
        before=old,
        today=total(_within(sums, Period(today, today))),
        saved=saved_total(totals),
        quality=quality,
        quality_change=difference(quality, mean_quality(old)),
        believed=compared.believed,
        gain=beside.quality_gain if beside is not None and beside.model_id == reference else None,
        reference_model=reference,
        measured_by=await measured_by(services, org, totals),
        drivers=cost_drivers(_within(sums, week)),
        month=forecast(sums, today),
        ceilings=await ceilings_of(services, org),
        simulated=0.0 if seen is None else seen.simulated,
    )


async def reference_name(services: Services, org: str | None) -> str:
    """Return which model an org's calls are measured against from now on: its own choice, or else the gateway's."""
    if org is not None:
        settings = await services.org_settings.of(org, services.store, services.clock_s())
        if settings.reference_model is not None and settings.reference_model in services.models:
            return settings.reference_model
    return services.reference.model_id


async def measured_by(services: Services, org: str | None, totals: Totals) -> str:
    """Return in words what quality rests on."""
    judged = totals.judged_share
    words = "no answer was scored yet" if judged is None else (
        f"a judge scored {100 * judged:.0f} % of the answers; free checks and expectations stand for "
        "the others"
    )  # fmt: skip
    if org is None:
        return words
    found = await quality_of(services.store, org, await services.store.calls.stats(org))
    if found is None or not found.labels:
        return words
    return f"{words}; corrected quality over all calls by {found.labels:,} labels: {100 * found.value:.1f} %"


async def ceilings_of(services: Services, org: str | None) -> list[Spent]:
    """Return how an org stands against the budgets it set itself."""
    if org is None:
        return []
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    allowed, day = settings.budgets.ceilings, Budget("", day_account(services.now()), None)
    found = []
    if allowed.day_nusd is not None:
        spent = (await services.store.budgets.read(org, [day.account]))[day.account].spent_nusd
        found.append(Spent("day", spent, allowed.day_nusd))
    if allowed.month_nusd is not None:
        found.append(Spent("month", await services.store.budgets.month_nusd(org, day), allowed.month_nusd))
    return found


async def read_observed(services: Services, wanted: CallFilter) -> Observed:
    """Return what the Observatory shows of the calls that fit."""
    period, rollups = wanted.period, services.store.rollups
    sums = await sums_of(services, wanted)
    lines = await services.store.call_pages.newest(wanted)
    counts = await rollups.latencies(
        wanted.org, period.first, period.last, model_id=wanted.model_id, tier=wanted.tier
    )
    totals = total(sums)
    return Observed(
        sums=sums, totals=totals, points=by_day(sums, period), models=by_model(sums), tiers=by_tier(sums),
        lines=lines, rates=rates(totals), percentiles=percentiles_ms(counts), tasks=quality_by_task(lines),
    )  # fmt: skip


async def sums_of(services: Services, wanted: CallFilter) -> list[DaySum]:
    """Return the sums by day and model of the calls that fit."""
    period = wanted.period
    found = await services.store.rollups.days(wanted.org, period.first, period.last)
    return [
        one for one in found
        if wanted.model_id in (None, one.model_id) and wanted.tier in (None, one.tier)
    ]  # fmt: skip


async def stage_now(services: Services, org: str) -> Stage:
    """Return how far an org's learning has come."""
    return stage_of(await services.store.orgs.call_count(org))


def _within(sums: Sequence[DaySum], period: Period) -> list[DaySum]:
    return [one for one in sums if period.first <= one.day <= period.last]
