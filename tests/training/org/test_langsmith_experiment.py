import json

import pytest

from x25.state.errors import ConfigError, NoEligibleModel
from x25.training.org.langsmith_dataset import open_client
from x25.training.org.langsmith_experiment import EVALUATORS, run_experiment


@pytest.fixture
def client(langsmith):
    return open_client(langsmith.url, "k")


@pytest.fixture
def dataset(client):
    made = client.create_dataset("mine")
    client.create_examples(
        dataset_id=made.id, examples=[{"inputs": {"prompt": f"Say {n}."}} for n in range(4)]
    )
    return "mine"


async def answer(request):
    number = int(request["prompt"][4])
    if number == 3:
        raise NoEligibleModel("nobody may answer", removed={})
    return {
        "text": f"{number}", "model_used": "v/m", "quality_score": None if number == 2 else 0.5 + number / 4,
        "quality_source": "judge", "cost_usd": 0.001, "latency_ms": 20.0,
    }  # fmt: skip


async def test_every_prompt_is_routed_and_scored(langsmith, client, dataset):
    found = await run_experiment(client, dataset, answer, router="auto", org="acme")
    assert (found.examples, found.failed) == (4, 1)
    assert (found.mean_quality, found.mean_cost_usd, found.mean_latency_ms) == (0.625, 0.001, 20.0)
    (session,) = langsmith.sessions.values()
    assert (session["name"], session["end_time"] is not None) == (found.experiment, True)
    assert session["extra"]["metadata"] == {"router": "auto"}
    assert len(langsmith.runs) == 4
    assert sum("NoEligibleModel" in (run.get("error") or "") for run in langsmith.runs.values()) == 1
    assert {run["reference_example_id"] for run in langsmith.runs.values()} == set(langsmith.examples)
    scores = sorted((one["key"], one["score"]) for one in langsmith.feedback)
    assert scores == [("cost_usd", 0.001)] * 3 + [("latency_ms", 20.0)] * 3 + [
        ("quality", 0.5),
        ("quality", 0.75),
    ]


async def test_every_answer_is_judged_under_the_router_asked_for(client, dataset):
    asked = []

    async def route(request):
        asked.append(request)
        return await answer(request)

    await run_experiment(client, dataset, route, router="cheap-pair", org="acme", concurrency=1)
    assert {(one["router"], one["org"]) for one in asked} == {("cheap-pair", "acme")}
    assert {one["policy"]["judged_share"] for one in asked} == {1.0}


async def test_nothing_of_the_machine_or_its_checkout_is_sent(langsmith, client, dataset):
    await run_experiment(client, dataset, answer, router="auto", org="acme")
    sent = json.dumps([langsmith.runs, langsmith.sessions, langsmith.feedback]).lower()
    assert not any(word in sent for word in ("author", "branch", "revision", "platform", "runtime"))


async def test_a_dataset_without_prompts_or_of_no_such_name_is_refused(langsmith, client):
    with pytest.raises(ConfigError, match="nowhere"):
        await run_experiment(client, "nowhere", answer, router="auto", org="acme")
    made = client.create_dataset("odd")
    client.create_examples(dataset_id=made.id, examples=[{"inputs": {"question": "?"}}])
    with pytest.raises(ConfigError, match="'prompt'"):
        await run_experiment(client, "odd", answer, router="auto", org="acme")
    assert langsmith.sessions == {}


async def test_a_record_that_is_refused_is_an_error_and_not_a_gap(langsmith, client, dataset):
    async def route(request):
        langsmith.fail = 500
        return await answer(request)

    with pytest.raises(ConfigError, match="did not do it"):
        await run_experiment(client, dataset, route, router="auto", org="acme")


def test_evaluators_read_quality_cost_and_latency():
    outputs = {"quality_score": 0.5, "quality_source": "judge", "cost_usd": 0.001, "latency_ms": 20.0}
    assert [one(outputs)["key"] for one in EVALUATORS] == ["quality", "cost_usd", "latency_ms"]
    assert [one(outputs)["score"] for one in EVALUATORS] == [0.5, 0.001, 20.0]
