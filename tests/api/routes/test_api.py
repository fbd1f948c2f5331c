import asyncio
import sqlite3
from collections.abc import Callable

import httpx
import pytest

ROUTE, HISTORY = "/api/route", "/api/history"


@pytest.fixture
def decide(http: httpx.Client, org: str) -> Callable[..., dict]:
    def post(prompt: str = "Prove that there are infinitely many primes.", **more: object) -> dict:
        return http.post(ROUTE, json={"prompt": prompt, "org": org, **more}).raise_for_status().json()

    return post


def test_configs_are_listed_with_models_and_every_knob(http) -> None:
    configs = {one["name"]: one for one in http.get("/api/configs").raise_for_status().json()["configs"]}
    assert {"auto", "cheap-pair", "quality-pair", "xrouter-classic"} <= configs.keys()
    assert configs["cheap-pair"]["models"] == ["sim/tiny-1", "sim/small-2"]
    assert len(configs["auto"]["models"]) == 6
    classic = configs["xrouter-classic"]
    knobs = ("completion_threshold", "lambda_cost", "lambda_latency", "max_k", "fallback_quality_margin")
    assert [classic[name] for name in knobs] == [0.7, 1.0, 0.0, 1, 0.05]
    assert all(one["description"] for one in configs.values())


def test_a_decision_says_what_was_selected_among_whom_and_is_logged_once(http, decide, org) -> None:
    reply = decide(user_id="ada", task="reasoning")
    by_id = {one["model_id"]: one for one in reply["candidates"]}
    (selected,) = reply["selected"]
    assert reply["expected_quality"] == by_id[selected]["mu"]
    assert (reply["cost"], reply["latency"]) == (by_id[selected]["cost"], by_id[selected]["latency"])
    assert all(0 < one["mu"] < 1 and 0 < one["sigma"] < 0.5 and one["cost"] > 0 for one in by_id.values())
    assert (reply["task"], reply["config"], reply["user_id"], reply["org"]) == (
        "reasoning",
        "auto",
        "ada",
        org,
    )
    page = http.get(HISTORY, params={"org": org}).json()
    (logged,) = page["calls"]
    assert page["total"] == 1
    for name in ("id", "ts", "selected", "candidates", "expected_quality", "cost", "latency", "user_id", "config",
                 "task", "audit_hash", "propensity"):  # fmt: skip
        assert logged[name] == reply[name]
    assert (logged["kind"], logged["status"], logged["prompt"]) == ("decision", "decided", None)
    assert http.get(f"/stats/{org}").json()["total_calls"] == 0


@pytest.mark.parametrize(
    ("status", "code", "field", "body"),
    [
        (400, "empty_prompt", "prompt", {"prompt": ""}),
        (400, "empty_prompt", "prompt", {"prompt": " \n"}),
        (400, "unknown_config", "config", {"config": "no-such"}),
        (400, "unknown_config", "config", {"config_name": "no-such"}),
        (400, "unknown_models", "models", {"models": ["no/such"]}),
        (422, "invalid_request", "prompt", {"prompt": 5}),
        (422, "invalid_request", "models", {"models": []}),
        (422, "invalid_request", "completion_threshold", {"completion_threshold": 1.01}),
        (422, "invalid_request", "completion_threshold", {"completion_threshold": "0.5"}),
        (422, "invalid_request", "lambda_cost", {"lambda_cost": -0.1}),
        (422, "invalid_request", "lambda_latency", {"lambda_latency": -1}),
        (422, "invalid_request", "max_k", {"max_k": 0}),
        (422, "invalid_request", "max_k", {"max_k": 5}),
        (422, "invalid_request", "fallback_quality_margin", {"fallback_quality_margin": 2}),
        (422, "invalid_request", "user_id", {"user_id": "x" * 256}),
        (422, "invalid_request", "user_id", {"user_id": "a\x00b"}),
        (422, "invalid_request", "task", {"task": "cooking"}),
        (422, "invalid_request", "preferred_input_modalities", {"preferred_input_modalities": ["smell"]}),
        (422, "invalid_request", "config_name", {"config": "auto", "config_name": "cheap-pair"}),
        (422, "invalid_request", "policy.max_teir", {"policy": {"max_teir": "mid"}}),
        (422, "invalid_request", "surprise", {"surprise": 1}),
        (422, "no_eligible_model", "policy", {"policy": {"allowed_providers": ["nobody"]}}),
    ],
)
def test_what_is_refused_is_named_and_not_logged(http, org, status, code, field, body) -> None:
    reply = http.post(ROUTE, json={"prompt": "hello", "org": org} | body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"], error["field"]) == (status, code, field)
    assert http.get(HISTORY, params={"org": org}).json()["total"] == 0


def test_a_prompt_that_is_missing_is_a_fault_of_the_body(http) -> None:
    assert http.post(ROUTE, json={}).json()["error"]["field"] == "prompt"


@pytest.mark.parametrize(
    ("config", "override"),
    [
        ("single-model", {"models": ["sim/tiny-1"]}),
        ("xrouter-classic", {"completion_threshold": 0.0}),
        ("xrouter-classic", {"completion_threshold": 0.99, "fallback_quality_margin": 0.0}),
        ("xrouter-classic", {"completion_threshold": 0.99, "fallback_quality_margin": 0.5}),
        ("xrouter-classic", {"completion_threshold": 0.99, "max_k": 2}),
        ("single-model", {"models": ["sim/large-5", "sim/xlarge-6"], "lambda_cost": 0.0}),
        ("xrouter-classic", {"lambda_latency": 1000.0}),
    ],
)
def test_a_field_that_is_named_overrides_the_config(decide, config, override) -> None:
    """Each is compared with the config's own word, on the same prompt; the log says which config it was."""
    own, changed = decide(config=config), decide(config=config, **override)
    assert changed["config"] == config
    if "lambda_latency" in override:
        assert changed["latency"] <= own["latency"]
    elif "lambda_cost" not in override:
        assert changed["selected"] != own["selected"]
    for name, value in override.items():
        if name == "models":
            assert {one["model_id"] for one in changed["candidates"]} == set(value)


def test_no_config_and_a_list_of_models_is_a_custom_one(decide) -> None:
    assert decide(models=["sim/tiny-1"])["config"] == "custom"


def test_history_holds_calls_and_decisions_newest_first_in_pages(http, decide, route, org) -> None:
    ids = [decide(user_id="ada")["id"] if n % 2 else route(user_id="bob")["call_id"] for n in range(7)]
    seen, before = [], None
    while True:
        asked = {"org": org, "limit": 3} | ({} if before is None else {"before": before})
        page = http.get(HISTORY, params=asked).json()
        seen += [one["id"] for one in page["calls"]]
        before = page["next"]
        if before is None:
            break
        decide()  # what arrives meanwhile moves nothing
    assert seen == ids[::-1]
    by_offset = http.get(HISTORY, params={"org": org, "limit": 2, "offset": 1, "user_id": "bob"}).json()
    assert ([one["id"] for one in by_offset["calls"]], by_offset["total"]) == ([ids[4], ids[2]], 4)
    (call,) = http.get(HISTORY, params={"org": org, "limit": 1, "user_id": "bob"}).json()["calls"]
    assert (call["kind"], call["status"], call["candidates"]) == ("call", "answered", None)
    assert call["model_used"]


@pytest.mark.parametrize(("limit", "count"), [(-5, 1), (0, 1), (2, 2), (10**30, 3)])
def test_the_limit_is_brought_into_its_bounds(http, decide, org, limit, count) -> None:
    for _ in range(3):
        decide()
    page = http.get(HISTORY, params={"org": org, "limit": limit}).json()
    assert (len(page["calls"]), page["total"]) == (count, 3)


@pytest.mark.parametrize(
    ("field", "value"), [("limit", "many"), ("offset", -1), ("offset", 10**30), ("before", -1), ("before", 10**30),
                         ("user_id", ""), ("org", "All")]
)  # fmt: skip
def test_a_wrong_parameter_is_named(http, field, value) -> None:
    reply = http.get(HISTORY, params={field: value})
    assert (reply.status_code, reply.json()["error"]["field"].rpartition(".")[2]) == (422, field)


def test_what_is_deleted_is_gone_and_the_chain_holds(http, decide, route, org) -> None:
    call, decision = route(user_id="ada")["call_id"], decide(user_id="ada")["id"]
    other = decide()["id"]
    for name in (call, decision):
        path = f"/api/calls/{name}"
        assert http.delete(path, params={"org": org, "user_id": "bob"}).status_code == 404
        assert http.delete(path).status_code == 404  # of org "default"
        assert http.delete(path, params={"org": org, "user_id": "ada"}).json() == {"deleted": name}
        assert http.delete(path, params={"org": org}).status_code == 404
    left = http.get(HISTORY, params={"org": org}).json()
    assert ([one["id"] for one in left["calls"]], left["total"]) == ([other], 1)
    found = http.get("/verify", params={"org": org, "full": True}).json()
    assert (found["intact"], found["total_records"], found["erased"]) == (True, 5, 2)
    assert http.get(f"/stats/{org}").json()["total_calls"] == 1  # what was spent stays counted
    assert http.delete("/api/calls/no%20id", params={"org": org}).json()["error"]["field"] == "call_id"


def test_a_key_reads_and_erases_its_own_org_alone(strict_gateway) -> None:
    keys = {
        org: strict_gateway.new_key(org, scopes=("call", "read", "settings"))
        for org in ("keyed-a", "keyed-b")
    }
    admin = strict_gateway.new_key("ops", is_admin=True)

    def as_(key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    with httpx.Client(base_url=strict_gateway.url, timeout=30) as http:
        assert http.post(ROUTE, json={"prompt": "hello"}).status_code == 401
        asked = {"prompt": "hello", "org": "keyed-b"}
        made = http.post(ROUTE, json=asked, headers=as_(keys["keyed-a"])).json()
        assert made["org"] == "keyed-a"  # a call's org is its key's, whatever the body says
        assert http.get(HISTORY, headers=as_(keys["keyed-a"])).json()["total"] == 1
        assert http.get(HISTORY, headers=as_(keys["keyed-b"])).json()["total"] == 0
        for path in (f"{HISTORY}?org=keyed-a", "/verify/keyed-a/head"):
            assert http.get(path, headers=as_(keys["keyed-b"])).status_code == 403
        path = f"/api/calls/{made['id']}"
        assert http.delete(path, headers=as_(keys["keyed-b"])).status_code == 404
        assert http.delete(path, params={"org": "keyed-a"}, headers=as_(keys["keyed-b"])).status_code == 403
        assert http.get(HISTORY, params={"org": "keyed-a"}, headers=as_(admin)).json()["total"] == 1
        assert http.delete(path, headers=as_(keys["keyed-a"])).status_code == 200


def test_a_decision_counts_against_the_keys_limit(strict_gateway) -> None:
    headers = {"Authorization": f"Bearer {strict_gateway.new_key('limited', rate_limit_rpm=1)}"}
    with httpx.Client(base_url=strict_gateway.url, timeout=30) as http:
        statuses = [http.post(ROUTE, json={"prompt": "hello"}, headers=headers).status_code for _ in range(2)]
    assert statuses == [200, 429]


async def test_what_was_logged_outlives_the_gateway(open_app) -> None:
    async with open_app() as http:
        made = (await http.post(ROUTE, json={"prompt": "hello"})).json()["id"]
    async with open_app() as http:
        page = (await http.get(HISTORY)).json()
        assert [one["id"] for one in page["calls"]] == [made]


async def test_decisions_at_once_are_each_logged_once_in_one_line(open_app) -> None:
    async with open_app() as http:
        replies = await asyncio.gather(*(http.post(ROUTE, json={"prompt": f"hello {n}"}) for n in range(20)))
        ids = {one.json()["id"] for one in replies}
        page = (await http.get(HISTORY)).json()
        assert ({one["id"] for one in page["calls"]}, page["total"]) == (ids, 20)
        assert sorted(one["audit_index"] for one in page["calls"]) == list(range(20))
        assert (await http.get("/verify")).json()["intact"]


@pytest.fixture
def call_id(route, gateway, org) -> str:
    reply = route()
    with sqlite3.connect(gateway.database) as connection:
        connection.execute("UPDATE orgs SET call_count = 250 WHERE org = ?", (org,))
    return reply["call_id"]


def test_feedback_of_a_router_is_set_and_taken_back(http: httpx.Client, call_id: str, org: str) -> None:
    path = f"/api/calls/{call_id}/feedback?org={org}"
    bad = {"outcome": "bad", "correct_model": "sim/large-5", "note": "wrong"}
    found = http.patch(path, json=bad)
    assert found.status_code == 200, found.text
    assert found.json() == {
        "id": call_id, "feedback": {"outcome": "bad", "correct_model": "sim/large-5"}, "not_kept": ["note"],
    }  # fmt: skip
    assert (
        http.post("/feedback", json={"org": org, "call_id": call_id, "outcome": "good"}).json()["became"]
        == "changed"
    )
    assert http.patch(path, json={"outcome": "retracted"}).json()["feedback"] is None


@pytest.mark.parametrize(("body", "field"), [
    ({}, "outcome"), ({"outcome": "good", "correct_model": "sim/tiny-1"}, "correct_model"),
    ({"outcome": "retracted", "note": "x"}, "note"), ({"outcome": "bad", "score": 0.1}, "outcome"),
])  # fmt: skip
def test_an_illegal_combination_is_refused_by_name(http, call_id, org, body, field) -> None:
    refused = http.patch(f"/api/calls/{call_id}/feedback?org={org}", json=body)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)


def test_an_unknown_call_is_not_found_and_nobodys_org_is_default(http, call_id, org) -> None:
    assert http.patch(f"/api/calls/none/feedback?org={org}", json={"outcome": "good"}).status_code == 404
    assert http.patch(f"/api/calls/{call_id}/feedback", json={"outcome": "good"}).status_code in {403, 404}


def test_lines_of_training_data_that_go_with_a_call_are_told_and_folders_that_may_have_it(
    http, gateway, route, org
):
    call_id = route()["call_id"]
    folder = gateway.database.parent / "improve" / org / "job"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"instruction": "What is 17 * 23?", "input": "", "output": "391"}\n')
    broken = folder.with_name("broken")
    broken.mkdir()
    (broken / "calls.jsonl").write_text("{")
    deleted = http.delete(f"/api/calls/{call_id}", params={"org": org}).json()
    assert deleted == {
        "deleted": call_id, "training_lines": 1, "training_folders_left": [f"{broken}: calls.jsonl cannot be read"],
    }  # fmt: skip
    assert (folder / "train.jsonl").read_text() == ""
