import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from x25.graph.bootstrap import SIMULATED_MODELS
from x25.routing.plan.weights import PRESETS
from x25.state.packing import unpack
from x25.state.types import TASK_TYPES

TEN_FIELDS = {
    "text": str,
    "model_used": str,
    "provider": str,
    "task_type": str,
    "cost_usd": float,
    "latency_ms": float,
    "quality_score": float,
    "cascade_steps": int,
    "audit_hash": str,
    "goal_match": dict,
}


def test_the_ten_fields_have_the_promised_types_and_ranges(route: Callable[..., dict]) -> None:
    reply = route()
    assert {name: type(reply[name]) for name in TEN_FIELDS} == TEN_FIELDS
    assert reply["text"]
    assert reply["task_type"] in TASK_TYPES
    assert reply["cost_usd"] > 0
    assert 0 <= reply["quality_score"] <= 1
    assert reply["cascade_steps"] >= 1
    assert reply["goal_match"].keys() == {"cost", "quality", "latency"}
    assert all(0 <= value <= 1 for value in reply["goal_match"].values())
    assert reply["simulated"] is True


def test_the_audit_hash_is_that_of_the_stored_entry(route: Callable[..., dict], org: str, gateway) -> None:
    replies = [route(), route("Write a poem about rain.")]
    with sqlite3.connect(gateway.database) as database:
        stored = database.execute(
            "SELECT record_hash, record FROM audit WHERE org = ? ORDER BY idx", [org]
        ).fetchall()
    assert [reply["audit_hash"] for reply in replies] == [record_hash for record_hash, _ in stored]
    assert [reply["call_id"] for reply in replies] == [
        json.loads(unpack(record))["call_id"] for _, record in stored
    ]
    assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one, _ in stored)


@pytest.mark.parametrize("hint", TASK_TYPES)
def test_a_hint_is_the_task_type(route: Callable[..., dict], hint: str) -> None:
    assert route("Something.", hint=hint)["task_type"] == hint


def test_a_null_for_any_field_is_its_default(http: httpx.Client) -> None:
    names = ("org", "optimize_for", "hint", "policy", "messages", "options", "router", "call_id")
    reply = http.post("/route", json={"prompt": "hello", **dict.fromkeys(names)})
    assert reply.status_code == 200
    assert reply.json()["org"] == "default"


def test_latency_is_what_an_outside_stopwatch_says(route: Callable[..., dict]) -> None:
    route()
    differences = []
    for _ in range(5):
        began = perf_counter()
        said_ms = route()["latency_ms"]
        measured_ms = (perf_counter() - began) * 1e3
        assert said_ms <= measured_ms
        differences.append((measured_ms - said_ms) / max(10.0, 0.1 * measured_ms))
    assert min(differences) <= 1, "the difference beyond 10 ms or 10 %, at best of five"


def test_goal_match_follows_from_the_logged_call(route: Callable[..., dict], gateway) -> None:
    reply = route()
    with sqlite3.connect(gateway.database) as database:
        query = (
            "SELECT cost_nusd + judge_cost_nusd, reference_cost_nusd, latency_ms FROM calls WHERE call_id = ?"
        )
        cost, reference_cost, latency_ms = database.execute(query, [reply["call_id"]]).fetchone()
    explain = reply["explain"]
    reference = next(one for one in explain["candidates"] if one["model_id"] == explain["reference_model"])
    by_hand = {
        "cost": 1 - cost / reference_cost,
        "quality": reply["quality_score"],
        "latency": 1 - latency_ms / (2 * reference["expected_latency_ms"]),
    }
    for goal, value in by_hand.items():
        assert reply["goal_match"][goal] == pytest.approx(min(max(value, 0), 1), abs=1e-4)


@pytest.fixture
def patient_models(tmp_path: Path) -> Path:
    """The simulated models, expected to take so long that what a busy machine adds never changes a decision."""
    folder = tmp_path / "patient"
    folder.mkdir()
    for path in SIMULATED_MODELS.glob("*.yaml"):
        model = yaml.safe_load(path.read_text())
        model["expected"]["latency_ms"] *= 100
        (folder / path.name).write_text(yaml.safe_dump(model))
    return folder


async def test_weights_count_by_their_proportions_alone(open_app, patient_models: Path) -> None:
    paths = []
    for name, weights in (("whole", (2, 1, 1)), ("shares", (0.5, 0.25, 0.25))):
        optimize_for = dict(zip(("cost", "quality", "latency"), weights, strict=True))
        async with open_app(name, seed=11, models_dir=str(patient_models)) as client:
            replies = [
                (
                    await client.post(
                        "/route", json={"prompt": f"What is {n} * 7?", "optimize_for": optimize_for}
                    )
                )
                for n in range(12)
            ]
        assert {reply.status_code for reply in replies} == {200}
        paths.append([(reply.json()["model_used"], reply.json()["propensity"]) for reply in replies])
    assert paths[0] == paths[1]


async def test_weights_change_what_is_chosen(open_app) -> None:
    first_choices = []
    for name in ("cost", "quality"):
        async with open_app(name, seed=11) as client:
            replies = [
                (
                    await client.post("/route", json={"prompt": f"Prove {n}.", "optimize_for": {name: 1}})
                ).json()
                for n in range(12)
            ]
        first_choices.append([reply["explain"]["first_decision"]["model_id"] for reply in replies])
    assert first_choices[0] != first_choices[1]


def test_constraints_that_leave_no_model_cost_nothing(http: httpx.Client, org: str, simulator) -> None:
    billed = len(simulator.bills())
    policy = {"allowed_providers": ["nobody"]}
    answer = http.post("/route", json={"prompt": "hello", "org": org, "policy": policy})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "no_eligible_model")
    assert error["removed"].keys() >= {"sim/tiny-1", "sim/large-5"}
    assert all(sentence.startswith("allowed_providers") for sentence in error["removed"].values())
    assert len(simulator.bills()) == billed


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("500", 502, "server"),
        ("401", 502, "auth"),
        ("malformed", 502, "malformed"),
    ],
)
def test_when_every_model_fails_the_body_lists_the_attempts_and_the_call_counts(
    http: httpx.Client, org: str, fault, kind: str, status: int, code: str
) -> None:
    fault(kind)
    answer = http.post("/route", json={"prompt": "hello", "org": org})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (status, "call_failed", "upstream_error")
    assert {attempt["error"] for attempt in error["attempts"]} == {code}
    assert len({attempt["model_id"] for attempt in error["attempts"]}) > 1
    assert error["call_id"]
    assert http.get(f"/stats/{org}").json()["total_calls"] == 1
    assert http.get("/verify", params={"org": org}).json() | {"orgs": []} == {
        "intact": True, "total_records": 1, "first_broken_index": None, "reason": None, "calls": 1,
        "checked_records": 1, "erased": 0, "orgs": [],
    }  # fmt: skip


def test_when_every_model_is_busy_the_caller_is_told_when_to_come_back(
    http: httpx.Client, org: str, fault
) -> None:
    fault("429")
    answer = http.post("/route", json={"prompt": "hello", "org": org})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "all_models_busy")
    assert 1 <= int(answer.headers["retry-after"]) <= 300


async def test_when_every_model_is_late_the_status_says_so(open_app, fault) -> None:
    fault("timeout;seconds=30")
    async with open_app(attempt_timeout_s=0.15) as client:
        answer = await client.post("/route", json={"prompt": "hello"})
    assert answer.status_code == 504
    assert {attempt["error"] for attempt in answer.json()["error"]["attempts"]} == {"timeout"}


def test_a_call_id_is_answered_once(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    assert route(call_id="mine-1")["call_id"] == "mine-1"
    again = http.post("/route", json={"prompt": "hello", "org": org, "call_id": "mine-1"})
    assert (again.status_code, again.json()["error"]["field"]) == (422, "call_id")


def test_of_many_requests_with_one_call_id_one_is_answered_and_paid(
    http: httpx.Client, org: str, simulator, gateway
) -> None:
    billed = len(simulator.bills())
    body = {"prompt": "What is 6 * 7?", "org": org, "call_id": "mine-2", "router": "sim/tiny-1"}
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: http.post("/route", json=body), range(12)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 11}
    assert {answer.json()["error"]["field"] for answer in answers if answer.status_code == 422} == {"call_id"}
    assert len(simulator.bills()) == billed + 1
    assert http.get(f"/stats/{org}").json()["total_calls"] == 1


def test_a_call_id_of_a_request_that_was_refused_is_still_good(
    http: httpx.Client, route: Callable[..., dict], org: str
) -> None:
    for wrong in ({"hint": "poetry"}, {"policy": {"allowed_providers": ["nobody"]}}):
        body = {"prompt": "hello", "org": org, "call_id": "mine-3", **wrong}
        assert http.post("/route", json=body).json()["error"]["field"] != "call_id"
    assert route(call_id="mine-3")["call_id"] == "mine-3"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_taken_by_name(route: Callable[..., dict], preset: str) -> None:
    assert route(optimize_for=preset)["text"]


def test_a_prompt_beside_messages_is_refused(http: httpx.Client) -> None:
    body = {"prompt": "this", "messages": [{"role": "user", "content": "or this"}]}
    answer = http.post("/route", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "prompt")


def test_a_key_with_a_limit_is_told_when_to_come_back(http: httpx.Client, org: str, gateway) -> None:
    headers = {"Authorization": f"Bearer {gateway.new_key(org, rate_limit_rpm=2)}"}
    messages = [{"role": "user", "content": "hello"}]
    answers = [
        http.post("/route", json={"prompt": "hello"}, headers=headers),
        http.post("/v1/chat/completions", json={"model": "auto", "messages": messages}, headers=headers),
        http.post("/route", json={"prompt": "hello"}, headers=headers),
        http.post("/v1/chat/completions", json={"model": "auto", "messages": messages}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].json()["error"]["code"] == "rate_limit_exceeded"
    assert http.get(f"/stats/{org}", headers=headers).status_code == 200, "reports are no calls"


def test_the_contract_lists_every_field_of_request_and_reply(http: httpx.Client) -> None:
    contract = http.get("/openapi.json").json()
    schemas = contract["components"]["schemas"]
    request = schemas["RouteRequest"]["properties"]
    assert request.keys() == {
        "prompt", "org", "optimize_for", "hint", "policy", "messages", "options", "router", "call_id",
        "user_id",
        "conversation_id", "memory", "mode", "cache",
        "routing_hints", "routing_override",
    }  # fmt: skip
    assert all(part["description"] for part in request.values())
    assert schemas["RouteReply"]["properties"].keys() >= TEN_FIELDS.keys()
    assert schemas["RouteReply"]["required"][:10] == list(TEN_FIELDS)
    assert contract["paths"]["/route"]["post"]["responses"].keys() == {
        "200",
        "401",
        "402",
        "403",
        "404",
        "408",
        "413",
        "422",
        "429",
        "502",
        "503",
        "504",
    }


def test_the_reply_holds_exactly_what_the_contract_lists(
    http: httpx.Client, route: Callable[..., dict]
) -> None:
    listed = http.get("/openapi.json").json()["components"]["schemas"]["RouteReply"]["properties"]
    assert listed.keys() <= route().keys()


REFUSED = [
    ({"prompt": ""}, "prompt"),
    ({"prompt": " \n\t"}, "prompt"),
    ({"prompt": 5}, "prompt"),
    ({"prompt": ["hello"]}, "prompt"),
    ({}, "prompt"),
    ({"prompt": "hello\ud800"}, "prompt"),
    ({"hint": "poetry"}, "hint"),
    ({"hint": 5}, "hint"),
    ({"hint": ["qa"]}, "hint"),
    ({"org": "Upper"}, "org"),
    ({"org": "a/b"}, "org"),
    ({"org": "x" * 65}, "org"),
    ({"org": "a\u0000"}, "org"),
    ({"org": 5}, "org"),
    ({"router": "nope"}, "router"),
    ({"router": {}}, "router"),
    ({"call_id": "a b"}, "call_id"),
    ({"call_id": ""}, "call_id"),
    ({"optimize_for": {"cost": -1}}, "optimize_for.cost"),
    ({"optimize_for": {"speed": 1}}, "optimize_for.speed"),
    ({"optimize_for": {"cost": "1"}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": True}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": float("nan")}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": float("inf")}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": 10**400}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": None}}, "optimize_for.cost"),
    ({"optimize_for": {"cost": 0, "quality": 0, "latency": 0}}, "optimize_for"),
    ({"optimize_for": {}}, "optimize_for"),
    ({"optimize_for": "cheap-first"}, "optimize_for"),
    ({"optimize_for": ["cost-first"]}, "optimize_for"),
    ({"org": ""}, "org"),
    ({"org": "all"}, "org"),
    ({"router": ""}, "router"),
    ({"routing_hints": {"mode": "quick"}}, "routing_hints.mode"),
    ({"routing_override": {"model": 5}}, "routing_override.model"),
    ({"options": {"stream": True}}, "options.stream"),
    ({"options": {"n": 2}}, "options.n"),
    ({"options": {"logprobs": "yes"}}, "options.logprobs"),
    ({"options": {"top_logprobs": 3}}, "options.top_logprobs"),
    ({"options": {"logprobs": False, "top_logprobs": 3}}, "options.top_logprobs"),
    ({"options": {"logprobs": True, "top_logprobs": 21}}, "options.top_logprobs"),
    ({"options": {"model": "gpt-4o"}}, "options.model"),
    ({"policy": {"allowed_providers": [f"p{n}" for n in range(257)]}}, "policy.allowed_providers"),
    ({"optimize_for": {"\ud800": 1}}, "optimize_for"),
    ({"policy": []}, "policy"),
    ({"policy": {"max_price": 1}}, "policy.max_price"),
    ({"policy": {"max_tier": "huge"}}, "policy.max_tier"),
    ({"policy": {"max_tier": ["slm"]}}, "policy.max_tier"),
    ({"policy": {"allowed_providers": "openai"}}, "policy.allowed_providers"),
    ({"policy": {"allowed_providers": []}}, "policy.allowed_providers"),
    ({"policy": {"required_capabilities": [5]}}, "policy.required_capabilities"),
    ({"policy": {"required_capabilities": ["\udfff"]}}, "policy.required_capabilities[0]"),
    ({"policy": {"max_cost_per_call_usd": -0.1}}, "policy.max_cost_per_call_usd"),
    ({"policy": {"max_cost_per_call_usd": True}}, "policy.max_cost_per_call_usd"),
    ({"policy": {"max_cost_per_call_usd": 10**400}}, "policy.max_cost_per_call_usd"),
    ({"policy": {"quality_bar": 1.1}}, "policy.quality_bar"),
    ({"policy": {"quality_bar": float("nan")}}, "policy.quality_bar"),
    ({"policy": {"\ud800": 1}}, "policy"),
    ({"messages": []}, "messages"),
    ({"messages": "hello"}, "messages"),
    ({"messages": [{"content": "hello"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": "half \ud83d"}]}, "messages[0].content"),
    ({"options": []}, "options"),
    ({"options": {"max_tokens": 0}}, "options.max_tokens"),
    ({"options": {"temperature": float("inf")}}, "options.temperature"),
    ({"options": {"seed": 2**64}}, "options.seed"),
    ({"prompts": "hello"}, "prompts"),
    ({"\ud800": 1}, "body"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "field"), REFUSED, ids=lambda value: ascii(value)[:60])
def test_a_wrong_field_is_named(http: httpx.Client, part: dict, field: str) -> None:
    body = {"prompt": "hello", **part} if part and "messages" not in part else part
    answer = http.post("/route", content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert (error["field"], error["code"], error["type"]) == (
        field,
        "invalid_request",
        "invalid_request_error",
    )


NESTED = b'{"prompt": "hello", "options": {"a": %s}}'


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b'{"prompt": "hello"', b"[]", b"null", b"1", b'"hello"', b"\xff\xfe",
        b'{"prompt": "\xff"}',         b"[" * 100_000, NESTED % (b"1" * 5_000),
        NESTED % (b"[" * 101 + b"]" * 101),
        NESTED % (b"[" * 990 + b"]" * 990), NESTED % (b"[" * 5_000 + b"]" * 5_000),
    ],
    ids=lambda raw: ascii(raw)[:30],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(http: httpx.Client, raw: bytes) -> None:
    answer = http.post("/route", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["field"].split(".")[0] in {"body", "options"}


@pytest.mark.parametrize(
    "prompt", ["NUL \u0000 inside", "\u202e\U0001f468‍👩", "<script>", "'; DROP TABLE calls", "%s {} \\"]
)
def test_odd_text_is_routed_like_any_other(route: Callable[..., dict], prompt: str) -> None:
    assert route(prompt)["text"]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("prompt", "org", "optimize_for", "hint", "policy", "router", "call_id", "unknown")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, min_size=1, max_size=3))
def test_no_value_in_any_field_is_a_failure_of_the_gateway(http: httpx.Client, body: dict) -> None:
    raw = json.dumps(body)
    answer = http.post("/route", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code in {200, 422}, (raw, answer.text)


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "messages[0].content"),
        ({"options": {"tools": 5}}, "options.tools"),
        ({"options": {"tools": [5]}}, "options.tools[0]"),
        ({"options": {"response_format": 5}}, "options.response_format"),
    ],
    ids=ascii,
)
def test_a_part_the_cascade_reads_is_checked(http: httpx.Client, part: dict, field: str) -> None:
    answer = http.post("/route", json={"prompt": "hello", **part})
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_no_judge_reads_what_the_policy_keeps_from_it(route: Callable[..., dict], bills, org: str) -> None:
    """The classic router has every answer judged."""
    judged = route(router="x25-classic", policy={"allowed_providers": ["sim-a", "sim-judge"]})
    assert (judged["quality_source"], judged["verdict"]["not_judged"]) == ("judge", None)
    kept = route(router="x25-classic", policy={"allowed_providers": ["sim-a"]})
    assert (kept["quality_source"], kept["judge_cost_usd"]) == ("estimate", 0)
    why = "allowed_providers: sim-judge is not one of sim-a"
    assert kept["verdict"]["not_judged"] == f"no judge may be asked: sim/judge-1 ({why})"
    assert kept["explain"]["judges_removed"] == {"sim/judge-1": why}
    assert bills(kept["call_id"], org, judge=True) == []
    assert len(bills(judged["call_id"], org, judge=True)) == 1
