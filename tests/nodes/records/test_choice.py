import pytest

from x25.nodes.records.choice import arms_of, choice_facts
from x25.state.logged_arms import logged_arms


@pytest.fixture
async def decided(walk_to_model, services):
    call = await walk_to_model("update_posterior", prompt="What is the capital of France?")
    return call, await services.situations.of(call, services)


async def test_every_eligible_arm_is_kept_with_its_probability_belief_and_price(decided):
    call, situation = decided
    arms = arms_of(call, situation)
    assert {arm.model_id for arm in arms} == set(call.selection.beliefs)
    assert sum(arm.propensity for arm in arms) == pytest.approx(1.0)
    chosen = next(arm for arm in arms if arm.model_id == call.first_decision.model_id)
    assert chosen.propensity == pytest.approx(call.first_decision.propensity)
    assert chosen.mean == call.selection.beliefs[chosen.model_id].mean
    assert chosen.cost_nusd == call.first_decision.expected_cost_nusd


async def test_facts_are_read_back_and_name_the_terms(decided):
    call, situation = decided
    facts = choice_facts(call, situation)
    assert [one.model_id for one in logged_arms(facts)] == list(call.first_decision.arm_probs)
    assert facts["terms"]["judge"] == "sim/judge-1"
    assert facts["terms"]["quality_price"] == pytest.approx(situation.terms.prices.quality_price, abs=1e-6)
    assert facts["terms"]["quality_bar"] is None
