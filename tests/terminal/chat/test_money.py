import re

import pytest

from x25.routing.plan.org_settings import OrgSettings
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
    assert (await ask("When will we run out of budget?")).words == "acme has set no budget."
    assert (await ask("How much did we spend in the last 3 days", "nobody")).figures["calls"] == 0


async def test_whether_a_budget_lasts_is_told_of_the_one_that_was_set(filled, ask):
    services = filled[0].services
    ahead = (await ask("What will we spend this month?")).figures["month_end"]
    for ceiling, told in ((ahead / 2, "does not last"), (ahead * 2, "lasts")):
        settings = OrgSettings.parse({"budgets": {"usd_per_month": ceiling / 1e9}})
        services.org_settings.keep("acme", settings, services.clock_s())
        answer = await ask("Will we stay within the budget?")
        assert answer.words.startswith("The month's budget of $")
        assert f" {told}. At the rate of" in answer.words
        assert answer.figures["month_end"] == ahead
    services.org_settings.forget("acme")


async def test_the_words_name_the_model_that_was_asked_for(filled, ask):
    cheapest = (await ask("Which model is the cheapest?")).words
    prices = {name: spec.output_usd_per_mtok for name, spec in filled[0].services.models.items()}
    assert f"{min(prices, key=prices.get)} the least" in cheapest
    scores = {}
    for one in of(filled[1]):
        if one.quality_score is not None:
            scores.setdefault(one.model_id, []).append(one.quality_score)
    means = {name: sum(each) / len(each) for name, each in scores.items()}
    words = (await ask("Which model is worst?")).words
    assert words.startswith(f"{max(means, key=means.get)} has the highest mean score")
    assert f", {min(means, key=means.get)} the lowest" in words


async def test_days_and_counts_are_told_in_grammar(ask):
    assert " from 2026-01-01 to 2026-01-02: " in (await ask("Spend from 2026-01-01 to 2026-01-02")).words
    assert "over 0 calls" in (await ask("Spend on 2026-01-01")).words
    assert re.search(r"spent in [A-Z][a-z]+ \d{4} \(", (await ask("Spend in january")).words)
