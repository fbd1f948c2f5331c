from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.nodes.records.attempts import Recording, attempt_prefix
from x25.providers.base import Completion
from x25.providers.windows import PriceWindow
from x25.state.errors import ProviderBadRequest, ProviderError, ProviderServer, ProviderTimeout
from x25.state.usage import Usage

COMPLETION = Completion(
    message={"role": "assistant", "content": "Paris"},
    finish_reason="stop",
    usage=Usage(1000, 100),
    model="m",
    latency_ms=1.23456,
    deployment="simulator",
)


@pytest.fixture
def recording(services):
    return Recording(services, "acme", "c1", 0, "answer", services.spec("sim/tiny-1"), 700)


async def stored(recording):
    return await recording.services.store.attempts.for_call("acme", "c1")


def test_attempt_ids_say_nothing_of_the_org_and_are_always_the_same():
    first = attempt_prefix("acme", "c1", "answer", 0)
    assert first == attempt_prefix("acme", "c1", "answer", 0)
    assert "acme" not in first
    assert "c1" not in first.split("-")[0]
    others = {
        attempt_prefix("acme", "c1", "judge", 0),
        attempt_prefix("acme", "c1", "answer", 1),
        attempt_prefix("acme", "c2", "answer", 0),
        attempt_prefix("acm", "e/c1", "answer", 0),
    }
    assert len(others | {first}) >= 4


async def test_a_request_is_written_down_with_its_reservation_before_it_is_made(recording):
    attempt_id = await recording.begin("simulator")
    (attempt,) = await stored(recording)
    assert (attempt.attempt_id, attempt.status, attempt.spent_nusd) == (attempt_id, "started", 700)
    assert recording.made == ()


async def test_an_answer_settles_at_the_registered_price_or_the_reported_one(recording):
    recording.reserved_nusd = 500_000
    await recording.finish(await recording.begin("simulator"), COMPLETION)
    with_price = replace(COMPLETION, usage=replace(COMPLETION.usage, reported_cost_usd=0.001))
    await recording.finish(await recording.begin("simulator"), with_price)
    computed, reported = await stored(recording)
    assert (computed.status, computed.cost_nusd, computed.cost_source) == (
        "finished",
        1000 * 50 + 100 * 200,
        "computed",
    )
    assert (reported.cost_nusd, reported.cost_source) == (1_000_000, "reported")
    assert (computed.prompt_tokens, computed.completion_tokens, computed.response) == (1000, 100, None)
    assert computed.finished_at >= computed.started_at


async def test_a_bill_far_beyond_the_reservation_is_booked_at_the_reservation_and_disputed(recording):
    absurd = replace(COMPLETION, usage=replace(COMPLETION.usage, completion_tokens=10**9))
    await recording.finish(await recording.begin("simulator"), absurd)
    (attempt,) = await stored(recording)
    billed_nusd = recording.spec.cost_nusd(absurd.usage)
    assert (attempt.cost_nusd, attempt.disputed_nusd) == (700, billed_nusd - 700)
    assert recording.spent_nusd == 700
    assert recording.made[0].disputed_nusd == billed_nusd - 700


async def test_under_a_cap_no_bill_passes_what_is_left(recording):
    recording.left_nusd = 1_500
    for completion_tokens in (5, 15):  # 200 nano-dollars each, of which the second passes what is left
        usage = replace(
            COMPLETION.usage, prompt_tokens=0, completion_tokens=completion_tokens, cached_tokens=0
        )
        await recording.finish(await recording.begin("simulator"), replace(COMPLETION, usage=usage))
        recording.reserved_nusd = 400
    assert [(one.cost_nusd, one.disputed_nusd) for one in recording.made] == [(1_000, 0), (500, 2_500)]


async def test_an_answer_without_usage_keeps_its_reservation(recording):
    await recording.finish(await recording.begin("simulator"), replace(COMPLETION, usage=None))
    (attempt,) = await stored(recording)
    assert (attempt.cost_nusd, attempt.cost_source) == (700, "reserved")


async def test_a_failure_costs_nothing_unless_the_work_may_have_been_done(recording):
    await recording.fail(await recording.begin("simulator"), ProviderServer("no"))
    await recording.fail(await recording.begin("simulator"), ProviderTimeout("no"))
    assert [(one.error, one.spent_nusd) for one in recording.made] == [("server", 0), ("timeout", 700)]
    assert recording.spent_nusd == 700
    assert len({one.attempt_id for one in recording.made}) == 2


async def test_no_second_request_is_made_that_could_pass_the_cap(recording, services):
    capped = replace(recording, left_nusd=1300)
    await capped.fail(await capped.begin("simulator"), ProviderServer("costs nothing"))
    await capped.fail(await capped.begin("simulator"), ProviderTimeout("may have cost 700"))
    with pytest.raises(ProviderError, match="cost cap"):
        await capped.begin("simulator")
    assert len(await stored(recording)) == 2


async def test_the_completion_is_kept_only_where_calls_can_be_resumed(recording):
    resumable = replace(recording.services, limits=replace(recording.services.limits, resumable=True))
    kept = replace(recording, services=resumable)
    await kept.finish(await kept.begin("simulator"), COMPLETION)
    (attempt,) = await stored(recording)
    assert attempt.response["message"] == COMPLETION.message


async def test_another_process_recalls_what_was_asked_and_numbers_on(recording):
    await recording.fail(await recording.begin("simulator"), ProviderServer("no"))
    out = await recording.begin("simulator")
    after = replace(recording, open_attempts={}, settled=[])
    prior = await after.recall()
    assert (prior.attempt_id, prior.status) == (out, "started")
    assert [one.status for one in after.made] == ["failed"]
    after.adopt(prior)
    assert await after.begin("simulator") == out
    await after.fail(out, ProviderServer("no"))
    assert (await after.begin("simulator")).endswith("-2")


async def test_only_what_this_step_asked_is_recalled(recording):
    await recording.fail(await recording.begin("simulator"), ProviderServer("no"))
    for other in (replace(recording, step=1, settled=[]), replace(recording, kind="judge", settled=[])):
        assert await other.recall() is None
        assert other.made == ()


async def test_an_interrupted_attempt_stays_spent_and_is_named_in_the_error(recording):
    out = await recording.begin("simulator")
    error = await recording.interrupt(recording.open_attempts[out])
    assert out in str(error)
    (attempt,) = await stored(recording)
    assert (attempt.status, attempt.error, attempt.cost_nusd) == ("interrupted", "interrupted", 700)


async def test_what_was_made_holds_no_text(recording):
    resumable = replace(recording.services, limits=replace(recording.services.limits, resumable=True))
    kept = replace(recording, services=resumable)
    await kept.finish(await kept.begin("simulator"), COMPLETION)
    assert "Paris" in str(kept.settled)
    assert "Paris" not in str(kept.made)


async def test_the_health_book_is_told_how_requests_went(recording):
    book, spec = recording.services.health, recording.spec
    await recording.finish(await recording.begin("simulator"), COMPLETION)
    assert book.outlook(spec, 0.0).success_prob == 1.0
    await recording.fail(await recording.begin("simulator"), ProviderServer("down"))
    success_prob = book.outlook(spec, recording.services.clock_s()).success_prob
    assert success_prob < 1.0
    await recording.fail(await recording.begin("simulator"), ProviderBadRequest("the body's own fault"))
    assert book.outlook(spec, recording.services.clock_s()).success_prob == pytest.approx(
        success_prob, abs=0.01
    )


async def test_without_a_bill_of_the_provider_the_cost_is_that_of_the_time_of_day(services):
    spec = services.spec("sim/tiny-1")
    double = {name: getattr(spec, name) * 2 for name in ("input_usd_per_mtok", "output_usd_per_mtok")}
    models = {spec.model_id: replace(spec, price_windows=(PriceWindow(60, 240, "UTC", **double),))}
    costs = []
    for hour in (2, 12):
        at = replace(services, models=models, now=lambda hour=hour: datetime(2026, 11, 20, hour, tzinfo=UTC))
        made = Recording(at, "acme", f"at-{hour}", 0, "answer", at.spec(spec.model_id), 10_000_000)
        await made.finish(await made.begin("simulator"), COMPLETION)
        costs.append(made.settled[0].cost_nusd)
    assert costs[0] == 2 * costs[1] > 0
