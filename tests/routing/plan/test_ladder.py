from dataclasses import replace

import numpy as np
import pytest

from x25.routing.plan.cascade import PlanPrices
from x25.routing.plan.ladder import climb
from x25.state.records import Arm


def arm(model_id, tier, cost, latency=10.0):
    return Arm(model_id, "acme", tier, cost, latency, 0.7, 0.1, 0.4, 100_000, 4_096)


ARMS = [arm("giant", "frontier", 1_000), arm("tiny-a", "slm", 10), arm("tiny-b", "slm", 500)]
PRICES = PlanPrices(quality_price=0.1, latency_price=0.0)


def test_columns_are_the_tiers_present_from_cheap_to_strong():
    ladder = climb(ARMS, np.array([[0.9, 0.6, 0.6]]), PRICES, (1_000, 100))
    assert ladder.tiers == ("slm", "frontier")
    assert ladder.arm_index.tolist() == [[1, 0]]
    assert ladder.thetas.tolist() == [[0.6, 0.9]]


def test_each_draw_has_its_own_best_arm_of_a_tier_and_that_arms_price():
    ladder = climb(ARMS, np.array([[0.9, 0.60, 0.62], [0.9, 0.60, 0.80]]), PRICES, (1_000, 100))
    # .02 better is not worth .049 of a reference cost's quality; .20 better is.
    assert ladder.arm_index.tolist() == [[1, 0], [2, 0]]
    assert ladder.costs == pytest.approx(np.array([[0.01, 1.0], [0.5, 1.0]]))
    assert ladder.latencies == pytest.approx(np.full((2, 2), 0.1))


def test_a_reference_of_nothing_divides_by_one():
    ladder = climb(ARMS, np.array([[0.9, 0.6, 0.5]]), PlanPrices(0.0, 0.0, 0.0), (0, 0))
    assert ladder.costs.tolist() == [[10.0, 1_000.0]]


def test_availability_lowers_what_asking_is_worth_and_not_how_good_an_answer_is():
    half = [replace(one, availability=0.5) if one.model_id == "tiny-a" else one for one in ARMS]
    ladder = climb(half, np.array([[0.9, 0.6, 0.5]]), PlanPrices(0.0, 0.0, 0.0), (1_000, 100))
    assert ladder.arm_index.tolist() == [[2, 0]], (
        "a worse model that answers is worth more than one that may not"
    )
    whole = climb(half[:2], np.array([[0.9, 0.6]]), PRICES, (1_000, 100))
    assert whole.thetas.tolist() == [[0.6, 0.9]]
    assert whole.expected.tolist() == [[0.3, 0.9]]
    assert whole.sight[0] is whole.expected
