from pathlib import Path

import pytest
import yaml

from x25.routing.plan.configs import RouterConfig
from x25.routing.plan.threshold import ThresholdRule
from x25.state.errors import ConfigError

ROUTERS = Path(__file__).parents[3] / "registry" / "routers"


def shipped(name):
    return RouterConfig.parse(yaml.safe_load((ROUTERS / f"{name}.yaml").read_text()), f"{name}.yaml")


def test_the_shipped_auto_router_plans():
    auto = shipped("auto")
    assert (auto.name, auto.strategy, auto.models) == ("auto", "plan", ())
    assert (auto.quality_bar, auto.max_escalations, auto.epsilon, auto.audit_rate) == (0.7, 2, 0.03, 0.05)


def test_the_shipped_classic_router_draws_and_climbs_without_extra_chance():
    classic = shipped("x25-classic")
    assert (classic.strategy, classic.epsilon, classic.audit_rate) == ("classic", 0.0, 0.0)


def test_the_shipped_threshold_router_has_the_published_knobs():
    rule = shipped("xrouter-classic")
    assert (rule.strategy, rule.completion_threshold, rule.fallback_quality_margin) == (
        "threshold",
        0.7,
        0.05,
    )
    assert (rule.lambda_cost, rule.lambda_latency, rule.max_k, rule.max_escalations) == (1.0, 0.0, 1, 0)
    assert rule.rule == ThresholdRule() == RouterConfig(name="x").rule


def test_a_config_sets_its_own_threshold_and_margin():
    knobs = {"completion_threshold": 0.9, "fallback_quality_margin": 0.2, "lambda_cost": 3, "max_k": 1}
    knobs |= {"lambda_latency": 0.5}
    assert RouterConfig.parse({"name": "x", **knobs}, "x.yaml").rule == ThresholdRule(**knobs)


def test_only_the_name_is_needed():
    assert RouterConfig.parse({"name": "x"}, "x.yaml") == RouterConfig(name="x")


def test_models_become_a_tuple():
    assert RouterConfig.parse({"name": "x", "models": ["a/b"]}, "x.yaml").models == ("a/b",)


def test_an_unknown_key_names_the_file_and_the_nearest_key():
    with pytest.raises(ConfigError, match=r"pair\.yaml: unknown key 'stategy'; did you mean 'strategy'"):
        RouterConfig.parse({"name": "x", "stategy": "plan"}, "pair.yaml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", ""),
        ("strategy", "greedy"),
        ("models", "a/b"),
        ("quality_bar", 1.5),
        ("epsilon", True),
        ("audit_rate", float("nan")),
        ("max_escalations", 1.5),
        ("max_escalations", 6),
        ("completion_threshold", 1.1),
        ("fallback_quality_margin", -0.1),
        ("lambda_cost", -1),
        ("lambda_latency", float("inf")),
        ("max_k", 0),
        ("max_k", 2),
        ("max_k", 1.0),
        ("description", 3),
    ],
)
def test_a_wrong_value_names_file_and_key(key, value):
    with pytest.raises(ConfigError, match=rf"x\.yaml: {key} must be"):
        RouterConfig.parse({"name": "x", key: value}, "x.yaml")


@pytest.mark.parametrize("content", [None, [], "auto", {"strategy": "plan"}])
def test_a_file_without_a_name_is_refused(content):
    with pytest.raises(ConfigError, match=r"x\.yaml"):
        RouterConfig.parse(content, "x.yaml")


def test_sets_of_models_are_refused_by_name():
    with pytest.raises(
        ConfigError, match=r"r\.yaml: max_k must be 1: a call asks one model at a time.*, got 2"
    ):
        RouterConfig.parse({"name": "pairs", "strategy": "threshold", "max_k": 2}, "r.yaml")
