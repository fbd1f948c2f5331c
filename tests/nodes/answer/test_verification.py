from dataclasses import replace

import numpy as np
import pytest

from x25.nodes.answer.verification import KEPT_SHARE, Glance, is_picked, keep_seen, look_at
from x25.routing.answer.features import ANSWER_FEATURE_NAMES
from x25.routing.answer.verifier import VERIFIER_INPUTS, Look, Verifier, unpack_features
from x25.routing.answer.verifier_evidence import TierEvidence
from x25.routing.answer.verifier_trees import LogisticHead
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable

SURE = JudgeTable(
    "look", (-2.0, -1.0, 1.0, 2.0), (0.01, 0.01, 0.01, 0.01, 0.96), (0.96, 0.01, 0.01, 0.01, 0.01)
)


class Planted:
    """Stands where the store's verifiers are looked up: every answer gets the same evidence, in logits."""

    def __init__(self, evidence, **manifest):
        weights = np.zeros(len(VERIFIER_INPUTS))
        weights[VERIFIER_INPUTS.index("prior_logit")] = 1.0
        head = LogisticHead(np.zeros(len(weights)), np.ones(len(weights)), weights, evidence)
        tier = TierEvidence(1.0, 0.0, SURE, 2_000, 0.9)
        tiers = dict.fromkeys(("slm", "mid", "frontier"), tier)
        self.verifier = Verifier(head, tiers, {}, "enc", manifest or {"cell_auc": {"qa": 0.9}})

    async def verifier_of(self, store, org, encoder, now_s):
        return self.verifier


@pytest.fixture
def glance_of(walk, services):
    """Return a function that looks many times at one answer, with and without a judge planned."""

    async def look(planted, *, judge, times=200, **decision):
        using = replace(services, verifiers=planted, rng=np.random.default_rng(4))
        state = await walk("dispatch")
        state["decision"] = {
            **state["decision"],
            "explored": False,
            "audited": False,
            "judge": judge,
            **decision,
        }
        return [await look_at(state, using, 0.6) for _ in range(times)]

    return look


async def test_a_sure_look_decides_but_for_the_share_kept_for_learning(glance_of):
    glances = await glance_of(Planted(5.0), judge=True)
    decided = [one.decided for one in glances]
    assert np.mean(decided) == pytest.approx(1.0 - KEPT_SHARE, abs=0.08)
    assert [one.judge for one in glances] == [
        not one for one in decided
    ]  # sure: the judge only where it was due
    assert {round(one.theta, 6) for one in glances} == {round(SURE.posterior(0.6, 4), 6)}


@pytest.mark.parametrize("drawn", ["explored", "audited"])
async def test_what_chance_wants_judged_is_judged(glance_of, drawn):
    glances = await glance_of(Planted(5.0), judge=True, times=30, **{drawn: True})
    assert all(one.judge and not one.decided for one in glances)


async def test_a_task_nobody_audited_is_not_looked_at(glance_of):
    for cells in ({}, {"code": 0.9}, {"qa": 0.59}):
        assert await glance_of(Planted(5.0, cell_auc=cells), judge=True, times=1) == [None]


async def test_without_a_judge_the_look_moves_belief_and_asks_nobody(walk, services):
    state = await walk("dispatch")
    using = replace(services, verifiers=Planted(-5.0), judge=None)
    glance = await look_at({**state, "decision": {**state["decision"], "judge": False}}, using, 0.6)
    assert (glance.judge, glance.decided) == (False, False)
    assert glance.theta < 0.1


async def test_strategies_without_a_plan_are_left_alone(walk, services):
    state = await walk("dispatch", router="x25-classic")
    assert await look_at(state, replace(services, verifiers=Planted(5.0)), 0.6) is None


async def test_judged_answers_are_kept_as_numbers_once(walk_to_model, services):
    state = await walk_to_model("judge")
    for _ in range(2):
        await keep_seen(state, services)
    (kept,) = await services.store.looks.newest(state["org"], 9)
    assert kept.seen.score_bin == state["verdicts"][0]["bin"]
    assert kept.seen.prior_prob == state["held"][0]["predicted"]
    features = dict(zip(ANSWER_FEATURE_NAMES, unpack_features(kept.seen.features), strict=True))
    assert features["log_chars"] > 0.0


async def test_answers_the_look_picked_and_those_of_callers_who_keep_nothing_are_not_kept(
    walk_to_model, services
):
    state = await walk_to_model("judge")
    picked = {**state, "verdicts": [{**state["verdicts"][0], "look": {"decided": True}}]}
    assert is_picked(picked["verdicts"][0])
    await keep_seen(picked, services)
    await keep_seen(state, replace(services, limits=replace(services.limits, store_inputs=False)))
    assert await services.store.looks.newest(state["org"], 9) == []


def test_after_a_look_the_judge_tells_less():
    glance = Glance(Look(0.9, 3.0, 4, SURE), 0.95, judge=True, decided=True)
    given = glance.table(DEFAULT_TABLE)
    assert given.posterior(0.5, 4) < DEFAULT_TABLE.posterior(0.5, 4)
