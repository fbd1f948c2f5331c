"""Questions about organisations beside each other, of those that the asker sees, read from the sums by day."""

from collections.abc import Callable

from ...state.queries.rollups import OrgSum
from ..formats import number, percent, usd
from .answers import Answer, Look, Rows, Scope
from .money import SUMS


def _by_org(what: str, worth: Callable[[OrgSum], int], shown: Callable[[int], str]) -> Look:
    """Return a look-up that names the first organisation by some worth, of those that the asker sees."""

    async def look(scope: Scope) -> Answer:
        period, store = scope.asked.period, scope.cascade.services.store
        seen = frozenset(scope.viewer.visible(await store.orgs.list()))
        found = [one for one in await store.rollups.orgs(period.first, period.last) if one.org in seen]
        source = f"{SUMS}; the organisations that you see; UTC days {period.first} to {period.last}"
        if not found:
            return Answer(f"No calls were made {scope.days}.", source, figures={"calls": 0})
        ordered = sorted(found, key=lambda one: (-worth(one), one.org))
        first, everything = ordered[0], sum(map(worth, found))
        words = (
            f"{first.org} {what} {scope.days}: {shown(worth(first))}, "
            f"{percent(worth(first) / everything if everything else None)} of all {shown(everything)}."
        )
        rows = Rows(
            ("Organisation", "Calls", "Paid", "Saved"),
            [
                (one.org, number(one.total_calls), usd(one.paid_nusd), usd(one.saved_nusd))
                for one in ordered[: scope.asked.count or len(ordered)]
            ],
        )
        return Answer(words, source, rows, "./", {"first": first.org, "value": worth(first)})

    look.__doc__ = f"Which organisation {what}."
    return look


spend_by_org = _by_org("paid most", lambda one: one.paid_nusd, usd)
calls_by_org = _by_org("made most calls", lambda one: one.total_calls, number)
