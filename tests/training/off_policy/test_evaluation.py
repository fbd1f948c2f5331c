import json

import numpy as np
import pytest

from x25.routing.plan.configs import RouterConfig
from x25.state.logged_arms import LoggedArm
from x25.training.off_policy.evaluation import LEAST_CALLS, LEAST_EFFECTIVE, value
from x25.training.off_policy.log import read_log
from x25.training.off_policy.policies import Policy, parse_policy

NEAR = Policy(
    "near", "a little more even", lambda call, _: call.propensities**0.8 / (call.propensities**0.8).sum()
)
AUTO = {"auto": RouterConfig("auto")}


def log_of(world, seed=1, calls=600, **more):
    return read_log(world(np.random.default_rng(seed), calls, **more).calls, {})


def test_a_log_is_valued_under_its_own_policy_without_a_difference(world):
    found = value(log_of(world), parse_policy("logged", {}))
    assert found.refused is None
    assert found.values["quality"]["dr"] == found.logged["quality"]
    assert found.differences["quality"].value == found.differences["cost_usd"].value == 0.0
    assert found.differences["cost_ratio"].value == found.mean_weight == 1.0


def test_what_is_found_is_json_and_says_what_it_is_of(world):
    found = value(log_of(world), NEAR).to_json()
    assert json.loads(json.dumps(found)) == found
    assert "no labels moved" in found["measured_by"]
    assert "as logged" in found["measured_by"]
    assert sum(found["sources"].values()) == found["calls"] == 600


def test_a_log_too_small_is_refused_with_the_reason(world):
    assert f"{LEAST_CALLS} are needed" in value(log_of(world, calls=LEAST_CALLS - 1), NEAR).refused
    assert value(read_log([], {}), NEAR).refused.startswith("0 calls can be weighed")


def test_a_policy_far_from_the_log_is_refused_by_its_effective_size(world):
    found = value(log_of(world, calls=250, explores=0.02), parse_policy("always:v/large", {}))
    assert f"{LEAST_EFFECTIVE:.0f} are needed" in found.refused
    assert found.values == {}


def test_a_policy_the_log_gave_no_chance_is_refused(world, logged_call):
    arms = [
        LoggedArm("v/small", "slm", 1.0, 0.7, 0.7, 40.0, 1_000, 500.0, 1.0),
        LoggedArm("v/large", "frontier", 0.0, 0.9, 0.9, 40.0, 9_000, 900.0, 1.0),
    ]
    log = read_log([logged_call(n, arms, 0) for n in range(200)], {})
    found = value(log, parse_policy("always:v/large", {}))
    assert found.missing_share == 1.0
    assert "100.0% of the policy's choices no chance" in found.refused
    assert value(log, parse_policy("always:v/no", {})).refused.startswith(
        "the policy could be followed in 0.0%"
    )


def test_a_log_nobody_ever_looked_into_is_refused(world):
    from dataclasses import replace

    calls = world(np.random.default_rng(3), 300).calls
    blind = [
        replace(call, decision=call.decision | {"first_verdict": call.decision["first_verdict"] | {
            "outcome": "unseen", "seen_prob": 0.0}}, escalations=0, model_id=call.decision["model_id"])
        for call in calls
    ]  # fmt: skip
    assert "nobody would ever have looked" in value(read_log(blind, {}), NEAR).refused


def test_where_a_policy_has_nobody_to_ask_the_call_is_as_it_was(world):
    half = Policy("half", "", lambda call, rng: call.propensities if rng.random() < 0.7 else None)
    found = value(log_of(world), half)
    assert 0.6 < found.applied_share < 0.8
    assert found.mean_weight == pytest.approx(1.0)
    assert found.differences["quality"].value == pytest.approx(0.0, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "explores"), [(("near", "always:v/mid"), 0.06), (("always:v/large",), 0.6)]
)
def test_intervals_cover_the_truth_in_200_logs(world, names, explores, record_property):
    """Near and far from the log: quality, cost and their differences, each by nominal 95 % intervals."""
    rng = np.random.default_rng(11)
    logs = [read_log(world(rng, 800, explores=explores).calls, {}) for _ in range(200)]
    big = world(np.random.default_rng(7), 400_000, explores=explores, is_logged=False)
    logged_quality, logged_cost = big.truth(big.propensities)
    for name in names:
        policy = NEAR if name == "near" else parse_policy(name, {})
        covered, sizes, stated = (
            dict.fromkeys(("ips", "snips", "dr", "difference", "cost", "ratio"), 0),
            [],
            0,
        )
        probs = {
            "near": big.propensities**0.8,
            "always:v/mid": np.eye(3)[[1]],
            "always:v/large": np.eye(3)[[2]],
        }[name]
        quality, cost = big.truth(np.broadcast_to(probs / probs.sum(axis=1, keepdims=True), big.true.shape))
        for log in logs:
            found = value(log, policy)
            if found.refused is not None:
                continue
            stated += 1
            sizes.append(found.values["quality"]["dr"].effective_sample_size)
            truths = {one: (found.values["quality"][one], quality) for one in ("ips", "snips", "dr")} | {
                "difference": (found.differences["quality"], quality - logged_quality),
                "cost": (found.values["cost_usd"]["dr"], cost),
                "ratio": (found.differences["cost_ratio"], cost / logged_cost),
            }
            for key, (one, truth) in truths.items():
                covered[key] += one.low <= truth <= one.high
        shares = {key: round(count / stated, 3) for key, count in covered.items()}
        record_property("coverage", f"{name}: {shares}, effective size {np.median(sizes):.0f}")
        print(f"{name}: {stated} logs, coverage {shares}, effective size {np.median(sizes):.0f}")  # noqa: T201
        assert stated >= 150
        assert min(shares.values()) >= 0.92
