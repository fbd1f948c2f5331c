import pytest

from x25.terminal.chat.agent import ChatAgent
from x25.terminal.viewers import OWNER

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def ask(filled):
    async def answered(question, org="acme"):
        return (await ChatAgent(filled[0], OWNER, org).ask(question)).answer

    return answered


def of(calls, org="acme", **named):
    from datetime import UTC, datetime, timedelta

    first = datetime.now(UTC).date() - timedelta(days=29)
    return [
        one for one in calls
        if one.org == org and one.created_at.date() >= first and all(getattr(one, k) == v for k, v in named.items())
    ]  # fmt: skip


async def test_every_amount_equals_a_recomputation_from_the_log(filled, ask):
    mine = of(filled[1])
    paid, saved = sum(one.paid_nusd for one in mine), sum(one.saved_nusd for one in mine)
    assert (await ask("How much did we spend?")).figures == {"paid_nusd": paid, "calls": len(mine)}
    assert (await ask("What did judging cost?")).figures["judge_nusd"] == sum(
        one.judge_cost_nusd for one in mine
    )
    assert (await ask("What does a call cost on average?")).figures["mean_nusd"] == paid / len(mine)
    assert (await ask("How much was saved?")).figures["saved_nusd"] == saved
    share = (await ask("What percentage did we save?")).figures["share"]
    assert share == pytest.approx(saved / sum(one.reference_cost_nusd for one in mine))
    frontier = of(filled[1], tier="frontier")
    assert (await ask("What share of calls went to frontier?")).figures == {
        "calls": len(frontier), "share": len(frontier) / len(mine),
    }  # fmt: skip
    for question, total in (
        ("spend per day", paid),
        ("savings per day", saved),
        ("calls per day", len(mine)),
    ):
        assert (await ask(question)).figures == {"total": total, "days": 30}


async def test_the_first_of_a_list_is_the_largest(filled, ask):
    mine = of(filled[1])
    names = {one.model_id or "none" for one in mine}
    paid = {name: sum(one.paid_nusd for one in mine if (one.model_id or "none") == name) for name in names}
    count = {name: sum((one.model_id or "none") == name for one in mine) for name in names}
    assert (await ask("Which model costs the most?")).figures["first"] == max(paid, key=paid.get)
    assert (await ask("Which model is used most?")).figures["value"] == max(count.values())
    assert count[(await ask("Which model is used least?")).figures["first"]] == min(count.values())
    tiers = (await ask("How many calls by tier?")).rows
    assert sum(int(row[1]) for row in tiers.rows) == len(mine)


async def test_weeks_months_and_budgets(filled, ask):
    compared = await ask("Compare this week with last week")
    assert compared.figures["calls"] > 0
    assert [row[0] for row in compared.rows.rows] == ["Calls", "Paid", "Saved", "Quality"]
    assert (await ask("What will we spend this month?")).figures["month_end"] > 0
    assert (await ask("How much budget is left?")).words == "acme has set no budget."
    assert "choose one" in (await ask("How much budget is left?", None)).words
    assert (await ask("How much did we spend in the last 3 days", "nobody")).figures["calls"] == 0
