"""The examples that comparable routers publish, run against a gateway on the simulator.

Three documents: an SDK with a learning gateway (`from x25 import X25`), a service that only decides (`/api/route`), and
a gateway with hints and headers. README lists what differs. An example whose door this gateway lacks is skipped,
and runs once the door is there.
"""

import inspect
import re

import httpx
import pytest
from openai import OpenAI
from typer.testing import CliRunner

from x25 import X25, X25Response
from x25.cli import app
from x25.demo.gateway import gateway_process
from x25.state.store import open_store

LAB = "my-research-lab"
PROMPT = "Calculate 18 * 23 + 9. Give the number."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def url(simulator, folder):
    with gateway_process(folder, simulator.url, seed="25") as gateway:
        yield gateway.url


@pytest.fixture
async def key(url, folder):
    async with await open_store(f"sqlite+aiosqlite:///{folder}/x25.db") as store:
        return (await store.keys.create(LAB))[0]


@pytest.fixture
def http(url):
    with httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def doors(url) -> set[tuple[str, str]]:
    """Return method and path of every door, parameters as {}."""
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, ways in paths.items() for method in ways
    }


@pytest.fixture
def needs(doors):
    def need(method: str, path: str) -> None:
        if (method, path) not in doors:
            pytest.skip(f"this gateway has no {method} {path} yet")

    return need


# an SDK with a learning gateway


def test_the_first_call_of_the_sdk_with_key_prompt_and_org(url, key, capsys):
    agent = X25(api_key=key, prompt="your-prompt", org=LAB, gateway_url=url)
    result = agent.complete()
    print(result)  # noqa: T201
    assert result.text in capsys.readouterr().out


def test_the_constructors_published_parameters_and_defaults(url):
    agent = X25(
        org="default", optimize_for={"cost": 0.33, "quality": 0.34, "latency": 0.33}, policy={}, gateway_url=url,
        api_key=None,
    )  # fmt: skip
    assert agent.complete(prompt=PROMPT, hint=None).text
    assert X25().gateway_url == "http://localhost:8000"
    assert X25().org == "default"


@pytest.mark.parametrize(
    "hint", ["summary", "code", "classification", "extraction", "qa", "reasoning", "creative"]
)
def test_every_published_hint_files_the_call(url, hint):
    assert X25(org=LAB, gateway_url=url).complete(PROMPT, hint).task_type == hint


def test_the_response_has_the_ten_published_fields_of_their_types(url):
    reply = X25(org=LAB, gateway_url=url).complete(PROMPT)
    published = {
        "text": str, "model_used": str, "provider": str, "task_type": str, "cost_usd": float, "latency_ms": float,
        "quality_score": float, "cascade_steps": int, "audit_hash": str, "goal_match": dict,
    }  # fmt: skip
    assert list(inspect.signature(X25Response).parameters)[:10] == list(published)
    for name, kind in published.items():
        assert isinstance(getattr(reply, name), kind | type(None) if name == "quality_score" else kind), name
    assert re.fullmatch("[0-9a-f]{64}", reply.audit_hash)
    assert reply.goal_match.keys() == {"cost", "quality", "latency"}


@pytest.mark.parametrize(
    "weights",
    [
        {"cost": 0.7, "quality": 0.2, "latency": 0.1},
        {"cost": 0.1, "quality": 0.8, "latency": 0.1},
        {"cost": 0.33, "quality": 0.34, "latency": 0.33},
        {"cost": 0.1, "quality": 0.2, "latency": 0.7},
        {"cost": 7, "quality": 2, "latency": 1},
    ],
)
def test_the_published_profiles_and_weights_that_do_not_sum_to_one(url, weights):
    assert X25(org=LAB, optimize_for=weights, gateway_url=url).complete(PROMPT).text


def test_a_published_policy_is_kept(url):
    reply = X25(org=LAB, policy={"max_cost_per_call_usd": 0.02}, gateway_url=url).complete(PROMPT)
    assert reply.cost_usd + reply.judge_cost_usd <= 0.02


def test_route_takes_the_published_fields_and_a_key_decides_the_org(http, key):
    body = {"prompt": PROMPT, "org": "somebody-else", "optimize_for": {"cost": 1}, "hint": "qa", "policy": {}}
    reply = http.post("/route", json=body, headers={"Authorization": f"Bearer {key}"})
    assert reply.status_code == 200
    assert reply.json()["org"] == LAB


def test_the_published_reports_have_their_fields(http):
    http.post("/route", json={"prompt": PROMPT, "org": LAB}).raise_for_status()
    stats = http.get(f"/stats/{LAB}").json()
    assert {
        "total_calls", "total_cost_usd", "total_saved_usd", "avg_quality", "avg_latency_ms", "model_distribution",
        "tier_distribution",
    } <= stats.keys()  # fmt: skip
    assert stats["tier_distribution"].keys() >= {"slm", "mid", "frontier"}
    assert http.get("/stats/all").json()["total_calls"] >= stats["total_calls"]
    stage = http.get(f"/stage/{LAB}").json()
    assert stage.keys() >= {
        "stage", "stage_name", "total_calls", "calls_to_next_stage", "progress_in_stage", "improvement_available",
    }  # fmt: skip
    thompson = http.get(f"/thompson/{LAB}").json()
    assert thompson["org"] == LAB
    assert all(
        arm.keys() >= {"tier", "alpha", "beta", "mean_reward", "confidence"} for arm in thompson["arms"]
    )
    assert {arm["tier"] for arm in thompson["arms"]} == {"slm", "mid", "frontier"}


def test_verify_says_whether_the_trail_is_intact(http):
    told = http.get("/verify").json()
    assert told["intact"] is True
    assert isinstance(told["total_records"], int)


def test_a_key_is_made_over_http_for_an_org_with_its_limit(http, needs):
    needs("POST", "/keys/create")
    reply = http.post("/keys/create", json={"org": "made-over-http", "rate_limit_rpm": 0})
    assert reply.status_code in {200, 201, 401, 403}
    if reply.is_success:
        assert reply.json()["api_key"].startswith("sk-x25-")


def test_labelled_examples_are_submitted_as_feedback(http, needs):
    needs("POST", "/feedback")
    call = http.post("/route", json={"prompt": PROMPT, "org": LAB}).json()
    reply = http.post("/feedback", json={"org": LAB, "call_id": call["call_id"], "quality": 1.0})
    assert reply.status_code < 500
    assert reply.status_code != 404


def test_an_org_at_its_first_stage_is_told_that_improving_waits(http, needs):
    needs("POST", "/improve/{}")
    reply = http.post("/improve/a-new-lab")
    assert 400 <= reply.status_code < 500
    assert reply.json()["error"]["message"]


def test_a_custom_model_is_registered(http, needs):
    needs("POST", "/improve/{}/register")
    assert http.post("/improve/a-new-lab/register", json={}).status_code < 500


# a service that only decides


def test_the_router_configs_are_listed(http, needs):
    needs("GET", "/api/configs")
    assert "auto" in http.get("/api/configs").text


def test_a_decision_is_made_without_asking_a_model(http, needs, simulator):
    needs("POST", "/api/route")
    before = len(simulator.bills())
    reply = http.post(
        "/api/route", json={"prompt": "Design a distributed consensus algorithm", "config": "auto"}
    )
    assert reply.status_code == 200, reply.text
    assert len(simulator.bills()) == before


def test_the_newest_decisions_are_listed(http, needs):
    needs("GET", "/api/history")
    assert http.get("/api/history", params={"limit": 5}).status_code == 200


def test_models_are_predicted_and_profiles_added_in_python():
    from x25.graph.settings import default_model_path, default_models_dir, default_routers_dir
    from x25.training.fit.predictor import load_predictor

    assert default_model_path().is_file()
    assert default_routers_dir().is_dir()
    assert list(default_models_dir().glob("*.yaml"))
    predictor = load_predictor()
    predictor.add_profiles(
        {"anthropic/claude-opus-4.8": {"benchmarks": {"gpqa_diamond": 90, "livecodebench": 88}}}
    )
    asked = [{"role": "user", "content": "Design a distributed consensus algorithm"}]
    (one,) = predictor.predict(asked, ["anthropic/claude-opus-4.8"])
    assert 0.0 < round(one.mu, 3) < 1.0


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ["--port", "--model", "--models-dir", "--routers-dir", "--db"]),
        ("train-irt", ["--dataset", "--benchmark-pro", "--output"]),
        ("sweep-thresholds", []),
        ("eval-model-holdout", []),
    ],
)
def test_the_published_commands_have_their_options(command, options):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert all(option in done.stdout for option in options)


# a gateway with hints and headers


def test_model_auto_needs_nothing_else_with_the_official_client(url):
    client = OpenAI(base_url=f"{url}/v1", api_key="none")
    chat = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": PROMPT}])
    assert chat.choices[0].message.content


@pytest.mark.parametrize(
    "hints",
    [
        {"mode": "cost_optimized"},
        {"preference_dial": 0.2, "max_latency_ms": 500, "task_complexity": "standard"},
    ],
)
def test_routing_hints_are_honoured_or_refused_by_name(http, hints):
    body = {"model": "auto", "messages": [{"role": "user", "content": PROMPT}], "routing_hints": hints}
    reply = http.post("/v1/chat/completions", json=body)
    if reply.status_code != 200:
        assert reply.status_code == 422
        assert "routing_hints" in reply.json()["error"]["field"]


@pytest.mark.parametrize(
    "wishes",
    [{"optimize_for": "cost-first"}, {"optimize_for": "quality-first"}, {"policy": {"max_latency_ms": 5000}}],
)
def test_what_stands_for_the_hints_here_is_taken(http, wishes):
    body = {"model": "auto", "messages": [{"role": "user", "content": PROMPT}], "x25": wishes}
    assert http.post("/v1/chat/completions", json=body).status_code == 200


def test_a_named_model_is_asked_directly_and_one_that_is_not_there_is_404(http):
    messages = [{"role": "user", "content": PROMPT}]
    direct = http.post("/v1/chat/completions", json={"model": "sim/small-2", "messages": messages})
    assert direct.json()["model"] == "sim/small-2"
    absent = http.post("/v1/chat/completions", json={"model": "openai/gpt-4o", "messages": messages})
    assert absent.status_code == 404


def test_every_answer_has_headers_that_say_who_answered_and_what_it_cost(http):
    body = {"model": "auto", "messages": [{"role": "user", "content": PROMPT}]}
    head = http.post("/v1/chat/completions", json=body).headers
    assert head["x-x25-tier"] in {"slm", "mid", "frontier"}
    assert head["x-x25-model"].startswith("sim/")
    assert float(head["x-x25-cost-usd"]) >= 0
    assert head["x-x25-conversation-id"]
