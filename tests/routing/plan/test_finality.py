from itertools import product

import numpy as np
import pytest

from x25.routing.plan.decide import proceed
from x25.routing.plan.finality import is_final
from x25.state.types import TIERS


def arms_of(make_arm, *tiers):
    return [make_arm(f"m{place}", tier) for place, tier in enumerate(tiers)]


@pytest.fixture
def make_arm():
    from x25.state.records import Arm

    def make(model_id, tier, prob=0.99, cost=10):
        return Arm(model_id, "p", tier, cost, 500.0, prob, 0.1, 0.2, 100_000, 4_000)

    return make


@pytest.mark.parametrize(
    ("tier", "others", "strategy", "left", "final"),
    [
        ("slm", ["mid"], "plan", 1, False),
        ("slm", ["mid"], "plan", 0, True),
        ("slm", ["mid"], "threshold", 2, True),
        ("slm", [], "classic", 2, True),
        ("frontier", ["slm", "mid"], "plan", 2, True),
        ("frontier", ["frontier"], "plan", 2, False),
        ("mid", ["mid"], "classic", 2, False),
    ],
)
def test_an_answer_stands_where_nobody_can_follow(make_arm, tier, others, strategy, left, final):
    assert is_final(tier, arms_of(make_arm, *others), strategy, left) is final


def test_whatever_is_found_out_about_a_final_answer_nobody_follows(make_arm):
    """Search the verdicts: bad ones, unusable answers, every strategy, one to two others."""
    from x25.routing.plan.cascade import PlanPrices
    from x25.routing.plan.terms import Progress, Terms

    rng, followed, final = np.random.default_rng(7), 0, 0
    for strategy, tier, unusable in product(("plan", "classic", "threshold"), TIERS, (False, True)):
        for _ in range(30):
            others = arms_of(make_arm, *rng.choice(TIERS, size=rng.integers(0, 3)))
            left = int(rng.integers(0, 3))
            terms = Terms(
                strategy=strategy, prices=PlanPrices(quality_price=50.0, latency_price=0.0),
                reference_cost_nusd=1000, reference_latency_ms=1000.0, max_escalations=left, table=None,
            )  # fmt: skip
            progress = Progress(
                thetas={}, answer_beliefs=[float(rng.random() * 0.3)], last_tier=tier, is_unusable=unusable,
                last_score=0.0, escalations_left=left,
            )  # fmt: skip
            follows = proceed(others, progress, terms) is not None
            stands = is_final(tier, others, strategy, left)
            assert not (follows and stands)
            followed, final = followed + follows, final + stands
    assert followed > 20
    assert final > 20
