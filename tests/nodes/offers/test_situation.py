from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from x25.nodes.offers.candidates import eligible_arms, left_nusd, price_arms, spent_nusd
from x25.providers.health import HealthBook
from x25.providers.windows import PriceWindow
from x25.routing.plan.configs import RouterConfig
from x25.routing.prompt.tokens import bound_prompt_tokens


async def test_every_model_of_the_router_becomes_an_arm_with_its_price(walk, services):
    state = await walk("estimate_difficulty", options={"max_tokens": 10})
    arms = {arm.model_id: arm for arm in price_arms(state, services)}
    assert arms.keys() == services.models.keys()
    spec = services.spec("sim/large-5")
    assert arms["sim/large-5"].expected_cost_nusd == spec.expected_cost_nusd(state["prompt_tokens"], 10)
    assert arms["sim/large-5"].completion_prob == state["completion_probs"]["sim/large-5"]


async def test_under_a_cap_the_prompt_is_priced_at_the_most_it_can_have(walk, services):
    state = await walk("estimate_difficulty", policy={"max_cost_per_call_usd": 1.0})
    bound = bound_prompt_tokens(state["messages"], state["options"])
    assert bound > state["prompt_tokens"]
    (arm,) = [arm for arm in price_arms(state, services) if arm.model_id == "sim/tiny-1"]
    assert arm.expected_cost_nusd == services.spec("sim/tiny-1").expected_cost_nusd(bound, 1024)


async def test_answers_and_judgements_count_towards_the_cap(walk):
    state = await walk("estimate_difficulty", policy={"max_cost_per_call_usd": 0.001})
    state["attempts"] = [{"kind": "answer", "spent_nusd": 300_000}, {"kind": "judge", "spent_nusd": 50_000}]
    assert spent_nusd(state) == 350_000
    assert left_nusd(state) == 650_000
    assert left_nusd(state | {"policy": {}}) is None


async def test_what_was_spent_makes_dear_models_ineligible(walk, services):
    state = await walk("estimate_difficulty", policy={"max_cost_per_call_usd": 0.002})
    assert len(eligible_arms(state, services)[0]) == 6
    state["attempts"] = [{"kind": "answer", "spent_nusd": 1_900_000}]
    arms, removed = eligible_arms(state, services)
    assert {arm.tier for arm in arms} == {"slm", "mid"} - ({"mid"} if "sim/medium-3" in removed else set())
    assert removed["sim/xlarge-6"].startswith("max_cost_per_call_usd:")


async def test_models_that_failed_are_removed_by_that(walk, services):
    state = await walk("estimate_difficulty") | {"failed_models": ["sim/tiny-1"]}
    arms, removed = eligible_arms(state, services)
    assert removed == {"sim/tiny-1": "failed earlier in this call"}
    assert "sim/tiny-1" not in {arm.model_id for arm in arms}


@pytest.mark.parametrize("kind", ["image_url", "input_image"])
async def test_an_image_leaves_only_models_that_see(walk, services, kind):
    message = {
        "role": "user",
        "content": [{"type": "text", "text": "what?"}, {"type": kind, "image_url": {"url": "data:"}}],
    }
    arms, removed = eligible_arms(await walk("estimate_difficulty", messages=[message]), services)
    assert arms == []
    assert set(removed.values()) == {"required_capabilities: lacks vision"}


async def test_a_prompt_that_fits_no_window_leaves_nobody(walk, services):
    arms, removed = eligible_arms(await walk("estimate_difficulty", prompt="word " * 200_000), services)
    assert arms == []
    assert all(sentence.startswith("context length:") for sentence in removed.values())


async def test_arms_report_what_their_models_read(walk, services):
    state = await walk("estimate_difficulty")
    assert {arm.modalities for arm in price_arms(state, services)} == {frozenset({"text"})}


async def test_an_arm_costs_what_this_moment_costs(walk, services):
    spec = services.spec("sim/large-5")
    double = PriceWindow(60, 240, "UTC", output_usd_per_mtok=spec.output_usd_per_mtok * 2)
    models = {**services.models, spec.model_id: replace(spec, price_windows=(double,))}
    state = await walk("estimate_difficulty")
    costs = {}
    for hour in (0, 1, 3, 4):
        at = replace(services, models=models, now=lambda hour=hour: datetime(2026, 11, 20, hour, tzinfo=UTC))
        (arm,) = [one for one in price_arms(state, at) if one.model_id == spec.model_id]
        costs[hour] = arm.expected_cost_nusd
    usual = spec.expected_cost_nusd(state["prompt_tokens"], 1024)
    assert costs[0] == costs[4] == usual
    assert costs[1] == costs[3] > usual


async def test_a_router_whose_models_nobody_can_reach_says_so(walk, services):
    routers = {"mine": RouterConfig("mine", models=("acme/best", "sim/tiny-1"))}
    state = await walk("estimate_difficulty", replace(services, routers=routers), router="mine")
    kept, removed = eligible_arms(state, replace(services, routers=routers))
    assert [arm.model_id for arm in kept] == ["sim/tiny-1"]
    assert removed == {"acme/best": "named by the router, but no key or local server opens it here "
                       "(x25 models says what would)"}  # fmt: skip


async def test_a_degraded_provider_gets_less_traffic_before_it_fails_hard(walk, services):
    """Two models alike in all but price; the cheaper one's deployment answers a falling share of requests."""
    cheap = services.spec("sim/medium-3")
    other = replace(cheap, model_id="sim/other", output_usd_per_mtok=cheap.output_usd_per_mtok * 2)
    shares = []
    for failures in (0, 2, 5, 10, 20):
        health = HealthBook()
        for request in range(40):
            fails = request * failures % 40 < failures
            health.note("sim/medium-3", "simulator", None if fails else cheap.expected_latency_ms, 0.0)
        pair = replace(services, models={"sim/medium-3": cheap, "sim/other": other}, health=health)
        pair = replace(pair, clock_s=lambda: 0.0, rng=np.random.default_rng(7))
        chosen = [(await walk("thompson_select", pair))["decision"]["model_id"] for _ in range(150)]
        shares.append(chosen.count("sim/medium-3") / len(chosen))
    assert shares == sorted(shares, reverse=True), shares
    assert shares[0] > 0.3
    assert shares[-1] < shares[0] / 4
    assert 0.0 < shares[2] < shares[0]
