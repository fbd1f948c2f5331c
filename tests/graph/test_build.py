import json
import subprocess
import sys
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import get_type_hints

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from x25.graph.build import RECURSION_LIMIT, build_cascade, graph
from x25.graph.checkpoints import values_of
from x25.graph.memory.channels import ThreadState
from x25.graph.memory.thread_graph import ThreadGraph
from x25.nodes.answer.next_transition import MAX_FALLBACKS
from x25.state.errors import CallFailed, InvalidRequest, NoEligibleModel
from x25.state.types import TIERS, CascadeState, Context, Reply, Request

PATH = [
    "lookup_cache",
    "classify",
    "estimate_difficulty",
    "thompson_select",
    "dispatch",
    "judge",
    "update_posterior",
    "audit",
    "stage_check",
]
CLASSIC = {"prompt": "What is the capital of France?", "hint": "qa", "router": "x25-classic"}


async def test_one_call_walks_the_nine_nodes_in_order_and_times_each(cascade):
    reply = await cascade.route(
        {"prompt": "What is the capital of France?", "policy": {"allowed_providers": ["sim-f", "sim-judge"]}}
    )
    path = reply["explain"]["path"]
    assert [step["node"] for step in path] == PATH
    assert all(step["ms"] >= 0 for step in path)
    await cascade.drain()
    values = await values_of(cascade.saver, "default", reply["call_id"])
    assert values["timings"] == path


def test_the_drawing_has_exactly_the_edges_of_the_story():
    edges = {(edge.source, edge.target, edge.conditional) for edge in graph.get_graph().edges}
    straight = [
        ("__start__", "lookup_cache"),
        ("serve_hit", "__end__"),
        *pairwise(PATH[1:6]),
        ("update_posterior", "audit"),
        ("audit", "stage_check"),
        ("stage_check", "__end__"),
    ]
    assert edges == {(source, target, False) for source, target in straight} | {
        ("lookup_cache", "classify", True),
        ("lookup_cache", "serve_hit", True),
        ("judge", "dispatch", True),
        ("judge", "update_posterior", True),
    }


async def test_every_value_of_the_state_is_json_after_a_call_but_for_the_conversation(open_gateway):
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route(CLASSIC)
    await cascade.drain()
    values = await values_of(cascade.saver, "default", reply["call_id"])
    assert {"messages", "answers", "selection", "transitions"} <= values.keys()
    assert {type(message) for message in values.pop("messages")} == {HumanMessage, AIMessage}
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@pytest.mark.parametrize("kind", ["", "empty", "500"])
async def test_every_key_a_node_returns_is_a_channel_of_the_state(cascade, fault, kind):
    returned = set()

    class Noticing(ThreadGraph):
        def add_node(self, name, node, **given):
            async def noticing(state):
                update = await node.ainvoke(state)
                returned.update(update)
                return update

            return super().add_node(name, noticing, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("x25.graph.build.ThreadGraph", Noticing)
        compiled = build_cascade(cascade.services).compile()
    if kind:
        fault(kind)
    with pytest.raises(CallFailed) if kind == "500" else nullcontext():
        await compiled.ainvoke(CLASSIC, {"recursion_limit": RECURSION_LIMIT})
    assert {"timings", "transitions", "answers", "learned", "call_count", "audit_hash"} <= returned
    assert returned <= get_type_hints(ThreadState).keys() | get_type_hints(Reply).keys()


@pytest.mark.parametrize("keep_text", [True, False])
def test_every_field_of_the_request_and_of_the_reply_is_a_channel(keep_text):
    channels = build_cascade({}, keep_text=keep_text).channels.keys()
    assert get_type_hints(Request).keys() | get_type_hints(Reply).keys() <= channels
    assert get_type_hints(CascadeState).keys() <= channels


def test_a_recursion_limit_is_set_that_the_longest_call_fits_in():
    assert graph.config["recursion_limit"] == RECURSION_LIMIT
    longest = len(PATH) + 2 * (5 + MAX_FALLBACKS)
    assert longest <= RECURSION_LIMIT


@pytest.fixture
def bottomless(tmp_path):
    """Write a router that nothing satisfies."""
    folder = tmp_path / "routers"
    folder.mkdir()
    config = "name: bottomless\nstrategy: classic\nquality_bar: 1\nmax_escalations: 5\nepsilon: 0\n"
    (folder / "bottomless.yaml").write_text(config)
    return str(folder)


async def test_a_call_that_nothing_satisfies_ends_with_the_last_model_at_the_top_of_the_ladder(
    open_gateway, fault, teach, bottomless
):
    cascade = await open_gateway(routers_dir=bottomless)
    await teach(cascade.services.store, "slm")
    fault("empty")
    reply = await cascade.route({**CLASSIC, "router": "bottomless"}, Context(max_escalations=5))
    assert [verdict["source"] for verdict in reply["explain"]["verdicts"]] == ["checks"] * 4
    assert (reply["cascade_steps"], reply["escalations"], reply["text"]) == (4, 3, "")
    asked = [one["model_id"] for one in reply["explain"]["attempts"] if one["kind"] == "answer"]
    assert sorted(asked[-2:]) == ["sim/large-5", "sim/xlarge-6"]


async def test_escalations_and_fallbacks_together_end_within_the_limit(
    open_gateway, fault, teach, bottomless
):
    cascade = await open_gateway(routers_dir=bottomless)
    await teach(cascade.services.store, "slm")
    fault("500", "sim/medium-*", "sim/large-*", "sim/judge-*")
    reply = await cascade.route({**CLASSIC, "router": "bottomless"}, Context(max_escalations=5))
    assert reply["quality_source"] == "none"
    fault("500")
    with pytest.raises(CallFailed) as failed:
        await cascade.route({**CLASSIC, "router": "bottomless"}, Context(max_escalations=5))
    assert len({attempt["model_id"] for attempt in failed.value.attempts}) == 6


# escalation


async def test_an_answer_that_fails_a_free_check_is_followed_by_the_next_tier(cascade, fault, teach):
    await teach(cascade.services.store, "slm")
    fault("empty", "sim/tiny-*", "sim/small-*")
    reply = await cascade.route(CLASSIC)
    first, second, *_ = reply["explain"]["verdicts"]
    assert first["model_id"] in ("sim/tiny-1", "sim/small-2")
    assert (first["failed_check"], first["score"]) == ("not_empty", 0.0)
    assert second["model_id"] in ("sim/medium-3", "sim/medium-4")
    assert reply["cascade_steps"] >= 2
    assert reply["fallbacks"] == 0
    assert reply["text"]
    assert reply["tier"] != "slm"


async def test_when_every_answer_is_bad_the_one_most_likely_right_is_returned(cascade, teach):
    await teach(cascade.services.store, "slm")
    reply = await cascade.route(CLASSIC)  # the judge cannot tell and scores .5, below the bar of .7
    posteriors = [verdict["posterior"] for verdict in reply["explain"]["verdicts"]]
    assert len(posteriors) == 3
    assert reply["verdict"]["posterior"] == max(posteriors)
    assert reply["model_used"] == reply["explain"]["verdicts"][posteriors.index(max(posteriors))]["model_id"]
    assert posteriors.index(max(posteriors)) == 0  # taught to be the best


@pytest.mark.parametrize("most", [0, 1, 2])
async def test_the_contexts_bound_on_escalations_is_kept(cascade, fault, teach, most):
    await teach(cascade.services.store, "slm")
    fault("empty")
    reply = await cascade.route(CLASSIC, Context(max_escalations=most))
    assert (reply["escalations"], reply["cascade_steps"]) == (most, most + 1)


async def test_without_escalations_the_planning_strategy_stops_too(cascade, fault):
    fault("empty")
    for index in range(8):
        reply = await cascade.route({"prompt": f"Say {index}"}, Context(max_escalations=0))
        assert (reply["escalations"], reply["cascade_steps"]) == (0, 1)


# fallback


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("500", "server"),
        ("401", "auth"),
        ("429", "rate_limit"),
        ("402", "billing"),
        ("malformed", "malformed"),
        ("refused", "connection"),
        ("timeout", "timeout"),
    ],
)
async def test_another_model_answers_for_one_that_fails(open_gateway, fault, teach, kind, code):
    cascade = await open_gateway(attempt_timeout_s=0.2, judge="none")
    await teach(cascade.services.store, "slm")
    fault(kind, "sim/tiny-*", "sim/small-*")
    reply = await cascade.route(CLASSIC)
    failed = [attempt for attempt in reply["explain"]["attempts"] if attempt["status"] == "failed"]
    assert {attempt["error"] for attempt in failed} == {code}
    assert len({attempt["model_id"] for attempt in failed}) == reply["fallbacks"] > 0
    assert reply["escalations"] == 0
    assert reply["cascade_steps"] == 1
    assert reply["tier"] != "slm"
    assert {one["model_id"] for one in reply["explain"]["learned"]} == {reply["model_used"]}


@pytest.mark.usefixtures("fault")
async def test_a_fallback_and_an_escalation_in_one_call_are_told_and_counted_apart(cascade, simulator, teach):
    await teach(cascade.services.store, "slm")
    failing = {"match": {"model": "sim/tiny-*"}, "fault": "503"}
    simulator.set_scenario([failing, {"match": {"model": "sim/small-*"}, "fault": "empty"}])
    policy = {"allowed_providers": ["sim-a", "sim-b", "sim-c", "sim-judge"], "max_tier": "mid"}
    for number in range(20):  # the first of the two small models is asked first sooner or later
        reply = await cascade.route({**CLASSIC, "policy": policy, "call_id": f"call-{number}"})
        if reply["explain"]["first_decision"]["model_id"] == "sim/tiny-1":
            break
    explain = reply["explain"]
    assert [one["kind"] for one in explain["transitions"]] == ["start", "fallback", "escalate", "stop"]
    assert explain["transitions"][1]["reason"] == "fall back from sim/tiny-1: server"
    assert explain["transitions"][2]["reason"].startswith("escalate from slm: quality 0.")
    assert (reply["fallbacks"], reply["escalations"], reply["cascade_steps"]) == (1, 1, 2)
    (failure,) = explain["failures"]
    assert (failure["step"], failure["model_id"], failure["status"]) == (0, "sim/tiny-1", 503)
    assert [verdict["step"] for verdict in explain["verdicts"]] == [1, 2]
    row = await cascade.services.store.calls.get("default", reply["call_id"])
    assert (row.fallbacks, row.escalations, row.cascade_steps) == (1, 1, 2)


async def test_a_call_that_every_model_fails_is_logged_chained_and_teaches_nothing(cascade, fault):
    fault("500")
    with pytest.raises(CallFailed, match="no model answered") as failed:
        await cascade.route({**CLASSIC, "call_id": "doomed"})
    assert failed.value.call_id == "doomed"
    assert {attempt["error"] for attempt in failed.value.attempts} == {"server"}
    store = cascade.services.store
    call = await store.calls.get("default", "doomed")
    assert (call.status, call.model_id, call.quality_source, call.cost_nusd) == ("failed", None, "none", 0)
    (entry,) = await store.audit.tail("default", 5)
    assert (entry.record["status"], entry.record["answer"]) == ("failed", None)
    assert entry.record_hash == call.record_hash
    assert await store.posteriors.read_all("default") == []
    assert (await store.audit.verify("default")).intact


async def test_a_timeout_counts_with_its_reservation_since_it_may_have_been_billed(open_gateway, fault):
    cascade = await open_gateway(attempt_timeout_s=0.1)
    fault("timeout", "sim/tiny-*")
    with pytest.raises(CallFailed) as failed:
        await cascade.route(
            {"prompt": "hi", "call_id": "slow", "policy": {"allowed_providers": ["sim-a", "sim-judge"]}}
        )
    (attempt,) = failed.value.attempts
    assert attempt["spent_nusd"] > 0
    assert attempt["cost_source"] == "reserved"
    assert (await cascade.services.store.calls.get("default", "slow")).cost_nusd == attempt["spent_nusd"]


# judge failures


@pytest.mark.parametrize(
    ("kind", "code"), [("500", "server"), ("timeout", "timeout"), ("malformed", "malformed")]
)
async def test_a_judge_that_fails_leaves_the_score_unknown_and_teaches_nothing(
    open_gateway, fault, kind, code
):
    cascade = await open_gateway(judge_timeout_s=0.3)
    fault(kind, "sim/judge-*")
    reply = await cascade.route(CLASSIC)
    assert reply["quality_score"] is None
    assert reply["quality_source"] == "none"
    assert code in reply["verdict"]["reason"]
    assert reply["text"]
    assert await cascade.services.store.posteriors.read_all("default") == []


async def test_without_a_judge_the_score_is_an_estimate_and_the_checks_alone_teach(open_gateway, fault):
    cascade = await open_gateway(judge="none")
    reply = await cascade.route(CLASSIC)
    assert reply["quality_source"] == "estimate"
    assert reply["verdict"]["checks_made"] == ["not_empty", "not_cut_off", "not_refused"]
    (passed,) = reply["explain"]["learned"]
    fault("empty")
    reply = await cascade.route(CLASSIC, Context(max_escalations=0))
    assert (reply["quality_source"], reply["verdict"]["checks_made"]) == ("checks", ["not_empty"])
    (failed,) = reply["explain"]["learned"]
    # A passed check says little and a failed one much; on average they say what was predicted.
    assert failed["success"] < 0.3
    assert 0.5 < passed["success"] < 1.0


# policy


@pytest.mark.parametrize("cap_usd", [0.00002, 0.0002, 0.001])
async def test_a_cost_cap_holds_whatever_is_asked(cascade, fault, bills, cap_usd):
    fault("empty", "sim/tiny-*", "sim/medium-*", every=2)
    for index in range(12):
        router = ("auto", "x25-classic")[index % 2]
        prompt = f"Summarise item {index}: " + "word " * index * 7
        policy = {"max_cost_per_call_usd": cap_usd}
        try:
            reply = await cascade.route(
                {
                    "prompt": prompt,
                    "router": router,
                    "policy": policy,
                    "call_id": f"call-{cap_usd}-{index}".replace(".", "_"),
                }
            )
        except NoEligibleModel:
            assert bills(f"call-{cap_usd}-{index}".replace(".", "_")) == []
            continue
        assert reply["cost_usd"] + reply["judge_cost_usd"] <= cap_usd
        billed = [*bills(reply["call_id"], judge=False), *bills(reply["call_id"], judge=True)]
        assert sum(bill["cost_usd"] for bill in billed) <= cap_usd


async def test_what_the_first_answer_may_have_cost_lowers_what_a_climb_may_cost(cascade, fault, teach):
    await teach(cascade.services.store, "slm")
    fault("missing_usage", "sim/tiny-*", "sim/small-*", "sim/medium-*")
    reply = await cascade.route({**CLASSIC, "policy": {"max_cost_per_call_usd": 0.002, "max_tier": "mid"}})
    assert reply["cascade_steps"] == 2
    first, second = (one for one in reply["explain"]["attempts"] if one["kind"] == "answer")
    assert first["cost_source"] == second["cost_source"] == "reserved"
    assert reply["cost_usd"] + reply["judge_cost_usd"] <= 0.002


async def test_a_cap_holds_when_a_deployment_may_have_billed_before_the_next_one(
    open_gateway, fault, model_folder
):
    one = {"base_url": "http://127.0.0.1:0/v1", "key_env": [], "idempotent": False}
    folder = model_folder(
        {"tier": "frontier", "deployments": [{**one, "name": "first"}, {**one, "name": "second"}]}
    )
    cascade = await open_gateway(models_dir=str(folder), attempt_timeout_s=0.1)
    fault("timeout;billed=1", "sim/tiny-*", nth=1)
    with pytest.raises(CallFailed, match="cost cap"):
        await cascade.route(
            {"prompt": "hi", "call_id": "capped", "policy": {"max_cost_per_call_usd": 0.0001}}
        )
    assert 0 < (await cascade.services.store.calls.get("default", "capped")).cost_nusd <= 100_000


async def test_a_cap_that_pays_for_nobody_is_refused_before_anything_is_billed(cascade, bills):
    with pytest.raises(NoEligibleModel, match="max_cost_per_call_usd") as refused:
        await cascade.route({"prompt": "hi", "call_id": "poor", "policy": {"max_cost_per_call_usd": 1e-9}})
    assert len(refused.value.removed) == 6
    assert bills("poor") == []


@pytest.mark.parametrize(
    ("policy", "allowed", "steps"),
    [
        ({"allowed_providers": ["sim-a", "sim-d", "sim-judge"]}, {"sim/tiny-1", "sim/medium-4"}, 2),
        ({"max_tier": "mid"}, {"sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/medium-4"}, 3),
        ({"max_cost_per_token": 0.0000017}, {"sim/tiny-1", "sim/small-2", "sim/medium-3"}, 2),
    ],
)
async def test_constraints_hold_through_escalations(cascade, fault, teach, policy, allowed, steps):
    await teach(cascade.services.store, "slm")
    fault("empty")
    reply = await cascade.route({**CLASSIC, "policy": policy})
    answered = {
        attempt["model_id"] for attempt in reply["explain"]["attempts"] if attempt["kind"] == "answer"
    }
    assert answered <= allowed
    assert reply["cascade_steps"] == steps
    assert {candidate["model_id"] for candidate in reply["explain"]["candidates"]} == allowed
    (key,) = policy
    assert all(sentence.startswith(f"{key}:") for sentence in reply["explain"]["removed"].values())
    assert len(reply["explain"]["removed"]) == 6 - len(allowed)


async def test_required_capabilities_hold_through_fallbacks(cascade, fault):
    fault("500", "sim/tiny-*")
    reply = await cascade.route({"prompt": "hi", "policy": {"required_capabilities": ["tools"]}})
    assert reply["explain"]["removed"] == {}
    with pytest.raises(NoEligibleModel, match="required_capabilities: lacks telepathy"):
        await cascade.route({"prompt": "hi", "policy": {"required_capabilities": ["telepathy"]}})


async def test_an_unknown_policy_key_is_refused_by_name(cascade):
    with pytest.raises(InvalidRequest, match="max_tier") as refused:
        await cascade.route({"prompt": "hi", "policy": {"max_teir": "mid"}})
    assert refused.value.field == "policy.max_teir"


# an agent's own models


async def test_an_agents_own_models_answer(chat_models):
    compiled = build_cascade(chat_models).compile()
    reply = await compiled.ainvoke({"prompt": "ping"}, {"recursion_limit": RECURSION_LIMIT})
    assert reply["text"] == f"echo-{reply['tier']} says: ping"
    assert reply["tier"] in TIERS
    assert reply["model_used"] == f"langchain/echo-{reply['tier']}"
    assert reply["usage"]["completion_tokens"] == 5
    assert reply["cost_usd"] > 0


@pytest.mark.slow
def test_importing_the_graph_opens_nothing(tmp_path: Path):
    code = (
        "import socket, os\n"
        "def refuse(*a, **k): raise AssertionError('opened a socket')\n"
        "socket.socket.connect = socket.socket.bind = refuse\n"
        "import x25.graph.build\n"
        "print(os.listdir('.'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
