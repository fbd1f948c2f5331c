"""Cards of mission control that tell of the gateway: ways to models, its queues, its cache, its limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..providers.breaker import BreakerState
from .formats import NOTHING, number, percent
from .frame import View
from .markup import Markup, div, join, span, tag
from .tables import Column, table

ALONE = "These pages run in a process of their own. Each gateway tells of itself: GET /readyz, GET /metrics."
GOOD_PROB, FAIR_PROB = 0.95, 0.5
MIB = 1e6
BREAKERS: dict[BreakerState, tuple[str, str]] = {
    "closed": ("", "closed"), "open": ("bad", "open"), "half_open": ("warn", "half open: one request tries"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a model, as this process sees it."""

    model_id: str
    deployment: str
    success_prob: float | None
    """None = not asked lately."""
    failed: float
    breaker: BreakerState
    wait_s: float


def ways(view: View) -> list[Way]:
    """Return all ways to all models."""
    services, found = view.cascade.services, []
    now_s, breakers = services.clock_s(), services.gateway.breakers
    for spec in services.models.values():
        seen = services.health.seen(spec.model_id)
        for one in spec.deployments:
            health = seen.get(one.name)
            lately = None if health is None else health.at(now_s)
            found.append(Way(
                spec.model_id, one.name, None if lately is None else lately.success_prob,
                0.0 if lately is None else lately.failed, breakers.state_of(one, now_s), breakers.wait_s(one, now_s),
            ))  # fmt: skip
    return found


def deployments(view: View) -> Markup:
    """Return how each way to a model does lately, in this process, and whether its circuit breaker lets anybody by."""
    if view.ticker.is_alone:
        return tag("h2", "Deployments") + tag("p", ALONE, class_="muted")
    columns: list[Column[Way]] = [
        Column("Model", lambda one: one.model_id), Column("Deployment", lambda one: one.deployment),
        Column("State", lambda one: state_of(one.success_prob)), Column("Circuit breaker", breaker_of),
        Column(
            "Expected to answer",
            lambda one: "not asked lately" if one.success_prob is None else percent(one.success_prob),
            lambda one: one.success_prob, is_number=True,
        ),
        Column(
            "Recent failures", lambda one: NOTHING if one.success_prob is None else f"{one.failed:.1f}",
            lambda one: one.failed, is_number=True,
        ),
    ]  # fmt: skip
    services = view.cascade.services
    keys = [
        div(
            "alert",
            span("tag bad", one.state.replace("_", " ")),
            f"key {one.label.key} of {one.label.deployment}",
        )
        for one in services.gateway.breakers.told(services.clock_s())
        if one.label.key
    ]
    note = "Recent requests of this process; a failing one is asked less, and tried again as its failures age"
    rows = table(columns, ways(view), label="Deployments", file="deployments")
    return tag("h2", "Deployments") + div("small muted", note) + rows + join(keys)


def breaker_of(way: Way) -> Markup:
    """Return the state of a breaker, and how long it rests."""
    level, words = BREAKERS[way.breaker]
    rest = f", tried again in {way.wait_s:.0f} s" if way.breaker == "open" else ""
    return span(f"tag {level}", words + rest)


def state_of(success_prob: float | None) -> Markup:
    """Return how a way does in a word."""
    if success_prob is None:
        return join([span("dot", style="background: var(--none)"), "idle"])
    level, words = (
        ("", "answers") if success_prob >= GOOD_PROB
        else ("warn", "shaky") if success_prob >= FAIR_PROB
        else ("bad", "failing")
    )  # fmt: skip
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
    return tag("h2", "Gateway") + pairs(figures, *(troubles or [pair("Degraded", "nothing")]))


async def cache(view: View) -> Markup:
    """Return what answers given again saved, how often one was found, and how much room they take."""
    services = view.cascade.services
    stats, caches = await services.store.calls.stats(view.org), services.caches
    figures = {
        "Calls served from it": f"{number(stats.cache_hits)} of {number(stats.total_calls)}",
    }  # fmt: skip
    if caches is not None:
        count, size = await caches.stored(view.org)
        bounds = caches.bounds
        most = bounds.all_bytes if view.org is None else bounds.org_bytes
        figures["Answers in the store"] = f"{number(count)}, {size / MIB:.1f} of {most / MIB:,.0f} MB"
        if not view.ticker.is_alone:
            figures["Found by this process"] = f"{number(caches.hits)} hits, {number(caches.misses)} misses"
            figures["In its memory"] = f"{caches.here_bytes / MIB:.1f} MB"
    note = "Off until an org or a call asks for it; a hit costs nothing and teaches nothing"
    return tag("h2", "Cache") + div("small muted", note) + pairs(figures)


async def limits(view: View) -> Markup:
    """Return what is allowed: to the gateway at once, and to the org a minute, a day and a month."""
    services = view.cascade.services
    figures = {} if view.ticker.admission is None else {
        "Calls at once, now": number(view.ticker.admission.in_flight),
        "Calls at once, most": number(view.ticker.admission.limit),
        "Refused as too many": number(view.ticker.admission.refused),
    }  # fmt: skip
    if view.org is None:
        return (
            tag("h2", "Limits")
            + pairs(figures)
            + tag("p", "Those of an organisation: choose one.", class_="muted small")
        )
    allowed = (await services.org_settings.of(view.org, services.store, services.clock_s())).limits
    named = {
        "Requests a minute": allowed.requests_per_minute, "Tokens a minute": allowed.tokens_per_minute,
        "Its calls at once": allowed.concurrent_calls, "Tokens a day": allowed.tokens_per_day,
        "Tokens a month": allowed.tokens_per_month,
    }  # fmt: skip
    of_org = {name: number(value) for name, value in named.items() if value}
    return tag("h2", "Limits") + pairs(figures | (of_org or {"Of the organisation": "none set"}))


def pairs(figures: Mapping[str, str], *more: Markup) -> Markup:
    """Return names and values, one below the other."""
    return div("rows", *(pair(name, value) for name, value in figures.items()), *more)


def pair(name: str, value: str) -> Markup:
    """Return a name and its value on one line."""
    return div("pair", span("", name), tag("b", value))
