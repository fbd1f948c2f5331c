import asyncio
import json
from dataclasses import replace
from time import monotonic

import pytest
import yaml

from x25.graph.bootstrap import SIMULATED_MODELS
from x25.graph.run import Cascade, open_cascade
from x25.providers.gateway import Gateway, Patience
from x25.state.ceilings import Ceilings, Imposed
from x25.state.errors import (
    BudgetExceeded,
    CallFailed,
    InvalidRequest,
    NoEligibleModel,
    NotFound,
    StoreError,
    TextNotKept,
)
from x25.state.records import nusd_from_usd
from x25.state.store import open_store
from x25.state.types import DoorContext, Reply

CLASSIC = {"prompt": "What is the capital of France?", "hint": "qa", "router": "x25-classic"}


async def test_the_price_paid_is_the_same_in_reply_log_attempts_and_bills(cascade, fault, teach, bills):
    await teach(cascade.services.store, "slm")
    fault("empty", "sim/tiny-*", "sim/small-*")
    reply = await cascade.route(CLASSIC)
    answers = [one for one in reply["explain"]["attempts"] if one["kind"] == "answer"]
    prices = {model_id: (float(spec.input_usd_per_mtok), float(spec.output_usd_per_mtok))
              for model_id, spec in cascade.services.models.items()}  # fmt: skip
    priced = sum(
        (
            one["prompt_tokens"] * prices[one["model_id"]][0]
            + one["completion_tokens"] * prices[one["model_id"]][1]
        )
        / 1e6
        for one in answers
    )
    assert len(answers) >= 2
    assert reply["cost_usd"] == pytest.approx(priced, abs=1e-9)
    assert reply["cost_usd"] == pytest.approx(
        sum(bill["cost_usd"] for bill in bills(reply["call_id"], judge=False)), abs=1e-9
    )
    judged = sum(bill["cost_usd"] for bill in bills(reply["call_id"], judge=True))
    assert reply["judge_cost_usd"] == pytest.approx(judged, abs=1e-9)
    call = await cascade.services.store.calls.get("default", reply["call_id"])
    assert call.cost_nusd == nusd_from_usd(reply["cost_usd"])
    (entry,) = await cascade.services.store.audit.tail("default", 1)
    assert entry.record["cost_nusd"] == call.cost_nusd
    assert (
        await cascade.services.store.attempts.spent_nusd("default") == call.cost_nusd + call.judge_cost_nusd
    )
    used = reply["usage"]
    reference = cascade.services.reference
    full = (
        used["prompt_tokens"] * float(reference.input_usd_per_mtok)
        + used["completion_tokens"] * float(reference.output_usd_per_mtok)
    ) / 1e6
    assert reply["cost_saved_usd"] == pytest.approx(
        full - reply["cost_usd"] - reply["judge_cost_usd"], abs=2e-9
    )


async def test_an_answer_without_usage_costs_its_reservation(cascade, fault):
    fault("missing_usage")
    reply = await cascade.route({**CLASSIC, "options": {"max_tokens": 100}})
    (attempt,) = [one for one in reply["explain"]["attempts"] if one["kind"] == "answer"][:1]
    spec = cascade.services.spec(attempt["model_id"])
    assert attempt["cost_source"] == "reserved"
    assert attempt["spent_nusd"] >= 100 * float(spec.output_usd_per_mtok) * 1000
    assert reply["cost_usd"] > 0


async def test_propensity_is_the_same_in_reply_log_and_audit_entry(cascade):
    for index in range(12):
        reply = await cascade.route(
            {"prompt": f"Question {index}?", "router": ("auto", "x25-classic")[index % 2]}
        )
        call = await cascade.services.store.calls.get("default", reply["call_id"])
        (entry,) = await cascade.services.store.audit.tail("default", 1)
        assert 0 < reply["propensity"] <= 1
        assert reply["propensity"] == call.propensity == call.decision["propensity"]
        assert entry.record["decision"]["propensity"] == reply["propensity"]
        assert entry.record_hash == reply["audit_hash"] == call.record_hash


async def test_two_orgs_share_nothing(cascade):
    store = cascade.services.store
    for _ in range(3):
        await cascade.route({**CLASSIC, "org": "a"})
    before = (
        await store.posteriors.read_all("a"),
        await store.calls.stats("a"),
        await store.audit.tail("a", 9),
    )
    assert await store.posteriors.read_all("b") == []
    reply = await cascade.route({**CLASSIC, "org": "b"})
    assert reply["stage"]["total_calls"] == 1
    assert (
        await store.posteriors.read_all("a"),
        await store.calls.stats("a"),
        await store.audit.tail("a", 9),
    ) == before
    assert (await store.calls.stats("b")).total_calls == 1
    assert [entry.index for entry in await store.audit.tail("b", 9)] == [0]


async def test_orgs_with_opposite_experience_end_with_different_tiers(cascade, teach):
    await teach(cascade.services.store, "slm", org="cheap")
    await teach(cascade.services.store, "frontier", org="dear")
    for org, tier in (("cheap", "slm"), ("dear", "frontier")):
        replies = [await cascade.route({**CLASSIC, "org": org}) for _ in range(6)]
        assert {reply["explain"]["first_decision"]["tier"] for reply in replies} == {tier}


async def test_a_call_id_is_answered_once(cascade, bills):
    await cascade.route({"prompt": "hi", "call_id": "once"})
    paid = len(bills("once"))
    with pytest.raises(InvalidRequest, match="used before \\(answered\\)"):
        await cascade.route({"prompt": "hi", "call_id": "once"})
    assert len(bills("once")) == paid
    await cascade.route({"prompt": "hi", "call_id": "once", "org": "other"})


@pytest.mark.slow
async def test_a_call_that_was_begun_is_not_begun_again(crash, cascade, open_gateway):
    crash("sim/", {**CLASSIC, "call_id": "begun"})
    with pytest.raises(InvalidRequest, match="used before \\(begun\\)"):
        await cascade.route({**CLASSIC, "call_id": "begun"})
    resumable = await open_gateway(checkpoints="sync", judge="none")
    assert (await resumable.resume("default", "begun"))["text"]


async def test_a_call_that_was_refused_can_be_asked_again_under_its_id(cascade):
    with pytest.raises(NoEligibleModel):
        await cascade.route({"prompt": "hi", "call_id": "again", "policy": {"max_cost_per_call_usd": 0}})
    reply = await cascade.route({"prompt": "hi", "call_id": "again"})
    assert [step["node"] for step in reply["explain"]["path"]].count("classify") == 1


async def test_thirty_calls_at_once_keep_to_themselves(cascade):
    replies = await asyncio.gather(*(cascade.route({"prompt": f"number{n}x"}) for n in range(30)))
    assert all(f"number{n}x" in reply["text"] for n, reply in enumerate(replies))
    assert (await cascade.services.store.audit.verify("default")).total_records == 30


@pytest.mark.slow
async def test_a_call_killed_while_it_is_judged_is_finished_with_one_bill(crash, open_gateway, bills):
    asked = {**CLASSIC, "options": {"logprobs": True}}
    crash("sim/judge", {**asked, "call_id": "killed-judging", "org": "acme"})
    (answer,) = bills("killed-judging", "acme", judge=False)
    cascade = await open_gateway(checkpoints="sync")
    reply = await cascade.resume("acme", "killed-judging")
    mine = bills("killed-judging", "acme", judge=False)
    assert [bill["attempt_id"] for bill in mine].count(answer["attempt_id"]) == 1
    assert "did not read" in reply["text"]
    assert "".join(one["token"] for one in reply["logprobs"]["content"]) == reply["text"]
    assert reply["cost_usd"] == pytest.approx(sum(bill["cost_usd"] for bill in mine), abs=1e-9)
    assert len(bills("killed-judging", "acme", judge=True)) == 1
    assert reply["explain"]["verdicts"][0]["source"] == "none"
    assert "interrupted" in reply["explain"]["verdicts"][0]["reason"]
    assert (await cascade.services.store.calls.get("acme", "killed-judging")).status == "answered"
    spent = await cascade.services.store.attempts.spent_nusd("acme")
    assert spent == nusd_from_usd(reply["cost_usd"]) + nusd_from_usd(reply["judge_cost_usd"])


async def test_an_attempt_out_at_the_crash_is_repeated_under_its_id_and_billed_once(
    crash, open_gateway, bills
):
    crash("sim/", {**CLASSIC, "call_id": "killed-asking"})
    (answer,) = bills("killed-asking", judge=False)
    cascade = await open_gateway(checkpoints="sync", judge="none")
    reply = await cascade.resume("default", "killed-asking")
    assert [bill["attempt_id"] for bill in bills("killed-asking")] == [answer["attempt_id"]]
    assert reply["cost_usd"] == pytest.approx(answer["cost_usd"], abs=1e-9)
    assert reply["cascade_steps"] == 1


async def test_an_attempt_that_might_be_billed_twice_is_not_repeated(
    crash, open_gateway, bills, model_folder
):
    whole = yaml.safe_load((SIMULATED_MODELS / "sim--tiny-1.yaml").read_text())
    deployment = {**whole["deployments"][0], "idempotent": False}
    folder = str(model_folder({"tier": "frontier", "deployments": [deployment]}))
    crash("sim/", {**CLASSIC, "call_id": "killed-unsafe"}, models_dir=folder)
    cascade = await open_gateway(checkpoints="sync", models_dir=folder)
    with pytest.raises(CallFailed, match="may have been billed") as failed:
        await cascade.resume("default", "killed-unsafe")
    (attempt,) = failed.value.attempts
    assert (attempt["status"], attempt["error"]) == ("interrupted", "interrupted")
    assert len(bills("killed-unsafe")) == 1
    call = await cascade.services.store.calls.get("default", "killed-unsafe")
    assert call.status == "failed"
    assert call.cost_nusd == attempt["spent_nusd"] > 0


async def test_a_failed_try_before_the_crash_stays_in_the_account(crash, open_gateway, bills, fault):
    fault("500", "sim/tiny-*", nth=1)
    crash(
        "sim/tiny-1",
        {**CLASSIC, "call_id": "killed-later", "policy": {"allowed_providers": ["sim-a", "sim-judge"]}},
        kill_at=2,
    )
    cascade = await open_gateway(checkpoints="sync", judge="none")
    reply = await cascade.resume("default", "killed-later")
    assert [one["status"] for one in reply["explain"]["attempts"]] == ["failed", "finished"]
    assert len(bills("killed-later")) == 1


async def test_a_resumed_call_gets_its_deadline_anew(crash, open_gateway, bills):
    crash("sim/", {**CLASSIC, "call_id": "killed-long-ago"})
    cascade = await open_gateway(checkpoints="sync", judge="none")
    late = replace(cascade.services, clock_s=lambda: 1e9 + monotonic())
    gateway = Gateway(
        cascade.services.gateway._providers, cascade.services.gateway.keyring, Patience(clock=late.clock_s)
    )
    reply = await Cascade(replace(late, gateway=gateway), cascade.settings, cascade.saver).resume(
        "default", "killed-long-ago"
    )
    assert reply["cascade_steps"] == 1
    assert reply["latency_ms"] < 60_000
    assert len(bills("killed-long-ago")) == 1


async def test_settling_finishes_a_call_that_left_a_checkpoint_and_logs_one_that_left_none(
    crash, open_gateway, bills
):
    crash("sim/", {**CLASSIC, "call_id": "killed-unseen"}, lease_s=0.1)
    cascade = await open_gateway(checkpoints="sync", judge="none", lease_s=3600)  # its own loop looks once
    store = cascade.services.store
    (lost,) = await store.attempts.for_call("default", "killed-unseen")
    async with await open_store(cascade.settings.store_url) as dead:
        await dead.attempts.start(replace(lost, attempt_id="lost", call_id="lost"))
    closed = []
    while await store.open_calls.list():
        closed += await cascade.settle_interrupted()
        await asyncio.sleep(0.05)
    assert ("default", "killed-unseen") not in closed
    assert (await store.calls.get("default", "killed-unseen")).status == "answered"
    assert len(bills("killed-unseen")) == 1
    assert (await store.calls.get("default", "lost")).status == "interrupted"


async def test_a_dead_call_whose_model_is_not_routable_any_more_stops_no_other(
    crash, open_gateway, model_folder
):
    folder = str(
        model_folder({"model_id": "sim/gone", "tier": "slm"}, {"model_id": "sim/stays", "tier": "mid"})
    )
    policy = {"max_tier": "slm"}
    crash("sim/", {**CLASSIC, "call_id": "killed-gone", "policy": policy}, models_dir=folder, lease_s=4)
    crash("sim/", {**CLASSIC, "call_id": "killed-plain"}, lease_s=0.1)
    cascade = await open_gateway(checkpoints="sync", judge="none", lease_s=0.5)  # and the bundled models
    store = cascade.services.store
    async with asyncio.timeout(60):
        while await store.open_calls.list():
            await asyncio.sleep(0.05)
    assert (await store.calls.get("default", "killed-gone")).status == "interrupted"
    assert (await store.calls.get("default", "killed-plain")).status == "answered"
    assert (await store.audit.verify("default")).intact


async def test_a_dead_call_is_finished_though_models_came_to_the_pool_meanwhile(
    crash, open_gateway, model_folder, bills
):
    crash("sim/", {**CLASSIC, "call_id": "killed-poor"}, models_dir=str(model_folder({"tier": "frontier"})))
    cascade = await open_gateway(checkpoints="sync", judge="none")
    assert (await cascade.resume("default", "killed-poor"))["model_used"] == "sim/tiny-1"
    assert len(bills("killed-poor")) == 1


async def test_opening_settles_what_a_dead_process_left(crash, open_gateway):
    crash("sim/", {**CLASSIC, "call_id": "killed-before"}, checkpoints="exit", lease_s=0.1)
    cascade = await open_gateway(lease_s=0.3)
    async with asyncio.timeout(60):
        while await cascade.services.store.calls.get("default", "killed-before") is None:
            await asyncio.sleep(0.01)  # until the task that runs beside the gateway has looked
    assert (await cascade.services.store.calls.get("default", "killed-before")).status == "interrupted"


async def test_what_was_never_begun_cannot_be_resumed(cascade, open_gateway):
    with pytest.raises(NotFound, match="no checkpoint of call 'nobody'"):
        await cascade.resume("default", "nobody")
    without = await open_gateway(checkpoints="off")
    with pytest.raises(NotFound):
        await without.resume("default", "nobody")


async def test_a_call_whose_words_were_not_kept_is_not_finished_and_the_error_says_what_to_set(cascade):
    async def fail(*_):
        raise StoreError("disk full")

    cascade.graph.nodes["judge"].bound._node = fail
    with pytest.raises(StoreError):
        await cascade.route({**CLASSIC, "call_id": "half"})
    with pytest.raises(TextNotKept, match="X25_STORE_PROMPTS=true or X25_CHECKPOINTS=sync"):
        await cascade.resume("default", "half")


async def test_a_finished_call_is_resumed_to_its_reply(open_gateway, bills):
    cascade = await open_gateway(checkpoints="sync")
    reply = await cascade.route(CLASSIC)
    paid = bills(reply["call_id"])
    assert await cascade.resume("default", reply["call_id"]) == json.loads(json.dumps(reply))
    assert bills(reply["call_id"]) == paid


async def test_a_reply_holds_the_fields_of_a_reply_and_no_more(cascade):
    assert (await cascade.route(CLASSIC)).keys() == Reply.__annotations__.keys()


async def test_closing_leaves_a_store_that_opens_again_with_what_was_learnt(settings):
    async with open_cascade(settings) as first:
        reply = await first.route(CLASSIC)
    async with open_cascade(settings) as second:
        assert (await second.services.store.calls.get("default", reply["call_id"])).cost_nusd > 0
        assert (await second.route(CLASSIC))["stage"]["total_calls"] == 2


@pytest.mark.parametrize("executor", ["direct", "langgraph"])
async def test_a_keys_ceilings_hold_on_either_executor(open_gateway, executor):
    cascade = await open_gateway(executor=executor)
    door = DoorContext(imposed=(Imposed("key", Ceilings(day_nusd=1), "k1"),))
    with pytest.raises(BudgetExceeded, match="key_budget_usd_per_day"):
        await cascade.route({"prompt": "hi"}, door)
    assert (await cascade.route({"prompt": "hi"}, DoorContext()))["text"]
