"""What somebody should look at: each with what it means and what to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ..graph.run import Cascade
from ..nodes.services import Services
from ..routing.belief.comparison import right_share_interval
from ..routing.belief.judge_agreement import judge_report
from ..state.queries.periods import Totals
from .figures import Home, Spent
from .formats import counted, number, percent, usd

Level = Literal["bad", "warn"]
NEARLY = 0.8
"""Share of a budget from which it is nearly spent."""
DOWN_PROB = 0.5
LATELY = timedelta(days=14)
FAILING, FAILING_BADLY = 0.05, 0.5
"""Shares of calls without an answer from which it is told, and told first."""
LEAST_FAILED = 3
"""Fewer are not told of: one call may ask for what no model can do."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One sentence, and what to do."""

    level: Level
    words: str
    advice: str


async def alerts_of(cascade: Cascade, org: str | None, home: Home) -> list[Alert]:
    """Return the alerts of an org, or those of no single one for None; the worst first."""
    services = cascade.services
    found = [one for ceiling in home.ceilings if (one := budget_alert(ceiling, home)) is not None]
    found += calls_failing(home) + providers_down(services)
    found += [
        Alert("warn", f"{name}: {reason}", "Calls are answered all the same; see GET /readyz.")
        for name, reason in cascade.degraded().items()
    ]
    if org is not None:
        found += await _of_org(services, org, home)
    return sorted(found, key=lambda one: one.level)


def budget_alert(spent: Spent, home: Home) -> Alert | None:
    """Return what is to say of a ceiling: reached, nearly, or to be passed by the end of the month."""
    share = spent.spent_nusd / spent.ceiling_nusd
    told = f"{percent(share, 0)} of the {spent.name}'s budget of {usd(spent.ceiling_nusd)} is spent"
    if share >= 1:
        return Alert("bad", told, "Calls are refused until it is raised: PATCH /orgs/ORG/settings.")
    if share >= NEARLY:
        return Alert("warn", told, "Raise it, or let cheaper models answer more: optimize_for.")
    if spent.name == "month" and home.month.month_end_nusd > spent.ceiling_nusd:
        words = (
            f"The month is heading for {usd(home.month.month_end_nusd)}, above its budget of "
            f"{usd(spent.ceiling_nusd)}"
        )
        return Alert("warn", words, "At the rate of the last seven days.")
    return None


def calls_failing(home: Home) -> list[Alert]:
    """Return that many of today's calls, or else of the week's, got no answer."""
    for when, totals in (("today", home.today), ("in the last seven days", home.week)):
        share = totals.failed_share or 0.0
        if totals.failed >= LEAST_FAILED and share >= FAILING:
            words = f"{number(totals.failed)} of {counted(totals.total_calls, 'call')} {when} got no answer"
            advice = "Mission control shows which models fail; a failed call's receipt says what was tried."
            return [Alert("bad" if share >= FAILING_BADLY else "warn", words, advice)]
    return []


def providers_down(services: Services) -> list[Alert]:
    """Return the models whose next request is more likely to fail than not."""
    now_s = services.clock_s()
    chances = {
        name: services.health.outlook(spec, now_s).success_prob for name, spec in services.models.items()
    }
    down = {name: chance for name, chance in chances.items() if chance < DOWN_PROB}
    is_any_up = any(spec.role == "chat" and name not in down for name, spec in services.models.items())
    advice = "Others take its calls." if is_any_up else "No other model is left to take its calls."
    return [
        Alert("bad", f"{name} fails: {percent(chance, 0)} of requests are expected to be answered", advice)
        for name, chance in down.items()
    ]


def bar_in_danger(bar: float | None, week: Totals) -> list[Alert]:
    """Return an alert where the share of right answers may be below the bar; a judge's scores are no probabilities."""
    right = right_share_interval(week.believed, week.right_prob)
    if bar is None or right is None or (right.value if right.low is None else right.low) >= bar:
        return []
    words = (
        f"Of this week's answers {percent(right.value)} are likely right, which is not safely above the bar of "
        f"{percent(bar)}"
    )
    return [Alert("bad" if right.value < bar else "warn", words, "Label some answers, to know for sure.")]


async def _of_org(services: Services, org: str, home: Home) -> list[Alert]:
    found = []
    settings = await services.org_settings.of(org, services.store, services.clock_s())
    found += bar_in_danger(settings.quality_bar, home.week)
    found += await _drifts(services, org, services.now())
    return found + await _weak_judges(services, org)


async def _drifts(services: Services, org: str, now: datetime) -> list[Alert]:
    alarms = await services.store.labelled.alarms(org)
    return [
        Alert(
            "warn",
            f"{one.model_id} changed: its answers are not as good, or as bad, as they were",
            "It is learnt anew.",
        )
        for one in alarms
        if now - one.at < LATELY
    ]


async def _weak_judges(services: Services, org: str) -> list[Alert]:
    default = services.judge_table
    counts = await services.store.judge_tables.counts(org, default.edges)
    reports = [judge_report(name, default, one.right, one.wrong) for name, one in counts.items()]
    return [
        Alert(
            "warn",
            f"The judge {one.judge} agrees too little with labels (AUC {one.served_auc:.2f})",
            "Choose another.",
        )
        for one in reports
        if not one.is_trusted
    ]
