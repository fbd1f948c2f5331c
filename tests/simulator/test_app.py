import json
from contextlib import suppress

import httpx
import pytest

from x25.simulator.process import SimulatorProcess
from x25.simulator.tasks import generate, is_correct

TASK = generate(7, 1)[0]
BODY = {"model": "sim/xlarge-6", "messages": [{"role": "user", "content": TASK.prompt}]}


def test_an_answer_is_labelled_simulated_and_states_usage_and_cost(http: httpx.Client) -> None:
    response = http.post("/chat/completions", json=BODY)
    said = response.json()
    usage = said["usage"]
    assert response.headers["x-simulated"] == "true"
    assert (said["x25_simulated"], said["model"]) == (True, "sim/xlarge-6")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": 0}
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 0}
    assert usage["cost"] == pytest.approx(
        (usage["prompt_tokens"] * 5 + usage["completion_tokens"] * 25) / 1e6
    )
    assert is_correct(TASK.prompt, said["choices"][0]["message"]["content"]) is not None


def test_every_answer_is_billed_at_the_cost_it_states(http: httpx.Client, sim: SimulatorProcess) -> None:
    costs = [
        http.post("/chat/completions", json=BODY, headers={"X-Request-Id": f"r{n}"}).json()["usage"]["cost"]
        for n in range(3)
    ]
    assert [(bill["attempt_id"], bill["cost_usd"]) for bill in sim.bills()] == [
        (f"r{n}", cost) for n, cost in enumerate(costs)
    ]
    assert [bill["attempt_id"] for bill in sim.bills(after=2)] == ["r2"]


def test_a_repeated_idempotency_key_gets_the_same_answer_and_one_bill(
    http: httpx.Client, sim: SimulatorProcess
) -> None:
    headers = {"Idempotency-Key": "once", "X-Request-Id": "ignored"}
    first = http.post("/chat/completions", json=BODY, headers=headers).json()
    assert http.post("/chat/completions", json=BODY, headers=headers).json() == first
    assert [bill["attempt_id"] for bill in sim.bills()] == ["once"]


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        ("429", 0), ("500", 0), ("refused", 0), ("timeout;seconds=0", 0), ("timeout;seconds=0;billed=1", 1),
        ("malformed", 1), ("cut_stream", 1), ("missing_usage", 1), ("empty", 1), ("latency;ms=1", 1),
    ],
)  # fmt: skip
def test_a_fault_is_billed_only_when_an_answer_was_produced(
    http: httpx.Client, sim: SimulatorProcess, fault: str, billed: int
) -> None:
    with suppress(httpx.RemoteProtocolError):
        http.post("/chat/completions", json=BODY, headers={"X-Simulate-Fault": fault})
    assert len(sim.bills()) == billed


def test_an_empty_answer_costs_its_prompt_only(http: httpx.Client, sim: SimulatorProcess) -> None:
    said = http.post("/chat/completions", json=BODY, headers={"X-Simulate-Fault": "empty"}).json()
    assert said["choices"][0]["message"]["content"] == ""
    assert said["usage"]["cost"] == pytest.approx(said["usage"]["prompt_tokens"] * 5 / 1e6)
    assert sim.bills()[0]["cost_usd"] == said["usage"]["cost"]


def test_a_judge_model_scores_a_case_and_is_billed_as_judge(
    http: httpx.Client, sim: SimulatorProcess
) -> None:
    case = json.dumps({"question": TASK.prompt, "answer": f"Answer: {TASK.truth}"})
    messages = [{"role": "user", "content": f"<case-ab12>\n{case}\n</case-ab12>"}]
    said = http.post("/chat/completions", json={"model": "sim/judge-1", "messages": messages}).json()
    grade = json.loads(said["choices"][0]["message"]["content"])
    assert grade.keys() == {"reason", "score"}
    assert 0 <= grade["score"] <= 1
    assert [bill["judge"] for bill in sim.bills()] == [True]


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"{", 400, "not JSON"),
        (b"[]", 400, "field model"),
        (b'{"model": "sim/tiny-1", "messages": "hi"}', 400, "messages must be a list"),
        (b'{"model": "sim/none", "messages": []}', 404, "no model 'sim/none'"),
        (b'{"model": "recorded/quiz/m", "messages": []}', 404, "no model 'recorded/quiz/m'"),
    ],
)
def test_a_wrong_request_is_refused_with_the_reason(
    http: httpx.Client, content: bytes, status: int, sentence: str
) -> None:
    response = http.post("/chat/completions", content=content)
    assert response.status_code == status
    assert sentence in response.json()["error"]["message"]


def test_an_unknown_fault_is_refused(http: httpx.Client, sim: SimulatorProcess) -> None:
    response = http.post("/chat/completions", json=BODY, headers={"X-Simulate-Fault": "timout"})
    assert (response.status_code, sim.bills()) == (400, [])


def test_models_and_health_are_listed(http: httpx.Client, sim: SimulatorProcess) -> None:
    listed = [model["id"] for model in http.get("/models").json()["data"]]
    health = http.get(f"{sim.url.removesuffix('/v1')}/simulator/health").json()
    assert {"sim/tiny-1", "sim/judge-1"} <= set(listed)
    assert health == {"status": "ok", "simulated": True, "models": len(listed), "bills": 0}


def test_a_scenario_applies_to_the_models_it_names_until_reset(
    http: httpx.Client, sim: SimulatorProcess
) -> None:
    sim.set_scenario([{"match": {"model": "sim/xl*"}, "fault": "503"}])
    assert http.post("/chat/completions", json=BODY).status_code == 503
    assert http.post("/chat/completions", json={**BODY, "model": "sim/tiny-1"}).status_code == 200
    httpx.post(f"{sim.url.removesuffix('/v1')}/simulator/reset").raise_for_status()
    assert http.post("/chat/completions", json=BODY).status_code == 200
    assert len(sim.bills()) == 1


def test_bills_after_must_be_a_whole_number(sim: SimulatorProcess) -> None:
    response = httpx.get(f"{sim.url.removesuffix('/v1')}/simulator/bills", params={"after": "-1"})
    assert response.status_code == 400
