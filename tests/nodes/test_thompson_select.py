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


async def test_the_first_decision_says_what_is_expected_once_the_arm_is_known(walk, services):
    assert (await walk("thompson_select"))["first_decision"]["baseline_prob"] is None
    for number in range(120):
        for name in ("tiny-1", "small-2", "medium-3", "medium-4", "large-5", "xlarge-6"):
            await services.store.posteriors.learn(
                "default", f"c{number}-{name}", 0, task_cell="qa", model_id=f"sim/{name}", tier="slm", success=1.0,
                failure=0.0, selection=(0.9, 0.7), org_calls=0, gamma=1.0,
            )  # fmt: skip
    state = await walk("thompson_select")
    prob = state["completion_probs"][state["decision"]["model_id"]]
    assert state["first_decision"]["baseline_prob"] > prob


async def test_another_cells_counts_do_not_count_for_the_classic_strategy(walk, services, teach):
    await teach(services.store, "slm", cell="code")
    tiers = {(await walk("thompson_select", router="x25-classic"))["decision"]["tier"] for _ in range(30)}
    assert len(tiers) > 1


async def test_the_judged_share_of_the_policy_replaces_the_routers(walk, services):
    for number in range(80):  # beyond the first fifty, an arm is judged as often as asked
        for name in ("tiny-1", "small-2", "medium-3", "medium-4", "large-5", "xlarge-6"):
            await services.store.posteriors.learn(
                "default", f"c{number}-{name}", 0, task_cell="qa", model_id=f"sim/{name}", tier="slm", success=1.0,
                failure=0.0, selection=(0.98, 0.98), org_calls=0, gamma=1.0,
            )  # fmt: skip
    policy = {"quality_bar": 0.2}  # every answer is good enough, so the plan would judge none
    never = await walk("thompson_select", policy={**policy, "judged_share": 0.0})
    always = await walk("thompson_select", policy={**policy, "judged_share": 1.0})
    assert never["first_decision"]["judge_prob"] < 0.05
    assert always["first_decision"]["judge_prob"] == 1.0
