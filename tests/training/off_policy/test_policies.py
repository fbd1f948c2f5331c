import numpy as np
import pytest

from x25.routing.plan.configs import RouterConfig
from x25.state.errors import ConfigError
from x25.state.logged_arms import LoggedArm
from x25.training.off_policy.log import read_log
from x25.training.off_policy.policies import parse_policy

ARMS = [
    LoggedArm("v/small", "slm", 0.6, 0.6, 0.55, 40.0, 1_000, 1_000.0, 1.0),
    LoggedArm("v/mid-a", "mid", 0.3, 0.75, 0.7, 40.0, 10_000, 1_000.0, 1.0),
    LoggedArm("v/mid-b", "mid", 0.1, 0.8, 0.8, 40.0, 12_000, 1_000.0, 1.0),
]
ROUTERS = {
    "auto": RouterConfig("auto"),
    "mids": RouterConfig("mids", models=("v/mid-a", "v/mid-b"), epsilon=0.0),
}


@pytest.fixture
def probs(logged_call):
    """Return a function that says how a policy would have chosen."""
    (call,) = read_log([logged_call(0, ARMS, 0)], {}).calls

    def of(policy, **more):
        found = parse_policy(policy, ROUTERS).probs(call, np.random.default_rng(0))
        return None if found is None else found.tolist()

    return of


def test_the_log_itself_one_model_and_a_tier(probs):
    assert probs("logged") == pytest.approx([0.6, 0.3, 0.1])
    assert probs("always:v/mid-b") == [0.0, 0.0, 1.0]
    assert probs("tier:mid") == pytest.approx([0.0, 0.75, 0.25])
    assert probs("always:v/nobody") is None
    assert probs("tier:frontier") is None


def test_the_cheapest_likely_enough_by_a_threshold(probs):
    assert probs("threshold:0.5") == [1.0, 0.0, 0.0]
    assert probs("threshold:0.7") == [0.0, 1.0, 0.0]
    assert probs("threshold:0.95") == [0.0, 1.0, 0.0]  # nobody is, so the cheapest near the best


def test_a_router_by_name_and_from_a_file(probs, tmp_path):
    assert sum(probs("auto")) == pytest.approx(1.0)
    assert probs("mids")[0] == 0.0
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nstrategy: threshold\ncompletion_threshold: 0.7\n")
    assert probs(str(path)) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    "policy",
    ["", "bogus", "always:", "tier:", "tier:huge", "threshold:", "threshold:2", "threshold:nan", "threshold:x",
     "no/such.yaml"],
)  # fmt: skip
def test_what_names_no_policy_is_refused_by_name(policy):
    with pytest.raises(ConfigError):
        parse_policy(policy, ROUTERS)


def test_a_file_with_a_wrong_key_is_refused_with_its_name(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nepsilonn: 0.1\n")
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        parse_policy(str(path), ROUTERS)


def test_a_router_that_goes_by_the_class_of_a_request_cannot_be_evaluated_on_a_log():
    with pytest.raises(ConfigError, match="holds no words"):
        parse_policy("tiers", {"tiers": RouterConfig("tiers", first_tier="by_class")})
