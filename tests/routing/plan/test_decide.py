import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from x25.routing.belief.completion import completion_prob
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.belief.thompson import DEFAULT_LEARNER, UNJUDGED_LEARNER
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.decide import proceed, select
from x25.routing.plan.exploration import COLD_WEIGHT, EXPLORATION_BUDGET, EXPLORING_CALLS
from x25.routing.plan.terms import Progress, Terms
from x25.routing.plan.threshold import ThresholdRule
from x25.state.records import Arm, Evidence

WEAK = JudgeTable("weak", (0.2, 0.4, 0.6, 0.8), (0.18, 0.2, 0.2, 0.2, 0.22), (0.22, 0.2, 0.2, 0.2, 0.18))


def arm(model_id, tier, cost, p):
    return Arm(model_id, "acme", tier, cost, cost / 10, p, 0.1, 0.4, 100_000, 4_096)


ARMS = [
    arm("tiny-a", "slm", 100, 0.60),
    arm("tiny-b", "slm", 120, 0.62),
    arm("middle", "mid", 800, 0.75),
    arm("giant", "frontier", 10_000, 0.85),
]
TERMS = Terms("plan", PlanPrices(), 10_000, 1_000.0, DEFAULT_TABLE)


def tried(*arms):
    """Return evidence of arms an org has tried before, of no weight today."""
    return {
        one.model_id: Evidence(one.model_id, "code", one.tier, weight_total=1.0, calls_seen=60)
        for one in arms
    }


def choose(seed=0, arms=ARMS, evidence=None, **changes):
    draws = changes.pop("draws", 48)
    terms = replace(TERMS, **changes)
    decision, beliefs = select(arms, evidence or {}, terms, np.random.default_rng(seed), draws)
    return decision, {name: belief.theta for name, belief in beliefs.items()}


def go_on(thetas, answer_beliefs, last_tier, last_score=0.1, arms=ARMS, **changes):
    progress = Progress(thetas, answer_beliefs, last_tier, last_score, changes.pop("escalations_left", 2))
    return proceed(arms, progress, replace(TERMS, **changes))


def test_the_same_generator_decides_the_same():
    assert choose(5) == choose(5)
    assert len({choose(seed)[0].model_id for seed in range(60)}) > 1


def test_a_decision_is_json_and_names_the_best_arm_of_each_tier():
    decision, thetas = choose()
    assert json.loads(json.dumps(asdict(decision))) == asdict(decision)
    assert set(thetas) == {a.model_id for a in ARMS}
    assert set(decision.tier_to_model) == {"slm", "mid", "frontier"}
    assert decision.tier_to_model[decision.tier] == decision.model_id
    assert decision.theta == thetas[decision.model_id]


@pytest.mark.parametrize("strategy", ["plan", "classic"])
def test_logged_propensities_match_how_often_arms_are_chosen(strategy):
    runs = [choose(seed, strategy=strategy, epsilon=0.2, draws=256)[0] for seed in range(1_000)]
    share = Counter(run.model_id for run in runs)
    for model_id, count in share.items():
        logged = np.mean([run.propensity for run in runs if run.model_id == model_id])
        standard_error = (logged * (1 - logged) / len(runs)) ** 0.5
        assert abs(count / len(runs) - logged) < 4 * standard_error + 0.01, model_id


def test_inverse_propensities_of_the_chosen_sum_to_the_number_of_arms():
    runs = [choose(seed, epsilon=0.3, draws=128)[0] for seed in range(800)]
    possible = {run.model_id for run in runs}
    assert np.mean([1 / run.propensity for run in runs]) == pytest.approx(len(possible), rel=0.15)


def test_the_propensity_of_the_chosen_arm_is_never_zero():
    for seed in range(50):
        for draws in (1, 8):
            decision, _ = choose(seed, epsilon=0.0, draws=draws)
            assert 0.0 < decision.propensity <= 1.0


def test_exploration_asks_every_tier_evenly_and_is_judged():
    alike = [arm(f"{tier}-one", tier, 1_000, 0.7) for tier in ("slm", "mid", "frontier")]
    runs = [choose(seed, alike, tried(*alike), epsilon=1.0, draws=2)[0] for seed in range(3_000)]
    explored = [run for run in runs if run.explored]
    # At equal prices the budget is the share of calls, whatever epsilon asks for.
    assert len(explored) / len(runs) == pytest.approx(EXPLORATION_BUDGET, abs=0.015)
    assert all(run.is_judged for run in explored)
    tiers = Counter(run.tier for run in explored)
    assert min(tiers.values()) > 8


def test_exploring_adds_no_more_than_its_budget_to_the_cost_of_a_cheap_plan():
    sure = [
        arm("tiny", "slm", 100, 0.97),
        arm("middle", "mid", 1_000, 0.97),
        arm("giant", "frontier", 10_000, 0.97),
    ]
    cost = {one.model_id: one.expected_cost_nusd for one in sure}
    runs = [choose(seed, sure, tried(*sure), epsilon=0.5, draws=2)[0] for seed in range(2_000)]
    explored = [run for run in runs if run.explored]
    assert explored
    # The floor explores .02 x .5 = 1 % of calls whatever it costs; where a dearer tier was planned, cheaper ones more.
    dear = [run for run in explored if run.tier == "frontier"]
    assert len(dear) / len(runs) <= 0.02
    assert sum(cost[run.model_id] for run in explored) / len(runs) < 0.02 * np.mean([*cost.values()])


def test_a_tier_never_tried_is_asked_and_judged_before_the_exploring_calls_are_over():
    known = tried(ARMS[0], ARMS[2])
    almost = {name: replace(one, calls_seen=EXPLORING_CALLS - 1) for name, one in known.items()}
    for seed in range(20):
        decision, _ = choose(seed, evidence=almost)
        assert (decision.tier, decision.explored, decision.is_judged, decision.propensity) == (
            "frontier",
            True,
            True,
            1.0,
        )


def test_a_tier_never_tried_is_asked_with_a_known_probability_that_grows_with_the_calls():
    early = {name: replace(one, calls_seen=5) for name, one in tried(ARMS[0], ARMS[2]).items()}
    runs = [choose(seed, evidence=early, prices=PlanPrices(quality_price=5.0))[0] for seed in range(2_000)]
    asked = [run for run in runs if run.tier == "frontier"]
    expected = 1 / (EXPLORING_CALLS - 5)
    assert len(asked) / len(runs) == pytest.approx(expected, abs=4 * (expected / len(runs)) ** 0.5)
    assert np.mean([run.propensity for run in asked]) == pytest.approx(expected, rel=0.1)


def test_a_router_that_never_explores_never_tries_a_tier_for_its_own_sake():
    runs = [choose(seed, epsilon=0.0, prices=PlanPrices(quality_price=5.0))[0] for seed in range(300)]
    assert not any(run.explored for run in runs)


def test_a_cold_arm_is_judged_and_a_warm_one_at_the_audit_rate():
    sure = [arm("giant", "frontier", 10_000, 0.97)]
    warm = {
        "giant": Evidence(
            "giant", "code", "frontier", weight=COLD_WEIGHT, reward_sum=48.5, predicted_sum=48.5
        )
    }
    assert all(choose(seed, arms=sure, epsilon=0.0)[0].is_judged for seed in range(30))
    judged = [choose(seed, arms=sure, evidence=warm, epsilon=0.0)[0].is_judged for seed in range(600)]
    assert np.mean(judged) == pytest.approx(0.05, abs=0.03)


def test_audits_judge_what_the_plan_would_not():
    sure = [arm("giant", "frontier", 10_000, 0.97)]
    never = [choose(seed, arms=sure, epsilon=0.0, audit_rate=0.0)[0] for seed in range(50)]
    assert not any(run.is_judged for run in never)
    warm = {
        "giant": Evidence(
            "giant", "code", "frontier", weight=COLD_WEIGHT, reward_sum=48.5, predicted_sum=48.5
        )
    }
    runs = [choose(seed, arms=sure, evidence=warm, epsilon=0.0, audit_rate=0.25)[0] for seed in range(800)]
    assert np.mean([run.is_judged for run in runs]) == pytest.approx(0.25, abs=0.05)
    assert all(run.judge_prob == pytest.approx(0.25) for run in runs)
    assert [run.audited for run in runs] == [run.is_judged for run in runs]
    assert not any(run.audited for run in never)


def test_the_probability_of_being_judged_by_chance_is_how_often_that_happens():
    warm = {
        one.model_id: Evidence(
            one.model_id, "code", one.tier, weight=COLD_WEIGHT, weight_total=COLD_WEIGHT, calls_seen=60
        )
        for one in ARMS
    }
    terms = {"prices": PlanPrices(quality_price=0.02), "epsilon": 0.3, "audit_rate": 0.2}
    runs = [choose(seed, evidence=warm, **terms)[0] for seed in range(1_500)]
    assert any(run.explored for run in runs)
    often = [model_id for model_id, count in Counter(run.model_id for run in runs).items() if count >= 50]
    assert len(often) >= 2
    for model_id in often:
        mine = [run for run in runs if run.model_id == model_id]
        happened = np.mean([run.explored or run.audited for run in mine])
        assert happened == pytest.approx(np.mean([run.chance_judge_prob for run in mine]), abs=0.06)
        assert all(run.chance_judge_prob <= run.judge_prob + 1e-9 for run in mine)


@pytest.mark.parametrize("strategy", ["plan", "classic"])
def test_without_a_judge_nothing_is_judged(strategy):
    runs = [choose(seed, strategy=strategy, table=None, epsilon=0.5, audit_rate=1.0)[0] for seed in range(60)]
    assert not any(run.is_judged for run in runs)
    assert all(run.judge_prob == 0.0 for run in runs)


def test_a_judge_of_small_auc_is_asked_for_audits_only():
    assert WEAK.auc < 0.65
    assert not any(choose(seed, table=WEAK, epsilon=0.0, audit_rate=0.0)[0].is_judged for seed in range(40))
    assert all(choose(seed, table=WEAK, epsilon=0.0, audit_rate=1.0)[0].is_judged for seed in range(10))


def test_without_escalations_no_answer_is_judged_for_a_climb():
    assert any(choose(seed, epsilon=0.0, audit_rate=0.0)[0].is_judged for seed in range(40))
    assert not any(
        choose(seed, epsilon=0.0, audit_rate=0.0, max_escalations=0)[0].is_judged for seed in range(40)
    )


def test_dear_quality_starts_cheap_and_cheap_quality_starts_dear():
    def first_tiers(price):
        prices = PlanPrices(quality_price=price)
        runs = [choose(s, prices=prices, table=None, epsilon=0.0)[0].tier for s in range(60)]
        return Counter(runs)

    assert first_tiers(0.9)["frontier"] == 0
    assert first_tiers(0.005)["frontier"] > 40


def test_evidence_moves_the_choice():
    bad = {"giant": Evidence("giant", "qa", reward_sum=20.0, predicted_sum=340.0, weight=400.0)}
    prices = PlanPrices(quality_price=0.005)
    before = [choose(s, prices=prices, table=None, epsilon=0.0)[0].tier for s in range(40)]
    after = [choose(s, prices=prices, table=None, epsilon=0.0, evidence=bad)[0].tier for s in range(40)]
    assert before.count("frontier") > 20
    assert after.count("frontier") == 0


def test_the_classic_strategy_takes_the_highest_draw_and_always_judges():
    for seed in range(20):
        decision, thetas = choose(seed, strategy="classic", epsilon=0.0, audit_rate=0.0)
        assert decision.model_id == max(thetas, key=thetas.get)
        assert decision.is_judged
        assert decision.value == decision.theta


def test_free_models_can_be_priced():
    decision, _ = choose(arms=[arm("free", "slm", 0, 0.6)], reference_cost_nusd=0, reference_latency_ms=0.0)
    assert decision.model_id == "free"
    assert np.isfinite(decision.value)


def test_no_arms_is_an_error():
    with pytest.raises(ValueError, match="select needs at least one arm, got none"):
        choose(arms=[])


THETAS = {"tiny-a": 0.6, "tiny-b": 0.62, "middle": 0.8, "giant": 0.9}


def test_a_bad_answer_climbs_to_a_higher_tier_only():
    decision = go_on(THETAS, [0.1], "slm")
    assert decision is not None
    assert decision.tier in {"mid", "frontier"}
    assert decision.propensity == 1.0
    assert go_on(THETAS, [0.1], "mid").tier == "frontier"


def test_a_good_answer_stops():
    assert go_on(THETAS, [0.96], "slm", 0.95) is None


def test_the_best_answer_held_counts_not_the_last():
    assert go_on(THETAS, [0.95, 0.05], "mid") is None


def test_above_the_frontier_there_is_nothing():
    assert go_on(THETAS, [0.01], "frontier") is None


def test_without_escalations_left_the_call_stops():
    assert go_on(THETAS, [0.01], "slm", escalations_left=0) is None
    assert go_on(THETAS, [0.01], "slm", strategy="classic", escalations_left=0) is None


def test_with_nothing_held_any_tier_may_be_asked():
    assert go_on(THETAS, [], None, None, escalations_left=0) is not None


def test_an_arm_without_a_draw_stands_at_its_prediction():
    assert go_on({}, [0.05], "mid").theta == 0.85


def test_the_classic_strategy_climbs_one_tier_below_the_bar():
    decision = go_on(THETAS, [0.3], "slm", 0.69, strategy="classic", bar=0.7)
    assert (decision.model_id, decision.is_judged) == ("middle", True)
    assert go_on(THETAS, [0.3], "slm", 0.70, strategy="classic", bar=0.7) is None


def test_the_classic_strategy_does_not_climb_on_a_judge_that_failed():
    assert go_on(THETAS, [0.3], "slm", None, strategy="classic") is None


def test_the_threshold_strategy_asks_the_cheapest_arm_that_clears_it_and_judges_nothing():
    decision, thetas = choose(strategy="threshold")
    assert (decision.model_id, decision.tier, decision.is_judged, decision.judge_prob) == (
        "middle",
        "mid",
        False,
        0.0,
    )
    assert (decision.propensity, decision.explored, decision.value) == (1.0, False, 0.75)
    assert decision.expected_cost_nusd == 800
    assert thetas == {one.model_id: one.completion_prob for one in ARMS}
    assert decision.tier_to_model == {"slm": "tiny-a", "mid": "middle", "frontier": "giant"}


def test_the_threshold_strategy_leaves_chance_and_evidence_alone():
    praised = {"tiny-a": Evidence("tiny-a", "qa", "slm", reward_sum=99.0, predicted_sum=60.0, weight=100.0)}
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    chosen, _ = select(ARMS, praised, replace(TERMS, strategy="threshold"), rng)
    assert chosen == choose(2, strategy="threshold")[0]
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (ThresholdRule(completion_threshold=0.8), "giant"),
        (ThresholdRule(completion_threshold=0.5), "tiny-a"),
        (ThresholdRule(completion_threshold=0.9, fallback_quality_margin=0.1), "middle"),
        (ThresholdRule(completion_threshold=0.9, fallback_quality_margin=0.0), "giant"),
        (ThresholdRule(completion_threshold=0.9, max_k=3), "giant"),
    ],
)
def test_the_knobs_of_the_threshold_strategy_decide(rule, wanted):
    assert choose(strategy="threshold", rule=rule)[0].model_id == wanted


def test_the_threshold_strategy_never_climbs_but_falls_back():
    thetas = {one.model_id: one.completion_prob for one in ARMS}
    assert go_on(thetas, [0.1], "mid", last_score=0.0, strategy="threshold") is None
    fallback = go_on(thetas, [], None, strategy="threshold", arms=ARMS[:2])
    assert fallback.model_id == "tiny-a"


@pytest.mark.parametrize("strategy", ["plan", "classic"])
def test_a_decision_tells_what_its_answer_is_estimated_to_cost(strategy):
    decision, _ = choose(strategy=strategy)
    cost = {one.model_id: one.expected_cost_nusd for one in ARMS}
    assert decision.expected_cost_nusd == cost[decision.model_id]


@pytest.mark.parametrize(("learner", "most"), [(DEFAULT_LEARNER, 1.0), (UNJUDGED_LEARNER, 0.03)])
def test_where_nobody_judges_a_cold_org_pays_no_frontier_for_trivial_prompts(learner, most):
    """Three own models of which nothing is known but tier and price, a prompt as easy as "Say hello."."""
    tiers = {"slm": (121, 1_500), "mid": (905, 2_500), "frontier": (7_233, 6_000)}
    arms = [
        Arm(
            tier, tier, tier, cost, latency, completion_prob(tier=tier, capability=None, difficulty=-1.7),
            0.1, 0.4, 100_000, 4_096,
        )
        for tier, (cost, latency) in tiers.items()
    ]  # fmt: skip
    terms = Terms("plan", PlanPrices(), 7_233, 6_000.0, None, learner=learner)
    rng = np.random.default_rng(0)
    first = Counter(select(arms, {}, terms, rng)[0].tier for _ in range(1_000))
    share = first["frontier"] / 1_000
    assert share <= most
    if learner is DEFAULT_LEARNER:
        assert share > 0.2, "its draws alone send so many to the frontier"
