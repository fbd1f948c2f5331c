from dataclasses import replace
from datetime import UTC, datetime

from x25.nodes.dispatch import dispatch
from x25.providers.windows import PriceWindow


async def test_the_decided_model_is_asked_and_its_answer_held(walk_to_model):
    state = await walk_to_model("dispatch", "sim-e")
    (held,) = state["held"]
    assert (held["model_id"], held["provider"], held["tier"], held["step"]) == (
        "sim/large-5",
        "sim-e",
        "frontier",
        0,
    )
    assert held["message"]["content"]
    assert held["simulated"]
    assert state["unanswered"] is None
    assert held["attempt"] == state["attempts"][0]["attempt_id"]


async def test_options_reach_the_model_and_a_limit_is_always_sent(walk_to_model, services):
    state = await walk_to_model("dispatch", options={"max_completion_tokens": 3})
    assert state["held"][0]["usage"]["completion_tokens"] == 3
    assert state["held"][0]["finish_reason"] == "length"
    brief = replace(services, limits=replace(services.limits, default_max_output_tokens=2))
    state = await walk_to_model("dispatch", using=brief)
    assert state["held"][0]["usage"]["completion_tokens"] == 2


async def test_the_answer_is_cut_to_what_the_cap_pays_for(walk_to_model, services):
    state = await walk_to_model("dispatch", "sim-f", prompt="hi", policy={"max_cost_per_call_usd": 0.0012})
    (attempt,) = await services.store.attempts.for_call("default", state["call_id"])
    assert attempt.cost_nusd <= attempt.reserved_nusd <= 1_200_000


async def test_the_reservation_bounds_the_bill(walk_to_model, services, bills):
    for prompt in ("hi", "Grüße 🌍 " * 50, "x" * 3000):
        state = await walk_to_model("dispatch", prompt=prompt)
        (attempt,) = await services.store.attempts.for_call("default", state["call_id"])
        (bill,) = bills(state["call_id"])
        assert round(bill["cost_usd"] * 1e9) <= attempt.reserved_nusd


async def test_a_failing_model_leaves_its_error_and_is_not_asked_again(walk_to_model, fault):
    fault("500")
    state = await walk_to_model("dispatch")
    assert state["held"] == []
    assert state["unanswered"]["code"] == "server"
    assert state["failed_models"] == ["sim/tiny-1"]
    assert {one["status"] for one in state["attempts"]} == {"failed"}


async def test_an_answer_paid_for_before_a_crash_is_used_again(walk_to_model, services, bills):
    resumable = replace(services, limits=replace(services.limits, resumable=True))
    state = await walk_to_model("thompson_select", using=resumable)
    first = await dispatch(state, resumable)
    again = await dispatch(state, resumable)  # as after a crash between the answer and its checkpoint
    assert again == first
    assert len(bills(state["call_id"])) == 1


async def test_no_time_left_is_a_timeout_and_asks_nobody(walk_to_model, services, bills):
    late = replace(services, limits=replace(services.limits, call_deadline_s=-1.0))
    state = await walk_to_model("dispatch", using=late)
    assert state["unanswered"]["code"] == "timeout"
    assert bills(state["call_id"]) == []


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
        state = await walk_to_model("dispatch", "sim-e", at, org=f"at-{hour}")
        (attempt,) = await services.store.attempts.for_call(f"at-{hour}", state["call_id"])
        reserved.append(attempt.reserved_nusd)
    assert reserved[0] == 2 * reserved[1] > 0


async def test_a_memory_hit_is_not_sent_to_the_model(walk_to_model):
    state = await walk_to_model("dispatch", options={"memory_hit": True, "max_tokens": 5})
    assert state["memory_hit"] is True
    assert state["options"] == {"max_tokens": 5}
