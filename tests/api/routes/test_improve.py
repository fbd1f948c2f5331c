import json
import sqlite3
import time
from collections.abc import Callable

import httpx
import pytest

from x25.graph.training_folders import FILES


@pytest.fixture(scope="module")
def keeping(start_gateway):
    """A gateway that keeps words and judges nothing, so that every good model's answer is above the least quality."""
    return start_gateway(X25_STORE_PROMPTS="true", X25_JUDGE="none", X25_OWN_MODEL_HOSTS="127.0.0.1")


@pytest.fixture
def client(keeping):
    with httpx.Client(base_url=keeping.url, timeout=60) as opened:
        yield opened


@pytest.fixture
def grown(client, keeping, org) -> str:
    """An org of eight good calls that counts as having made five hundred."""
    for number in range(8):
        body = {"prompt": f"What is {number} plus 2?", "org": org, "policy": {"allowed_providers": ["sim-f"]}}
        client.post("/route", json=body).raise_for_status()
    with sqlite3.connect(keeping.database, timeout=20) as database:
        database.execute("UPDATE orgs SET call_count = 500 WHERE org = ?", (org,))
    return org


@pytest.fixture
def model(simulator) -> dict:
    return {"model_id": "own/support", "base_url": simulator.url, "name": "sim/xlarge-6"}


def ended(client: httpx.Client, org: str, job_id: str, **more) -> dict:
    for _ in range(400):
        job = client.get(f"/improve/{org}/jobs/{job_id}", **more).raise_for_status().json()
        if job["status"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_before_stage_four_it_is_refused_with_the_calls_that_are_missing(client, org):
    client.post("/route", json={"prompt": "hello", "org": org}).raise_for_status()
    refused = client.post(f"/improve/{org}")
    assert refused.status_code == 403
    assert "499 more calls are needed" in refused.json()["error"]["message"]
    assert client.get(f"/improve/{org}").json()["calls_needed"] == 499


@pytest.mark.slow
def test_a_job_is_asked_for_followed_and_its_folder_read(client, grown):
    asked = client.post(f"/improve/{grown}", json={"min_examples": 2})
    assert asked.status_code == 202
    job = ended(client, grown, asked.json()["job_id"])
    assert (job["status"], job["progress"], job["detail"]) == ("done", 1.0, None)
    assert sum(job["result"]["examples"].values()) == 8
    place = f"/improve/{grown}/jobs/{job['job_id']}/files"
    rows = [
        json.loads(line)
        for name in ("train.jsonl", "held_out.jsonl")
        for line in client.get(f"{place}/{name}").raise_for_status().text.splitlines()
    ]
    assert sorted(row["instruction"] for row in rows) == [f"What is {number} plus 2?" for number in range(8)]
    for name in FILES:
        assert client.get(f"{place}/{name}").status_code == 200
    for name in ("../manifest.json", "..%2F..%2F..%2Fx25.db", "output", "%00"):
        assert client.get(f"{place}/{name}").status_code in (404, 422)
    listed = client.get(f"/improve/{grown}").json()
    assert [one["job_id"] for one in listed["jobs"]] == [job["job_id"]]
    assert client.delete(f"/improve/{grown}/jobs/{job['job_id']}").json()["had_folder"] is True
    assert client.get(f"{place}/train.jsonl").status_code == 404


@pytest.mark.slow
def test_too_little_is_told_by_the_job_and_another_org_has_no_such_job(client, grown):
    job = ended(client, grown, client.post(f"/improve/{grown}").json()["job_id"])
    assert job["status"] == "failed"
    assert "50 are needed" in job["detail"]
    assert client.get(f"/improve/someone-else/jobs/{job['job_id']}").status_code == 404


def test_an_org_can_opt_out_and_in_again(client, grown):
    assert client.put(f"/improve/{grown}/opt-out", json={"opted_out": True}).json() == {"opted_out": True}
    assert "opted out" in client.post(f"/improve/{grown}").json()["error"]["message"]
    assert client.get(f"/improve/{grown}").json()["opted_out_since"]
    client.put(f"/improve/{grown}/opt-out", json={"opted_out": False}).raise_for_status()
    assert client.post(f"/improve/{grown}").status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [({"min_quality": 0.5}, "min_quality"), ({"base_model": "gpt"}, "base_model"), ({"epochs": 3}, "epochs"),
     ({"personal_data": "hide"}, "personal_data"), ({"min_examples": 9, "max_examples": 3}, "min_examples")],
)  # fmt: skip
def test_a_wrong_option_is_named(client, grown, body, field):
    refused = client.post(f"/improve/{grown}", json=body)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)


def test_without_kept_prompts_the_setting_to_change_is_named(
    http: httpx.Client, gateway, route: Callable, org
):
    route()
    with sqlite3.connect(gateway.database, timeout=20) as database:
        database.execute("UPDATE orgs SET call_count = 500 WHERE org = ?", (org,))
    refused = http.post(f"/improve/{org}")
    assert refused.status_code == 422
    assert "X25_STORE_PROMPTS=true" in refused.json()["error"]["message"]


def test_a_registered_model_answers_its_orgs_calls_and_no_others(client, org, model):
    added = client.post(f"/improve/{org}/register", json=model)
    assert added.status_code == 200
    assert (added.json()["tier"], added.json()["input_usd_per_mtok"], added.json()["is_new"]) == (
        "slm",
        0.01,
        True,
    )
    body = {"model": "own/support", "messages": [{"role": "user", "content": "What is 2 plus 2?"}]}
    reply = client.post("/v1/chat/completions", json=body | {"x25": {"org": org}}).raise_for_status().json()
    assert reply["x25"]["model_used"] == "own/support"
    routed = client.post(
        "/route", json={"prompt": "hi", "org": org, "policy": {"allowed_providers": ["own"]}}
    ).json()
    assert (routed["model_used"], routed["tier"]) == ("own/support", "slm")
    assert client.get(f"/thompson/{org}").status_code == 200
    assert client.post("/v1/chat/completions", json=body | {"x25": {"org": "someone"}}).status_code == 404
    assert client.get(f"/improve/{org}").json()["models"][0]["model_id"] == "own/support"
    assert client.post(f"/improve/{org}/register", json=model).json()["is_new"] is False
    gone = client.delete(f"/improve/{org}/register/own/support")
    assert gone.json() == {"org": org, "model_id": "own/support", "unregistered": True}
    assert client.post("/v1/chat/completions", json=body | {"x25": {"org": org}}).status_code == 404
    assert client.delete(f"/improve/{org}/register/own/support").status_code == 404


def test_a_model_that_does_not_answer_is_refused_with_its_servers_words(client, org, model, simulator):
    refused = client.post(f"/improve/{org}/register", json=model | {"name": "sim/nothing"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "base_url")
    assert "sim/nothing" in refused.json()["error"]["message"]
    closed = client.post(f"/improve/{org}/register", json=model | {"base_url": "http://127.0.0.1:9/v1"})
    assert closed.status_code == 422
    assert client.get(f"/improve/{org}").json()["models"] == []


def test_an_orgs_key_registers_where_the_operator_listed_the_host_for_its_own_org_alone(
    client, keeping, org, model
):
    mine = {"Authorization": f"Bearer {keeping.new_key(org, scopes=('read', 'improve'))}"}
    reader = {"Authorization": f"Bearer {keeping.new_key(org)}"}
    assert client.post(f"/improve/{org}/register", json=model, headers=reader).status_code == 403
    admin = {"Authorization": f"Bearer {keeping.new_key('root-org', is_admin=True)}"}
    assert client.post(f"/improve/{org}/register", json=model, headers=mine).status_code == 200
    assert client.post("/improve/someone-else/register", json=model, headers=mine).status_code == 403
    elsewhere = model | {"base_url": "http://localhost:9/v1"}
    assert client.post(f"/improve/{org}/register", json=elsewhere, headers=mine).status_code == 403
    vendors_key = model | {"key_env": "OPENROUTER_API_KEY"}
    assert client.post(f"/improve/{org}/register", json=vendors_key, headers=mine).status_code == 403
    assert client.post(f"/improve/{org}/register", json=elsewhere, headers=admin).status_code == 422
    assert client.delete("/improve/someone-else/register/own/support", headers=mine).status_code == 403


def test_without_a_key_a_strict_gateway_shows_and_takes_nothing(strict_gateway, model):
    with httpx.Client(base_url=strict_gateway.url) as client:
        for method, path, body in [
            ("POST", "/improve/acme", {}), ("GET", "/improve/acme", None), ("GET", "/improve/acme/jobs/x", None),
            ("GET", "/improve/acme/jobs/x/files/train.jsonl", None), ("POST", "/improve/acme/register", model),
            ("DELETE", "/improve/acme/register/own/m", None), ("PUT", "/improve/acme/opt-out", {"opted_out": True}),
        ]:  # fmt: skip
            assert client.request(method, path, json=body).status_code == 401, path


@pytest.mark.parametrize("name", ["..%2F..%2Fetc", "A", "all", "%20", "a%00", "x" * 65])
def test_a_hostile_orgs_name_is_refused(client, name):
    assert client.post(f"/improve/{name}").status_code in (404, 422)
    assert client.get(f"/improve/{name}").status_code in (404, 422)
