import pytest

from x25.nodes.candidates import eligible_arms, left_nusd, price_arms, spent_nusd
from x25.routing.tokens import bound_prompt_tokens


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
