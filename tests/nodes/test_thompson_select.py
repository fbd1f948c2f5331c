import pytest

from x25.state.errors import NoEligibleModel


async def test_the_decision_is_one_of_the_eligible_arms_with_its_propensity(walk):
    state = await walk("thompson_select", policy={"max_tier": "mid"})
    assert state["decision"] == state["first_decision"]
    assert state["decision"]["model_id"] in state["thetas"]
    assert 0 < state["decision"]["propensity"] <= 1
    assert state["thetas"].keys() == {"sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/medium-4"}
    assert state["removed"].keys() == {"sim/large-5", "sim/xlarge-6"}


async def test_constraints_that_leave_nobody_are_refused_telling_why(walk):
    with pytest.raises(NoEligibleModel, match="allowed_providers") as refused:
        await walk("thompson_select", policy={"allowed_providers": ["nobody"]})
    assert len(refused.value.removed) == 6


@pytest.mark.parametrize("tier", ["slm", "mid", "frontier"])
async def test_what_the_org_saw_decides(walk, services, teach, tier):
    await teach(services.store, tier, org="acme")
    tiers = [
        (await walk("thompson_select", org="acme", router="x25-classic"))["decision"]["tier"]
        for _ in range(8)
    ]
    assert tiers == [tier] * 8


async def test_another_cells_evidence_does_not_count(walk, services, teach):
    await teach(services.store, "slm", cell="code")
    tiers = {(await walk("thompson_select", router="x25-classic"))["decision"]["tier"] for _ in range(30)}
    assert len(tiers) > 1
