from datetime import UTC, datetime, timedelta

import pytest

from x25.terminal.chat.agent import ChatAgent
from x25.terminal.viewers import OWNER, Viewer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def of(calls, org):
    first = datetime.now(UTC).date() - timedelta(days=29)
    return [one for one in calls if one.org == org and one.created_at.date() >= first]


async def test_organisations_are_told_apart_as_far_as_the_asker_sees_them(filled):
    async def ask(question, org):
        return (await ChatAgent(filled[0], OWNER, org).ask(question)).answer

    paid = {org: sum(one.paid_nusd for one in of(filled[1], org)) for org in ("acme", "beta")}
    count = {org: len(of(filled[1], org)) for org in paid}
    for asker_org in (None, "beta"):
        dearest = await ask("Which organisation spends the most?", asker_org)
        first = max(paid, key=paid.get)
        assert dearest.figures == {"first": first, "value": paid[first]}
        assert [row[0] for row in dearest.rows.rows] == sorted(paid, key=lambda org: -paid[org])
    busiest = await ask("How many calls per organisation?", None)
    assert busiest.figures == {"first": max(count, key=count.get), "value": max(count.values())}
    member = ChatAgent(filled[0], Viewer("ann", ("beta",), "t"), "beta")
    assert [row[0] for row in (await member.ask("spend per org")).answer.rows.rows] == ["beta"]
