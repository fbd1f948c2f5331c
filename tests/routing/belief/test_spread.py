from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.spread import belief_sd
from x25.routing.belief.thompson import classic_draw, draw
from x25.state.records import Arm, Evidence

ARM = Arm(
    model_id="v/m", provider="v", tier="mid", expected_cost_nusd=0, expected_latency_ms=1.0, completion_prob=0.8,
    input_usd_per_mtok=0.1, output_usd_per_mtok=0.2, context_tokens=1000, max_output_tokens=100,
)  # fmt: skip
SEEN = Evidence("v/m", "qa", successes=30.0, failures=10.0, reward_sum=30.0, predicted_sum=32.0, weight=40.0,
                weight_total=40.0)  # fmt: skip
REPAIRED = replace(SEEN, drifts=1, forgotten_reward=5.0, forgotten_predicted=25.0, forgotten_weight=30.0,
                   return_odds=0.5)  # fmt: skip


@pytest.mark.parametrize("evidence", [None, SEEN, REPAIRED], ids=["none", "seen", "may be repaired"])
@pytest.mark.parametrize("strategy", ["plan", "classic"])
def test_it_is_the_spread_of_the_draws_that_decide(strategy, evidence):
    rng, observed = np.random.default_rng(1), {} if evidence is None else {"v/m": evidence}
    thetas = (draw if strategy == "plan" else classic_draw)([ARM], observed, rng, 40_000)
    assert belief_sd(ARM, evidence, strategy) == pytest.approx(float(thetas.std()), rel=0.03)


def test_it_shrinks_with_what_was_seen():
    assert belief_sd(ARM, SEEN, "plan") < belief_sd(ARM, None, "plan")


def test_the_threshold_rule_believes_the_prediction_alone():
    assert belief_sd(ARM, SEEN, "threshold") == belief_sd(ARM, None, "plan")


def test_a_belief_near_certainty_is_narrower():
    assert belief_sd(replace(ARM, completion_prob=0.97), None, "plan") < belief_sd(ARM, None, "plan")
