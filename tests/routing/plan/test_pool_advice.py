import numpy as np
import pytest

from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.pool_advice import PoolTerms, Prospect, rank_swaps
from x25.state.records import Evidence

CALLS = 60
HARD = np.linspace(-0.6, 0.6, CALLS)
BLIND = JudgeTable("blind", DEFAULT_TABLE.edges, (0.2,) * 5, (0.2,) * 5)


def model(name, prob, cost_usd, *, tier="slm", benchmarks=2, evidence=None):
    probs = 1.0 / (1.0 + np.exp(-(np.log(prob / (1.0 - prob)) - HARD)))
    return Prospect(name, tier, probs, np.full(CALLS, cost_usd), evidence, benchmarks)


POOL = (
    model("small", 0.45, 1e-4),
    model("middle", 0.65, 4e-4, tier="mid"),
    model("large", 0.85, 4e-3, tier="frontier"),
)


def swaps(offers, pool=POOL, *, table=DEFAULT_TABLE, seed=0):
    terms = PoolTerms(PlanPrices(quality_price=0.1), table, judge_cost_usd=1e-4)
    return rank_swaps(pool, offers, terms, np.random.default_rng(seed))


def test_a_good_cheap_model_is_advised_and_saves_without_losing():
    best = swaps([model("bargain", 0.8, 1e-4), model("dear", 0.5, 5e-3)])[0]
    assert best.into == "bargain"
    assert best.gain_prob > 0.9
    assert best.gain_points.low > 0.0
    assert best.usd_per_1000_calls.mean < 0.0 or best.points.mean > 0.0


def test_a_worse_dearer_model_never_pays():
    assert all(one.gain_points.mean < 0.0 for one in swaps([model("bad", 0.3, 5e-3)]))


def test_replacing_the_frontier_by_its_equal_at_a_tenth_of_the_price_saves_dollars():
    found = swaps([model("twin", 0.85, 4e-4)])
    best = next(one for one in found if one.out == "large")
    assert best.usd_per_1000_calls.high < 0.0
    assert best.points.mean == pytest.approx(0.0, abs=6.0)


def test_the_same_model_under_another_name_changes_nothing_on_average():
    (same,) = [one for one in swaps([model("middle-2", 0.65, 4e-4)]) if one.out == "middle"]
    assert same.gain_points.mean == pytest.approx(0.0, abs=1.5)
    assert same.gain_points.low < 0.0 < same.gain_points.high


def test_own_evidence_narrows_the_interval_and_is_named():
    known = Evidence(
        "seen", "*", reward_sum=640.0, predicted_sum=640.0, weight=800.0, reward_total=640.0, predicted_total=640.0,
        weight_total=800.0,
    )  # fmt: skip
    found = {one.into: one for one in swaps([model("seen", 0.8, 2e-4, evidence=known), model("new", 0.8, 2e-4)])
             if one.out == "small"}  # fmt: skip
    width = {name: one.gain_points.high - one.gain_points.low for name, one in found.items()}
    assert width["seen"] < width["new"]
    assert found["seen"].basis_into == "800 judged answers, 2 published benchmarks"
    assert found["new"].basis_into == "2 published benchmarks"


def test_own_evidence_of_failure_outweighs_published_benchmarks():
    failing = Evidence(
        "seen", "*", reward_sum=80.0, predicted_sum=640.0, weight=800.0, reward_total=80.0, predicted_total=640.0,
        weight_total=800.0,
    )  # fmt: skip
    found = swaps([model("seen", 0.8, 1e-4, evidence=failing)])
    assert all(one.gain_points.mean < 2.0 for one in found)
    assert max(one.gain_points.mean for one in swaps([model("seen", 0.8, 1e-4)])) > 2.0


def test_a_judge_not_trusted_is_not_planned_with():
    offers = [model("bargain", 0.8, 1e-4)]
    assert swaps(offers, table=BLIND) == swaps(offers, table=None)


def test_the_same_seed_gives_the_same_advice_and_nothing_gives_none():
    offers = [model("bargain", 0.8, 1e-4)]
    assert swaps(offers) == swaps(offers)
    assert swaps([]) == swaps(offers, ()) == []
