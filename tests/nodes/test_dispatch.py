from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.nodes.dispatch import dispatch
from x25.providers.windows import PriceWindow


async def test_the_decided_model_is_asked_and_its_answer_kept_with_the_attempt_it_took(
    walk_to_model, services
):
    call = await walk_to_model("dispatch", "sim-e")
    (answer,) = call.answers
    assert (answer.model_id, answer.provider, answer.tier, answer.step) == (
        "sim/large-5", "sim-e", "frontier", 0,
    )  # fmt: skip
    assert answer.message["content"]
    assert answer.simulated
    assert answer.predicted_prob == call.estimate.completion_probs["sim/large-5"]
    assert (answer.failure, answer.verdict) == (None, None)
    assert call.bought == call.answers
    assert list(answer.attempts) == await services.store.attempts.for_call("default", call.call_id)


async def test_options_reach_the_model_and_a_limit_is_always_sent(walk_to_model, services):
    (answer,) = (await walk_to_model("dispatch", options={"max_completion_tokens": 3})).answers
    assert (answer.usage["completion_tokens"], answer.finish_reason) == (3, "length")
    brief = replace(services, limits=replace(services.limits, default_max_output_tokens=2))
    (answer,) = (await walk_to_model("dispatch", using=brief)).answers
    assert answer.usage["completion_tokens"] == 2


async def test_one_limit_is_sent_whatever_the_options_hold(walk_to_model, services):
    call = await walk_to_model("thompson_select")
    call = replace(call, options={"max_tokens": 9, "max_completion_tokens": 4})
    (answer,) = (await dispatch(call, services))["answers"]
    assert answer.usage["completion_tokens"] == 4


async def test_the_answer_is_cut_to_what_the_cap_pays_for(walk_to_model, services):
    call = await walk_to_model("dispatch", "sim-f", prompt="hi", policy={"max_cost_per_call_usd": 0.0018})
    (attempt,) = await services.store.attempts.for_call("default", call.call_id)
    assert attempt.cost_nusd <= attempt.reserved_nusd <= 1_800_000


async def test_the_reservation_bounds_the_bill(walk_to_model, services, bills):
    for prompt in ("hi", "Grüße 🌍 " * 50, "x" * 3000):
        call = await walk_to_model("dispatch", prompt=prompt)
        (attempt,) = await services.store.attempts.for_call("default", call.call_id)
        (bill,) = bills(call.call_id)
        assert round(bill["cost_usd"] * 1e9) <= attempt.reserved_nusd


@pytest.mark.parametrize(
    ("kind", "error", "code", "status", "retry_after_s"),
    [
        ("500", "ProviderServer", "server", 500, None),
        ("401", "ProviderAuth", "auth", 401, None),
        ("429;retry_after=7", "ProviderRateLimit", "rate_limit", 429, 7.0),
        ("malformed", "ProviderMalformed", "malformed", None, None),
        ("refused", "ProviderConnection", "connection", None, None),
    ],
)
async def test_a_failing_model_leaves_its_error_with_the_providers_status_and_is_not_asked_again(
    walk_to_model, fault, kind, error, code, status, retry_after_s
):
    fault(kind)
    call = await walk_to_model("dispatch")
    (answer,) = call.answers
    failure = answer.failure
    assert (failure.error, failure.code, failure.status) == (error, code, status)
    assert failure.retry_after_s == retry_after_s
    assert failure.message
    assert (answer.message, call.bought) == (None, ())
    assert call.failed_models == {"sim/tiny-1"}
    assert {one.status for one in answer.attempts} == {"failed"}


async def test_an_answer_paid_for_before_a_crash_is_used_again(walk_to_model, services, bills):
    resumable = replace(services, limits=replace(services.limits, resumable=True))
    call = await walk_to_model("thompson_select", using=resumable)
    first = await dispatch(call, resumable)
    again = await dispatch(call, resumable)  # as after a crash between the answer and its checkpoint
    assert again == first
    assert len(bills(call.call_id)) == 1


async def test_no_time_left_is_a_timeout_and_asks_nobody(walk_to_model, services, bills):
    late = replace(services, limits=replace(services.limits, call_deadline_s=-1.0))
    call = await walk_to_model("dispatch", using=late)
    assert call.answers[0].failure.code == "timeout"
    assert bills(call.call_id) == []


async def test_money_is_reserved_at_the_price_of_the_time_of_day(walk_to_model, services):
    spec = services.spec("sim/large-5")
    double = {name: getattr(spec, name) * 2 for name in ("input_usd_per_mtok", "output_usd_per_mtok")}
    models = {
        **services.models,
        spec.model_id: replace(spec, price_windows=(PriceWindow(60, 240, "UTC", **double),)),
    }
    reserved = []
    for hour in (2, 12):
        at = replace(services, models=models, now=lambda hour=hour: datetime(2026, 11, 20, hour, tzinfo=UTC))
        call = await walk_to_model("dispatch", "sim-e", at, org=f"at-{hour}")
        (attempt,) = await services.store.attempts.for_call(f"at-{hour}", call.call_id)
        reserved.append(attempt.reserved_nusd)
    assert reserved[0] == 2 * reserved[1] > 0


async def test_a_memory_hit_is_not_sent_to_the_model(walk_to_model):
    call = await walk_to_model("dispatch", options={"memory_hit": True, "max_tokens": 5})
    assert call.opening.memory_hit is True
    assert call.options == {"max_tokens": 5}


@pytest.mark.parametrize(
    ("content", "options", "is_failure"),
    [("", {}, True), ("", {"max_tokens": 64}, False), ("Par", {}, False)],
    ids=["nothing at the router's limit", "nothing at the caller's", "a part"],
)
async def test_a_limit_nobody_named_that_leaves_nothing_said_is_a_failure_that_was_paid(
    walk_to_model, services, monkeypatch, content, options, is_failure
):
    call = await walk_to_model("thompson_select", options=options)
    complete = services.gateway.complete

    async def cut(*args, **kwargs):
        completion = await complete(*args, **kwargs)
        return replace(completion, message={"role": "assistant", "content": content}, finish_reason="length")

    monkeypatch.setattr(services.gateway, "complete", cut)
    (answer,) = (await dispatch(call, services))["answers"]
    assert answer.spent_nusd("answer") > 0
    if is_failure:
        assert (answer.failure.code, answer.message) == ("nothing_said", None)
    else:
        assert (answer.failure, answer.message["content"]) == (None, content)
        assert answer.is_cut_by_limit
