from dataclasses import replace
from itertools import combinations
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.routing.plan.threshold import DEFAULT_RULE, ThresholdRule, choose_set
from x25.state.records import Arm


def arm(name, p, cost=100, latency_ms=50.0):
    return Arm(name, "acme", "mid", cost, latency_ms, p, 1.0, 2.0, 100_000, 4_096)


@st.composite
def pools(draw):
    """Pools with coarse figures, so that ties in every key occur."""
    count = draw(st.integers(1, 6))
    figures = st.tuples(st.integers(0, 20), st.integers(0, 6), st.integers(1, 4))
    drawn = draw(st.lists(figures, min_size=count, max_size=count))
    return [arm(f"m/{i}", p / 20, cost * 100, latency * 10.0) for i, (p, cost, latency) in enumerate(drawn)]


def brute_force(arms, rule):
    """Write the rule down once more, naively."""
    sets = []
    for size in range(1, rule.max_k + 1):
        for members in combinations(arms, size):
            mu = (
                members[0].completion_prob
                if size == 1
                else 1 - prod(1 - one.completion_prob for one in members)
            )
            cost, latency = (
                sum(one.expected_cost_nusd for one in members),
                max(one.expected_latency_ms for one in members),
            )
            price = rule.lambda_cost * cost + rule.lambda_latency * latency
            sets.append((price, latency, size, -mu, members))
    capable = [one for one in sets if -one[3] >= rule.completion_threshold]
    if not capable:
        best = max(-one[3] for one in sets)
        capable = [one for one in sets if -one[3] >= best - rule.fallback_quality_margin - 1e-12]
    return min(one[:4] for one in capable)


def key(chosen, rule):
    price = rule.lambda_cost * chosen.cost_nusd + rule.lambda_latency * chosen.latency_ms
    return (price, chosen.latency_ms, chosen.size, -chosen.completion_prob)


@given(pools(), st.integers(0, 20))
def test_the_choice_is_the_cheapest_whose_completion_clears_the_threshold(arms, twentieths):
    rule = ThresholdRule(completion_threshold=twentieths / 20)
    capable = [one for one in arms if one.completion_prob >= rule.completion_threshold]
    chosen = choose_set(arms, rule)
    if capable:
        assert chosen.completion_prob >= rule.completion_threshold
        assert chosen.cost_nusd == min(one.expected_cost_nusd for one in capable)


@given(pools(), st.floats(0.0, 1.0))
def test_where_none_clears_it_the_cheapest_within_the_margin_of_the_best_is_chosen(arms, margin):
    rule = ThresholdRule(completion_threshold=1.0, fallback_quality_margin=margin)
    best = max(one.completion_prob for one in arms)
    if best < 1.0:
        near = [one for one in arms if one.completion_prob >= best - margin - 1e-12]
        chosen = choose_set(arms, rule)
        assert chosen.completion_prob >= best - margin - 1e-9
        assert chosen.cost_nusd == min(one.expected_cost_nusd for one in near)


@given(pools())
def test_a_margin_of_zero_chooses_the_best(arms):
    rule = ThresholdRule(completion_threshold=1.0, fallback_quality_margin=0.0)
    assert choose_set(arms, rule).completion_prob == max(one.completion_prob for one in arms)


@given(
    pools(), st.integers(1, 3), st.floats(0.0, 1.0), st.floats(0.0, 0.3),
    st.sampled_from([0.0, 1.0, 3.0]), st.sampled_from([0.0, 1.0, 7.0]),
)  # fmt: skip
def test_sets_are_chosen_as_by_brute_force(arms, max_k, threshold, margin, lambda_cost, lambda_latency):
    rule = ThresholdRule(threshold, margin, lambda_cost, lambda_latency, max_k)
    assert key(choose_set(arms, rule), rule) == brute_force(arms, rule)


def test_two_weak_models_together_can_be_the_cheapest_capable_set():
    arms = [arm("a", 0.5, 10), arm("b", 0.5, 20), arm("strong", 0.9, 500)]
    assert choose_set(arms).model_ids == ("strong",)
    assert choose_set(arms, ThresholdRule(max_k=2)).model_ids == ("a", "b")


def test_ties_are_broken_by_latency_then_size_then_quality():
    slow, fast = arm("slow", 0.9, latency_ms=90.0), arm("fast", 0.8, latency_ms=40.0)
    assert choose_set([slow, fast]).model_ids == ("fast",)
    free = [arm("a", 0.75, 0), arm("b", 0.95, 0)]
    assert choose_set(free, ThresholdRule(max_k=2)).model_ids == ("b",)
    assert choose_set([arm("worse", 0.8), arm("better", 0.9)]).model_ids == ("better",)


def test_the_defaults_are_the_published_ones():
    assert ThresholdRule() == ThresholdRule(0.7, 0.05, 1.0, 0.0, 1) == DEFAULT_RULE


@given(pools(), st.integers(0, 5), st.integers(1, 5), st.integers(0, 3))
def test_raising_lambda_cost_never_chooses_a_dearer_model(arms, low, step, lambda_latency):
    rule = ThresholdRule(0.5, 0.05, low, lambda_latency)
    dearer = replace(rule, lambda_cost=low + step)
    assert choose_set(arms, dearer).cost_nusd <= choose_set(arms, rule).cost_nusd


@given(pools(), st.integers(0, 5), st.integers(1, 5), st.integers(0, 3))
def test_raising_lambda_latency_never_chooses_a_slower_model(arms, low, step, lambda_cost):
    rule = ThresholdRule(0.5, 0.05, lambda_cost, low)
    hastier = replace(rule, lambda_latency=low + step)
    assert choose_set(arms, hastier).latency_ms <= choose_set(arms, rule).latency_ms


def test_both_lambdas_are_live():
    arms = [arm("cheap", 0.9, 100, 90.0), arm("fast", 0.9, 300, 10.0)]
    reference = {"reference_cost_nusd": 1_000, "reference_latency_ms": 100.0}
    chosen = {
        (cost, latency): choose_set(
            arms, ThresholdRule(lambda_cost=cost, lambda_latency=latency), **reference
        )
        for cost, latency in [(1.0, 0.0), (1.0, 1.0), (9.0, 1.0), (0.0, 0.0)]
    }
    assert [one.model_ids[0] for one in chosen.values()] == ["cheap", "fast", "cheap", "fast"]


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("completion_threshold", 1.1),
        ("completion_threshold", float("nan")),
        ("fallback_quality_margin", -0.1),
        ("lambda_cost", -1.0),
        ("lambda_latency", float("inf")),
        ("max_k", 0),
        ("max_k", 5),
    ],
)
def test_a_knob_out_of_range_is_refused_by_name(knob, value):
    with pytest.raises(ValueError, match=f"{knob} must be"):
        ThresholdRule(**{knob: value})


def test_nobody_to_choose_from_is_an_error():
    with pytest.raises(ValueError, match="at least one arm"):
        choose_set([])
