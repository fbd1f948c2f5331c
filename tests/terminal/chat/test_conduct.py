import pytest

from x25.state.latency_buckets import ERROR
from x25.terminal.chat.agent import ChatAgent
from x25.terminal.viewers import OWNER

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def ask(filled):
    async def answered(question, org="acme"):
        return (await ChatAgent(filled[0], OWNER, org).ask(question)).answer

    return answered


@pytest.fixture
def mine(filled):
    from datetime import UTC, datetime, timedelta

    first = datetime.now(UTC).date() - timedelta(days=29)
    return [one for one in filled[1] if one.org == "acme" and one.created_at.date() >= first]


async def test_shares_equal_a_recomputation_from_the_log(ask, mine):
    expected = {
        "How many calls were escalated?": sum(one.escalations > 0 for one in mine),
        "What is the fallback rate?": sum(one.fallbacks > 0 for one in mine),
        "How many calls failed?": sum(one.status == "failed" for one in mine),
        "What share of calls is judged?": sum(one.quality_source == "judge" for one in mine),
    }
    for question, count in expected.items():
        assert (await ask(question)).figures["share"] == pytest.approx(count / len(mine)), question


async def test_quality_and_time_equal_a_recomputation_from_the_log(ask, mine):
    scores = [one.quality_score for one in mine if one.quality_score is not None]
    assert (await ask("How good are the answers?")).figures["quality"] == pytest.approx(
        sum(scores) / len(scores)
    )
    mean = sum(one.latency_ms for one in mine) / len(mine)
    assert (await ask("How fast are answers?")).figures["mean_ms"] == pytest.approx(mean)
    median = sorted(one.latency_ms for one in mine)[-(-len(mine) // 2) - 1]
    assert (await ask("What is the p95 latency?")).figures["p50"] == pytest.approx(median, rel=ERROR)
    tasks = (await ask("Quality by kind of task")).figures
    assert set(tasks) == {one.task_type for one in mine if one.quality_score is not None}
    assert set((await ask("Quality by model")).figures) == {one.model_id for one in mine if one.model_id}


async def test_single_calls_are_explained_with_a_link(ask, mine):
    dearest = max(mine, key=lambda one: one.paid_nusd)
    found = await ask("Show the five most expensive calls")
    assert found.figures["paid_nusd"] == dearest.paid_nusd
    assert len(found.rows.call_ids) == 5
    newest = await ask("Why did the latest call go where it went?")
    assert newest.rows.call_ids == [("acme", mine[-1].call_id)]
    one = await ask(f"Why did call {mine[3].call_id} go where it went?")
    assert one.figures == {"model": mine[3].model_id, "paid_nusd": mine[3].paid_nusd}
    assert (await ask("Why did call 00000000000000000000ffffffff go where it went?")).figures == {"found": 0}
    assert (await ask("List the newest calls")).figures["call_id"] == mine[-1].call_id
    assert "No calls" in (await ask("How fast are answers?", "nobody")).words
