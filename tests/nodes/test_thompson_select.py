from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from x25.nodes.offers.situation import Situations
from x25.nodes.org.conversations import ConversationBook
from x25.routing.plan.affinity import Author
from x25.state.errors import NoEligibleModel
from x25.state.label_counts import UNJUDGED
from x25.state.learning.judge_tables import add_counts


async def test_the_decision_is_one_of_the_eligible_arms_with_its_propensity(walk):
    call = await walk("thompson_select", policy={"max_tier": "mid"})
    assert call.decision == call.first_decision
    assert call.decision.model_id in call.selection.beliefs
    assert 0 < call.decision.propensity <= 1
    assert call.selection.beliefs.keys() == {"sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/medium-4"}
    assert call.selection.removed.keys() == {"sim/large-5", "sim/xlarge-6"}


async def test_a_call_begins_with_one_transition_that_says_whom_to_ask_and_why(walk):
    call = await walk("thompson_select")
    (start,) = call.transitions
    assert (start.kind, start.decision, start.reason) == ("start", call.decision, call.decision.reason)
    assert call.answers == ()


async def test_each_eligible_arm_is_believed_in_by_a_mean_and_a_draw(walk):
    call = await walk("thompson_select")
    beliefs = call.selection.beliefs
    assert all(0 < belief.mean < 1 and 0 < belief.theta < 1 for belief in beliefs.values())
    assert beliefs[call.decision.model_id].theta == call.decision.theta
    again = (await walk("thompson_select")).selection.beliefs
    assert {name: belief.mean for name, belief in again.items()} == {
        name: belief.mean for name, belief in beliefs.items()
    }
    assert again != beliefs  # another draw


async def test_constraints_that_leave_nobody_are_refused_telling_why(walk):
    with pytest.raises(NoEligibleModel, match="allowed_providers") as refused:
        await walk("thompson_select", policy={"allowed_providers": ["nobody"]})
    assert len(refused.value.removed) == 6


@pytest.mark.parametrize("tier", ["slm", "mid", "frontier"])
async def test_what_the_org_saw_decides(walk, services, teach, tier):
    await teach(services.store, tier, org="acme")
    tiers = [
        (await walk("thompson_select", org="acme", router="x25-classic")).decision.tier for _ in range(8)
    ]
    assert tiers == [tier] * 8


async def test_what_labels_say_of_a_model_moves_the_belief_about_it_and_about_no_other(walk, services):
    before = (await walk("thompson_select", org="acme")).selection.beliefs
    cell = (await walk("thompson_select", org="acme")).task.cell
    key = {
        "org": "acme", "source": "audit", "model_id": "sim/medium-3", "task_cell": cell, "judge": "", "edges": "",
        "place": UNJUDGED, "epoch": 0,
    }  # fmt: skip
    bad = {"right": 0.0, "wrong": 20.0, "predicted": 16.0}
    await services.store.transact(lambda connection: add_counts(connection, key, bad))
    services.judge_book.forget("acme")
    after = (await walk("thompson_select", org="acme")).selection.beliefs
    assert after["sim/medium-3"].mean < before["sim/medium-3"].mean - 0.2
    assert {name for name in before if after[name].mean != before[name].mean} == {"sim/medium-3"}
    other = (await walk("thompson_select", org="other")).selection.beliefs
    assert other["sim/medium-3"].mean == before["sim/medium-3"].mean


async def test_the_first_decision_says_what_is_expected_once_the_arm_is_known(walk, services):
    assert (await walk("thompson_select")).selection.baseline_prob is None
    for number in range(120):
        for name in ("tiny-1", "small-2", "medium-3", "medium-4", "large-5", "xlarge-6"):
            await services.store.posteriors.learn(
                "default", f"c{number}-{name}", 0, task_cell="qa", model_id=f"sim/{name}", tier="slm", success=1.0,
                failure=0.0, selection=(0.9, 0.7), org_calls=0, gamma=1.0,
            )  # fmt: skip
    call = await walk("thompson_select")
    assert call.selection.baseline_prob > call.estimate.completion_probs[call.decision.model_id]


async def test_another_cells_counts_do_not_count_for_the_classic_strategy(walk, services, teach):
    await teach(services.store, "slm", cell="code")
    tiers = {(await walk("thompson_select", router="x25-classic")).decision.tier for _ in range(30)}
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
    assert never.decision.judge_prob < 0.05
    assert always.decision.judge_prob == 1.0


ASKED = [{"role": "user", "content": "Write a parser."}]
ANSWER = {"role": "assistant", "content": "def parse(): ..."}
FOLLOWING = [*ASKED, ANSWER, {"role": "user", "content": "Thanks! Say hi."}]


async def test_a_follow_up_is_drawn_among_those_as_strong_as_its_author(walk, services):
    using = replace(services, conversations=ConversationBook(), situations=Situations())
    using.conversations.remember("default", ASKED, ANSWER, Author("sim/large-5", "frontier"))
    call = await walk("thompson_select", using, prompt=None, messages=FOLLOWING)
    assert call.selection.beliefs.keys() == {"sim/large-5", "sim/xlarge-6"}
    assert "weaker than sim/large-5 (frontier)" in call.selection.removed["sim/tiny-1"]
    shares = Counter()
    for seed in range(200):
        drawn = replace(using, rng=np.random.default_rng(seed), situations=Situations())
        decision = (await walk("thompson_select", drawn, prompt=None, messages=FOLLOWING)).decision
        shares[decision.model_id] += 1 / 200
        if decision.model_id == call.decision.model_id:
            assert decision.tier == "frontier"
    # Probabilities are those of the draw among them: the logged one lies near the share of its arm.
    assert shares.keys() <= {"sim/large-5", "sim/xlarge-6"}
    assert call.decision.propensity == pytest.approx(shares[call.decision.model_id], abs=0.25)


async def test_a_weaker_model_follows_only_where_the_plan_says_why(walk, services):
    using = replace(services, conversations=ConversationBook(), situations=Situations())
    using.conversations.remember("default", ASKED, ANSWER, Author("sim/large-5", "frontier"))
    policy = {"max_tier": "mid"}
    call = await walk("thompson_select", using, prompt=None, messages=FOLLOWING, policy=policy)
    assert call.decision.tier in {"slm", "mid"}
    assert call.transitions[0].reason.endswith(
        "the conversation builds on sim/large-5 (frontier), and nobody as strong may be asked"
    )
