"""Questions about money and volume, read from the sums by day and model."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...state.queries.periods import Period, Share, Totals, by_day, by_model, by_tier, forecast, total
from ...state.queries.rollups import DaySum
from ..figures import MONTH_DAYS, ceilings_of, reference_name
from ..formats import NOTHING, change, counted, number, percent, point_change, usd
from .answers import Answer, Look, Rows, Scope

SUMS = "sums by day and model"
MOST_DAYS_SHOWN = 31


async def spend(scope: Scope) -> Answer:
    """What was spent."""
    found = await scope.totals()
    words = (
        f"{usd(found.paid_nusd)} was spent{scope.narrowed} {scope.days}: {usd(found.cost_nusd)} for "
        f"answers and {usd(found.judge_cost_nusd)} for judging, over {counted(found.total_calls, 'call')}."
    )
    return Answer(
        words, scope.source(SUMS), figures={"paid_nusd": found.paid_nusd, "calls": found.total_calls}
    )


async def spend_judge(scope: Scope) -> Answer:
    """What judging cost."""
    found = await scope.totals()
    share = found.judge_cost_nusd / found.paid_nusd if found.paid_nusd else None
    words = f"Judging cost {usd(found.judge_cost_nusd)} {scope.days}, {percent(share)} of everything paid."
    return Answer(words, scope.source(SUMS), figures={"judge_nusd": found.judge_cost_nusd})


async def spend_per_call(scope: Scope) -> Answer:
    """What a call cost on average."""
    found = await scope.totals()
    if not found.total_calls:
        return _no_calls(scope)
    mean = found.paid_nusd / found.total_calls
    words = (
        f"A call{scope.narrowed} cost {usd(mean)} on average {scope.days}, over "
        f"{counted(found.total_calls, 'call')}, judging included."
    )
    return Answer(words, scope.source(SUMS), figures={"mean_nusd": mean})


async def saved(scope: Scope) -> Answer:
    """What was saved against the reference."""
    found = await scope.totals()
    reference = await reference_name(scope.cascade.services, scope.org)
    words = (
        f"Routing saved {usd(found.saved_nusd)}{scope.narrowed} {scope.days}: the answers' tokens would "
        f"have cost {usd(found.reference_cost_nusd)} on the reference model (now {reference}), and "
        f"{usd(found.paid_nusd)} was paid, judging included."
    )
    return Answer(words, scope.source(SUMS), figures={"saved_nusd": found.saved_nusd})


async def saved_share(scope: Scope) -> Answer:
    """Which share was saved."""
    found = await scope.totals()
    if found.saved_share is None:
        return _no_calls(scope)
    words = (
        f"{percent(found.saved_share)} of what the reference model would have cost was saved "
        f"{scope.days}, judging included ({usd(found.saved_nusd)} of {usd(found.reference_cost_nusd)})."
    )
    return Answer(words, scope.source(SUMS), figures={"share": found.saved_share})


async def calls(scope: Scope) -> Answer:
    """How many calls there were."""
    found = await scope.totals()
    asked, were = scope.asked, "was" if found.total_calls == 1 else "were"
    words = f"{counted(found.total_calls, 'call')} {were} made{scope.narrowed} {scope.days}"
    figures: dict[str, str | int | float | None] = {"calls": found.total_calls}
    if asked.model or asked.tier:
        everything = total(
            await scope.cascade.services.store.rollups.days(scope.org, asked.period.first, asked.period.last)
        )
        share = found.total_calls / everything.total_calls if everything.total_calls else None
        words += f", {percent(share)} of all {number(everything.total_calls)}"
        figures["share"] = share
    return Answer(words + ".", scope.source(SUMS), figures=figures)


def _no_calls(scope: Scope) -> Answer:
    return Answer(
        f"No calls were made{scope.narrowed} {scope.days}.", scope.source(SUMS), figures={"calls": 0}
    )


def _shares(shares: Sequence[Share], name: str) -> Rows:
    everything = sum(one.totals.total_calls for one in shares)
    return Rows(
        (name, "Calls", "Share", "Paid", "Saved", "Quality"),
        [
            (one.name, number(one.totals.total_calls),
             percent(one.totals.total_calls / everything if everything else None),
             usd(one.totals.paid_nusd), usd(one.totals.saved_nusd), percent(one.totals.mean_quality))
            for one in shares
        ],
    )  # fmt: skip


def _led(
    what: str, read: Callable[[Sequence[DaySum]], list[Share]], worth: Callable[[Totals], float],
    shown: Callable[[float], str],    name: str,
) -> Look:  # fmt: skip
    """Return a look-up that names the first by some worth, and shows all."""

    async def look(scope: Scope) -> Answer:
        shares = sorted(read(await scope.sums()), key=lambda one: -worth(one.totals))
        if not shares:
            return _no_calls(scope)
        first = shares[0]
        words = f"{first.name} {what} {scope.days}: {shown(worth(first.totals))}."
        rows = _shares(shares[: scope.asked.count or len(shares)], name)
        figures: dict[str, str | int | float | None] = {"first": first.name, "value": worth(first.totals)}
        return Answer(words, scope.source(SUMS), rows, figures=figures)

    look.__doc__ = f"Which {name.lower()} {what}."
    return look


def _paid(totals: Totals) -> float:
    return totals.paid_nusd


def _count(totals: Totals) -> float:
    return totals.total_calls


def _calls_words(value: float) -> str:
    return counted(value, "call")


spend_by_model = _led("cost most", by_model, _paid, usd, "Model")
spend_by_tier = _led("cost most", by_tier, _paid, usd, "Tier")
calls_by_model = _led("took most calls", by_model, _count, _calls_words, "Model")
calls_by_tier = _led("took most calls", by_tier, _count, _calls_words, "Tier")


async def least_model(scope: Scope) -> Answer:
    """Which model took fewest calls of those that took any."""
    shares = by_model(await scope.sums())
    if not shares:
        return _no_calls(scope)
    last = shares[-1]
    words = (
        f"{last.name} took fewest calls {scope.days} of those that took any: "
        f"{number(last.totals.total_calls)}."
    )
    return Answer(words, scope.source(SUMS), _shares(shares, "Model"), figures={"first": last.name})


def _daily(worth: Callable[[Totals], int], shown: Callable[[float], str], what: str) -> Look:
    async def look(scope: Scope) -> Answer:
        points = by_day(await scope.sums(), scope.asked.period)
        values = [worth(one.totals) for one in points]
        words = (
            f"{what}{scope.narrowed} {scope.days}: {shown(sum(values))} in all, "
            f"{shown(sum(values) / len(values))} a day on average."
        )
        rows = Rows(
            ("Day", what),
            [(str(one.day), shown(value)) for one, value in zip(points, values, strict=True)][
                -MOST_DAYS_SHOWN:
            ],
        )
        return Answer(words, scope.source(SUMS), rows, figures={"total": sum(values), "days": len(values)})

    look.__doc__ = f"{what} a day."
    return look


spend_by_day = _daily(lambda one: one.paid_nusd, usd, "Spend")
saved_by_day = _daily(lambda one: one.saved_nusd, usd, "Savings")
calls_by_day = _daily(lambda one: one.total_calls, number, "Calls")


async def compare(scope: Scope) -> Answer:
    """Two stretches of days, side by side."""
    other = scope.asked.other
    assert other is not None
    new, old = await scope.totals(), await scope.totals(other.period)
    figures = (
        ("Calls", number, change, new.total_calls, old.total_calls),
        ("Paid", usd, change, new.paid_nusd, old.paid_nusd),
        ("Saved", usd, change, new.saved_nusd, old.saved_nusd),
        ("Quality", percent, point_change, new.mean_quality, old.mean_quality),
    )
    rows = Rows(
        (
            "", f"{scope.asked.period.first} to {scope.asked.period.last}",
            f"{other.period.first} to {other.period.last}", "Change",
        ),
        [
            (name, NOTHING if a is None else shown(a), NOTHING if b is None else shown(b), changed(a, b))
            for name, shown, changed, a, b in figures
        ],
    )  # fmt: skip
    words = (
        f"{scope.asked.span.words.capitalize()} beside {other.words}: paid {usd(new.paid_nusd)} after "
        f"{usd(old.paid_nusd)}, saved {usd(new.saved_nusd)} after {usd(old.saved_nusd)}, "
        f"{counted(new.total_calls, 'call')} after {number(old.total_calls)}."
    )
    told = {
        "paid": new.paid_nusd,
        "paid_before": old.paid_nusd,
        "calls": new.total_calls,
        "calls_before": old.total_calls,
    }
    return Answer(words, scope.source(SUMS), rows, "./", dict(told))


async def month_end(scope: Scope) -> Answer:
    """Where the month is heading."""
    services = scope.cascade.services
    today = services.now().date()
    period = Period.ending(today, MONTH_DAYS + 7)
    found = forecast(await services.store.rollups.days(scope.org, period.first, period.last), today)
    left = {0: "this is its last day", 1: "one day is left"}.get(
        found.days_left, f"{found.days_left} days are left"
    )
    words = (
        f"At the rate of the last seven days the month ends at {usd(found.month_end_nusd)} "
        f"({usd(found.low_nusd)} to {usd(found.high_nusd)}, as the cheapest and the dearest of these "
        f"days); {usd(found.spent_nusd)} is spent so far and {left}."
    )
    source = f"{SUMS}; {scope.whose}; UTC days {period.first} to {period.last}"
    return Answer(
        words, source, page="./", figures={"month_end": found.month_end_nusd, "spent": found.spent_nusd}
    )


async def budget_forecast(scope: Scope) -> Answer:
    """Whether the month's budget lasts."""
    standing = await budget(scope)
    ceilings = {} if scope.org is None else {
        one.name: one.ceiling_nusd for one in await ceilings_of(scope.cascade.services, scope.org)
    }  # fmt: skip
    if "month" not in ceilings:
        none_a_month = " None is set for the month, so nothing can be said of its end." if ceilings else ""
        return replace(standing, words=standing.words + none_a_month)
    ahead = await month_end(scope)
    is_passed = float(ahead.figures["month_end"] or 0) > ceilings["month"]
    verdict = f"The month's budget of {usd(ceilings['month'])} {'does not last' if is_passed else 'lasts'}. "
    return Answer(
        verdict + ahead.words,
        f"{standing.source}; {ahead.source}",
        page="./",
        figures=ahead.figures | {"budget": ceilings["month"]},
    )


async def budget(scope: Scope) -> Answer:
    """What is left of the budgets."""
    source = f"settings and accounts; {scope.whose}"
    if scope.org is None:
        return Answer("Budgets are set an organisation: choose one above, or name it.", source, page="./")
    found = await ceilings_of(scope.cascade.services, scope.org)
    if not found:
        return Answer(f"{scope.org} has set no budget.", source, page="./", figures={"budgets": 0})
    told = [
        f"of the {one.name}'s {usd(one.ceiling_nusd)}, "
        f"{usd(max(0, one.ceiling_nusd - one.spent_nusd))} is left ({usd(one.spent_nusd)} spent or "
        "reserved)"
        for one in found
    ]
    return Answer(
        f"{'; '.join(told)}.".capitalize(),
        source,
        page="./",
        figures={one.name: one.ceiling_nusd - one.spent_nusd for one in found},
    )
