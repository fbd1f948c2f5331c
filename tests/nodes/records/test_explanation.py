import json
from dataclasses import replace

import pytest

from x25.nodes.answer.best import best_answer
from x25.nodes.records.explanation import attempt_facts, decision_facts, explain, verdict_facts
from x25.nodes.records.log_row import call_row
from x25.routing.plan.configs import RouterConfig
from x25.routing.prompt.features import DOCUMENTED_FEATURES
from x25.state.errors import ProviderServer


@pytest.fixture
def explained(walk, services):
    """Return a function that walks a request to its end; what comes back is the call and what is told of it."""

    async def walked(using=None, **request):
        chosen = using or services
        call = await walk("update_posterior", chosen, **request)
        situation = await chosen.situations.of(call, chosen)
        return call, explain(call, situation, call_row(call, situation, chosen, best_answer(call), 1.0))

    return walked


async def test_the_explanation_names_candidates_draws_removals_and_the_path(explained):
    call, explanation = await explained(policy={"max_tier": "mid"})
    candidates = {one["model_id"]: one for one in explanation["candidates"]}
    assert candidates.keys() == call.selection.beliefs.keys()
    tiny, belief = candidates["sim/tiny-1"], call.selection.beliefs["sim/tiny-1"]
    assert (tiny["posterior_mean"], tiny["theta"]) == (round(belief.mean, 4), round(belief.theta, 4))
    assert tiny["expected_cost_usd"] > 0
    assert explanation["removed"].keys() == {"sim/large-5", "sim/xlarge-6"}
    assert explanation["path"] == call.timings
    assert [step["node"] for step in explanation["path"]][:4] == [
        "lookup_cache", "classify", "estimate_difficulty", "thompson_select",
    ]  # fmt: skip
    assert explanation["reference_model"] == "sim/large-5"
    made = [attempt for answer in call.answers for attempt in answer.attempts]
    assert explanation["attempts"] == [attempt_facts(attempt) for attempt in made]


async def test_a_judge_that_fails_is_told_in_no_words_of_its_own(explained, fault):
    _, whole = await explained(router="x25-classic")
    assert whole["degraded"] == {}
    fault("500", "sim/judge*")
    call, lame = await explained(router="x25-classic")
    assert call.answers[0].verdict.score is None
    assert lame["degraded"] == {"judge": "sim/judge-1 gave no grade: server"}


async def test_a_router_with_a_smaller_pool_says_so_and_tells_both_savings(explained, services):
    routers = {**services.routers, "pair": RouterConfig("pair", models=("sim/tiny-1", "sim/medium-3"))}
    _, explanation = await explained(replace(services, routers=routers), router="pair")
    savings = explanation["savings"]
    paid = sum(attempt["spent_nusd"] for attempt in explanation["attempts"]) / 1e9
    assert savings["reference_model"] == "sim/large-5"
    assert savings["saved_usd"] == pytest.approx(savings["reference_cost_usd"] - paid, abs=1e-12)
    pool = savings["smaller_pool"]
    assert (pool["router"], pool["dearest_model"]) == ("pair", "sim/medium-3")
    assert pool["models"] == ["sim/medium-3", "sim/tiny-1"]
    assert pool["saved_usd"] == pytest.approx(pool["dearest_cost_usd"] - paid, abs=1e-12)
    assert 0 < pool["dearest_cost_usd"] < savings["reference_cost_usd"]


async def test_a_router_that_chooses_among_all_has_one_reference(explained):
    _, explanation = await explained()
    assert explanation["savings"]["smaller_pool"] is None


async def test_the_explanation_tells_each_transition_and_why(explained):
    call, explanation = await explained()
    assert explanation["transitions"] == [
        {"kind": one.kind, "reason": one.reason} for one in call.transitions
    ]
    assert (explanation["transitions"][0]["kind"], explanation["transitions"][-1]["kind"]) == (
        "start",
        "stop",
    )
    assert explanation["first_decision"] == decision_facts(call)
    assert explanation["first_decision"]["is_judged"] is call.first_decision.is_judged


async def test_the_explanation_tells_each_failure_with_the_providers_status(explained, fault):
    fault("503")
    call, explanation = await explained(policy={"allowed_providers": ["sim-a", "sim-e", "sim-judge"]})
    assert len(explanation["failures"]) == len(call.answers) == 2
    assert {one["model_id"] for one in explanation["failures"]} == {"sim/tiny-1", "sim/large-5"}
    assert [one["step"] for one in explanation["failures"]] == [0, 1]
    for one in explanation["failures"]:
        assert (one["error"], one["code"], one["status"]) == ("ProviderServer", "server", 503)
        assert one["message"]


async def test_the_explanation_says_whether_preferred_modalities_were_found(explained, services):
    seeing = replace(services.spec("sim/medium-3"), modalities=frozenset({"text", "image"}))
    mixed = replace(services, models={**services.models, "sim/medium-3": seeing})
    found = {}
    for wanted in (["image"], ["video"]):
        _, explanation = await explained(mixed, policy={"prefer_modalities": wanted})
        found[wanted[0]] = explanation["modality_preference"]
        reported = {one["model_id"]: one["modalities"] for one in explanation["candidates"]}
        assert reported["sim/medium-3"] == ["image", "text"]
    assert found == {
        "image": {"requested": ["image"], "applied": True},
        "video": {"requested": ["video"], "applied": False},
    }
    assert (await explained())[1]["modality_preference"] == {"requested": [], "applied": False}


async def test_what_the_request_looks_like_is_explained_by_at_least_fifteen_named_features(explained):
    asked = "Write a SQL query that returns all users older than 30."
    _, explanation = await explained(prompt=asked, hint=None)
    request = explanation["request"]
    assert request["needs"] == []
    assert len(request["features"]) >= 15
    assert request["features"].keys() == DOCUMENTED_FEATURES.keys()
    assert 0.0 < request["complexity"]["score"] < 1.0
    assert explanation["task"]["request_type"] == "sql"


async def test_all_that_is_told_is_json(explained, fault):
    fault("500", "sim/tiny-*")
    _, explanation = await explained(router="x25-classic")
    assert json.loads(json.dumps(explanation, allow_nan=False)) == explanation


async def test_a_verdict_is_told_with_the_mean_belief_as_posterior_and_what_was_seen(walk_to_model):
    (answer,) = (await walk_to_model("judge")).answers
    verdict, seen = answer.verdict, answer.verdict.observation
    facts = verdict_facts(answer)
    assert (facts["posterior"], facts["belief"]["theta"]) == (verdict.belief.mean, verdict.belief.theta)
    assert (facts["bin"], facts["judge_model"], facts["seen_prob"]) == (
        seen.bin,
        "sim/judge-1",
        seen.seen_prob,
    )
    assert facts["teaches"] is True
    assert facts["verification"] is None
    assert (facts["step"], facts["model_id"]) == (0, "sim/tiny-1")


async def test_an_attempt_is_told_without_its_org_or_any_text(walk_to_model):
    (answer,) = (await walk_to_model("dispatch", org="umbrella")).answers
    facts = attempt_facts(answer.attempts[0])
    assert (facts["model_id"], facts["status"], facts["spent_nusd"]) == (
        "sim/tiny-1", "finished", answer.attempts[0].spent_nusd,
    )  # fmt: skip
    assert "umbrella" not in str(facts)
    assert answer.message["content"] not in str(facts)


async def test_a_judge_that_cannot_be_asked_now_is_said_to_be_degraded(cascade):
    services = cascade.services
    (judge,) = services.judge.specs
    for _ in range(8):
        services.gateway.breakers.failed(
            judge, judge.deployments[0], None, ProviderServer("down"), services.clock_s(), "acme"
        )
    asked = {"prompt": "What is 2 + 2?", "router": "x25-classic"}
    reply = await cascade.route({**asked, "org": "acme"})
    assert reply["explain"]["degraded"]["judge"].startswith("no judge can be asked now: sim/judge-1 (")
    assert reply["judge_cost_usd"] == 0.0
    assert (await cascade.route({**asked, "org": "other"}))["quality_source"] == "judge"
