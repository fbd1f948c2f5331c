"""Questions about how calls went: single ones, how good, how fast, how often something happened to them."""

from collections.abc import Callable, Sequence

from ...state.latency_buckets import percentiles_ms
from ...state.queries import spreads
from ...state.queries.call_pages import NEWEST, CallLine
from ...state.queries.periods import by_model
from ...state.queries.spreads import Rates, rates
from ..decisions import why
from ..formats import NOTHING, duration, number, percent, share_range, usd
from .answers import Answer, Look, Rows, Scope

LOG, SUMS = f"the newest {NEWEST:,} calls of the log", "sums by day and model"
COUNTS = "latencies counted by day and model, within 2.4 %"
ROWS = 5


async def dearest_calls(scope: Scope) -> Answer:
    """Which calls cost most."""
    found = sorted(await scope.lines(), key=lambda one: -one.paid_nusd)[: scope.asked.count or ROWS]
    if not found:
        return _none(scope)
    first = found[0]
    words = (
        f"The most expensive call{scope.narrowed} {scope.days} cost {usd(first.paid_nusd)} on "
        f"{first.model_id or 'no model'}: …{first.call_id[-8:]}."
    )
    return Answer(
        words,
        scope.source(LOG),
        lines_table(found),
        figures={"paid_nusd": first.paid_nusd, "call_id": first.call_id},
    )


async def newest_calls(scope: Scope) -> Answer:
    """The newest calls."""
    found = await scope.lines(scope.asked.count or ROWS)
    if not found:
        return _none(scope)
    words = f"The newest {len(found)} calls {scope.days}, newest first."
    return Answer(
        words,
        scope.source("the call log"),
        lines_table(found),
        figures={"calls": len(found), "call_id": found[0].call_id},
    )


async def why_newest(scope: Scope) -> Answer:
    """Why the newest call went where it went."""
    found = await scope.lines(1)
    return await _explained(scope, found[0].call_id) if found else _none(scope)


async def why_call(scope: Scope) -> Answer:
    """Why one call went where it went."""
    return await _explained(scope, scope.asked.call_id or "")


async def _explained(scope: Scope, call_id: str) -> Answer:
    orgs = None if scope.org is None else [scope.org]
    call = await scope.cascade.services.store.call_pages.find(orgs, call_id)
    source = f"the call log; {scope.whose}"
    if call is None:
        return Answer(f"No call {call_id} of {scope.whose} is on record.", source, figures={"found": 0})
    decision = call.decision
    then = ""
    if call.escalations:
        then = f" It was escalated {call.escalations} times, as answers were not good enough."
    if call.fallbacks:
        then += f" {call.fallbacks} times another was asked because one failed."
    words = (
        f"Call …{call_id[-8:]} first asked {decision.get('model_id', NOTHING)}: "
        f"{decision.get('reason', 'no reason is kept')}. It was chosen with probability "
        f"{percent(call.propensity)}.{then} {call.model_id or 'Nobody'} answered; {usd(call.paid_nusd)} "
        f"was paid, {usd(call.saved_nusd)} saved."
    )
    rows = Rows(("Call", "Model", "Tier", "Paid", "Saved"), [
        (call_id, call.model_id or NOTHING, call.tier or NOTHING, usd(call.paid_nusd), usd(call.saved_nusd)),
    ], [(call.org, call_id)])  # fmt: skip
    return Answer(words, source, rows, figures={"model": call.model_id, "paid_nusd": call.paid_nusd})


def lines_table(found: Sequence[CallLine]) -> Rows:
    """Return calls as rows."""
    return Rows(
        ("Call", "Organisation", "Model", "Paid", "Quality", "Took", "Why"),
        [
            (
                one.call_id, one.org, one.model_id or NOTHING, usd(one.paid_nusd), percent(one.quality_score, 0),
                duration(one.latency_ms), why(one),
            )
            for one in found
        ],
        [(one.org, one.call_id) for one in found],
    )  # fmt: skip


def _rate(name: str, share_of: Callable[[Rates], float], words_of: str) -> Look:
    async def look(scope: Scope) -> Answer:
        seen = rates(await scope.totals())
        if seen is None:
            return _none(scope)
        share = share_of(seen)
        words = (
            f"{percent(share)} of the calls{scope.narrowed} {words_of} {scope.days}: {number(share * seen.calls)} of "
            f"{number(seen.calls)}."
        )
        return Answer(words, scope.source(SUMS), figures={"share": share, "calls": seen.calls})

    look.__doc__ = f"How many calls {words_of}."
    look.__name__ = name
    return look


escalations = _rate("escalations", lambda one: one.escalated, "were escalated")
fallbacks = _rate("fallbacks", lambda one: one.fell_back, "fell back to another model or deployment")
failures = _rate("failures", lambda one: one.failed, "failed")


async def judged(scope: Scope) -> Answer:
    """How many calls a judge scored."""
    found = await scope.totals()
    words = (
        f"A judge scored {percent(found.judged_share)} of the calls {scope.days}: {number(found.judged)} "
        f"of {number(found.total_calls)}."
    )
    return Answer(words, scope.source(SUMS), figures={"share": found.judged_share, "judged": found.judged})


async def latency(scope: Scope) -> Answer:
    """How long calls took on average."""
    found = await scope.totals()
    if found.mean_latency_ms is None:
        return _none(scope)
    words = (
        f"Calls{scope.narrowed} took {duration(found.mean_latency_ms)} on average {scope.days}, over "
        f"{number(found.timed)} calls."
    )
    return Answer(words, scope.source(SUMS), figures={"mean_ms": found.mean_latency_ms})


async def percentiles(scope: Scope) -> Answer:
    """How long most calls took."""
    found = percentiles_ms(await scope.latencies())
    if not found:
        return _none(scope)
    words = (
        f"Half of the calls {scope.days} took at most {duration(found[50])}, and 95 of 100 at most "
        f"{duration(found[95])}."
    )
    rows = Rows(("Percentile", "Time"), [(f"p{p}", duration(ms)) for p, ms in found.items()])
    return Answer(words, scope.source(COUNTS), rows, figures={f"p{p}": ms for p, ms in found.items()})


async def quality(scope: Scope) -> Answer:
    """How good answers were."""
    found = await scope.totals()
    if found.mean_quality is None:
        return _none(scope)
    words = (
        f"The mean score{scope.narrowed} {scope.days} is {percent(found.mean_quality)}, over "
        f"{number(found.rated)} calls with one; a judge scored {percent(found.judged_share)} of the "
        "calls, checks and expectations stand for the others."
    )
    return Answer(words, scope.source(SUMS), figures={"quality": found.mean_quality})


async def quality_by_task(scope: Scope) -> Answer:
    """How good answers were by kind of task."""
    found = spreads.quality_by_task(await scope.lines())
    if not found:
        return _none(scope)
    ordered = sorted(found, key=lambda one: -one.mean.value)
    words = (
        f"Best {scope.days}: {ordered[0].task_type} with {percent(ordered[0].mean.value)}; worst: "
        f"{ordered[-1].task_type} with {percent(ordered[-1].mean.value)}."
    )
    rows = Rows(("Kind of task", "Calls", "Mean score", "95 % interval"), [
        (one.task_type, number(one.calls), percent(one.mean.value), share_range(one.mean)) for one in ordered
    ])  # fmt: skip
    return Answer(words, scope.source(LOG), rows, figures={one.task_type: one.mean.value for one in ordered})


async def quality_by_model(scope: Scope) -> Answer:
    """How good answers were by model."""
    rated = [one for one in by_model(await scope.sums()) if one.totals.mean_quality is not None]
    if not rated:
        return _none(scope)
    ordered = sorted(rated, key=lambda one: -(one.totals.mean_quality or 0.0))
    last = ordered[-1]
    lowest = f", {last.name} the lowest: {percent(last.totals.mean_quality)}" if len(ordered) > 1 else ""
    words = (
        f"{ordered[0].name} has the highest mean score {scope.days}: "
        f"{percent(ordered[0].totals.mean_quality)}{lowest}. Models get different prompts, so this "
        "compares no two of them fairly."
    )
    rows = Rows(("Model", "Calls", "Mean score"), [
        (one.name, number(one.totals.total_calls), percent(one.totals.mean_quality)) for one in ordered
    ])  # fmt: skip
    return Answer(
        words, scope.source(SUMS), rows, figures={one.name: one.totals.mean_quality for one in ordered}
    )


def _none(scope: Scope) -> Answer:
    return Answer(
        f"No calls were made{scope.narrowed} {scope.days}.",
        scope.source("the call log"),
        figures={"calls": 0},
    )
