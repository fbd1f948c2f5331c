import itertools
from dataclasses import replace

import numpy as np
import pytest

from x25.graph.settings import PACKAGE_DIR
from x25.providers.registry import Registry, load_registry
from x25.routing.belief.completion import DEFAULT_TRUST, completion_prob
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.plan.cascade import PlanPrices, plan
from x25.routing.plan.hints import (
    COMPLEXITY_TO_TIERS,
    MODE_TO_WEIGHTS,
    Hints,
    dial_factor,
    lean,
    limit,
    parse_hints,
    parse_override,
    start,
)
from x25.routing.plan.ladder import climb
from x25.routing.plan.weights import DEFAULT_WEIGHTS, PRESETS, latency_price, normalise, quality_price
from x25.state.errors import InvalidRequest
from x25.state.records import Arm
from x25.state.types import TIERS
from x25.state.working_memory import ANYWHERE

DIALS = [place / 10 for place in range(11)]
SPECS = [
    spec
    for spec in load_registry(PACKAGE_DIR / "registry" / "models").models
    if spec.role == "chat" and spec.priced and spec.output_usd_per_mtok > 0
]
REFERENCE = Registry.reference(SPECS)


def belief(seed, tokens=200):
    """Return the bundled pool priced for a request, and what an org that saw some of it may believe of each model."""
    rng = np.random.default_rng(seed)
    difficulty = rng.uniform(-2, 3)
    pool = [
        Arm(
            spec.model_id, spec.provider, spec.tier, spec.expected_cost_nusd(tokens), spec.expected_latency_ms,
            completion_prob(tier=spec.tier, capability=spec.capability, difficulty=difficulty, trust=DEFAULT_TRUST),
            float(spec.input_usd_per_mtok), float(spec.output_usd_per_mtok), spec.context_tokens,
            spec.max_output_tokens,
        )
        for spec in SPECS
    ]  # fmt: skip
    predicted = np.array([arm.completion_prob for arm in pool])
    logits = np.log(predicted / (1 - predicted)) + rng.normal(0, 1.2, len(pool))
    return pool, 1 / (1 + np.exp(-logits))


def planned(prices, pool, thetas, tokens=200, table=None):
    """Return the value of the best plan, and the model it asks first with what is believed of it."""
    reference = (REFERENCE.expected_cost_nusd(tokens), REFERENCE.expected_latency_ms)
    ladder = climb(pool, thetas[None], prices, reference)
    best = plan(*ladder.sight, None, table, prices, max_answers=1 if table is None else 3)
    index = ladder.arm_index[0, best.arm[0]]
    return float(best.value[0]), pool[index], float(thetas[index])


def chosen(hints, seed):
    weights = normalise(lean(DEFAULT_WEIGHTS, hints))
    prices = PlanPrices(quality_price=quality_price(weights), latency_price=latency_price(weights))
    return planned(prices, *belief(seed))[1:]


def test_a_higher_dial_never_lowers_expected_quality_or_cost_over_the_bundled_pool():
    moved = 0
    for seed in range(40):
        path = [chosen(Hints(preference_dial=dial), seed) for dial in DIALS]
        costs, qualities = [arm.expected_cost_nusd for arm, _ in path], [quality for _, quality in path]
        assert costs == sorted(costs), seed
        assert qualities == sorted(qualities), seed
        moved += len(set(costs)) > 1
    assert moved >= 10


def test_nor_does_it_lower_the_cost_of_a_whole_plan_over_one_model_a_tier():
    """What a plan costs is the slope of its value over the price of cost: the value is convex where it never falls."""
    for seed in range(25):
        pool, thetas = belief(seed)
        rng = np.random.default_rng(seed)
        drawn = [rng.choice([index for index, arm in enumerate(pool) if arm.tier == tier]) for tier in TIERS]
        few = [pool[index] for index in drawn], thetas[drawn]
        lambdas = np.linspace(0.006, 0.8, 40)
        values = [planned(PlanPrices(quality_price=price), *few, table=DEFAULT_TABLE)[0] for price in lambdas]
        assert np.diff(values, 2).min() > -1e-9, seed
    prices = [quality_price(normalise(lean(DEFAULT_WEIGHTS, Hints(preference_dial=dial)))) for dial in DIALS]
    assert prices == sorted(prices, reverse=True)
    waits = {latency_price(normalise(lean(DEFAULT_WEIGHTS, Hints(preference_dial=dial)))) for dial in DIALS}
    assert max(waits) == pytest.approx(min(waits))


def test_the_middle_of_the_dial_is_no_dial_and_balanced_no_mode():
    assert normalise(lean(DEFAULT_WEIGHTS, Hints(mode="balanced"))) == pytest.approx(
        normalise(DEFAULT_WEIGHTS)
    )
    assert normalise(lean(DEFAULT_WEIGHTS, Hints(preference_dial=0.5))) == pytest.approx(
        normalise(DEFAULT_WEIGHTS)
    )


@pytest.mark.parametrize(("given", "clamped"), [(-3, 0), (7, 1)])
def test_a_dial_beyond_its_ends_stands_at_them(given, clamped):
    assert dial_factor(given) == dial_factor(clamped)


def mean(hints, of):
    return np.mean([of(*chosen(hints, seed)) for seed in range(40)])


def cost(arm, _):
    return arm.expected_cost_nusd


def quality(_, believed):
    return believed


def wait(arm, _):
    return arm.expected_latency_ms


def test_modes_order_cost_speed_and_quality_over_the_bundled_pool():
    costs = {mode: mean(Hints(mode=mode), cost) for mode in MODE_TO_WEIGHTS}
    assert costs["cost_optimized"] == min(costs.values()) < costs["balanced"]
    qualities = {mode: mean(Hints(mode=mode), quality) for mode in MODE_TO_WEIGHTS}
    assert qualities["quality"] == max(qualities.values()) > qualities["balanced"]
    waits = {mode: mean(Hints(mode=mode), wait) for mode in MODE_TO_WEIGHTS}
    assert waits["fast"] < waits["balanced"]


def test_preferences_shift_the_choice():
    assert mean(Hints(prefer_quality=True), quality) > mean(Hints(), quality)
    assert mean(Hints(prefer_latency=True), wait) < mean(Hints(), wait)


@pytest.mark.parametrize("mode", ["auto", "free_models_only", None])
def test_modes_that_say_nothing_of_the_weights_leave_them(mode):
    assert lean(PRESETS["cost-first"], Hints(mode=mode)) == PRESETS["cost-first"]


def test_what_is_said_more_plainly_wins_pair_by_pair():
    quality = normalise(PRESETS["quality-first"])
    # preset < mode
    assert normalise(lean(PRESETS["cost-first"], Hints(mode="quality"))) == pytest.approx(quality)
    # mode < dial
    dialled = normalise(lean(DEFAULT_WEIGHTS, Hints(mode="quality", preference_dial=0.0)))
    assert dialled["cost"] / dialled["quality"] == pytest.approx(
        DEFAULT_WEIGHTS["cost"] / DEFAULT_WEIGHTS["quality"] * dial_factor(0)
    )
    # hint < override: an overriding model is begun with whatever the complexity says
    assert start(Hints(task_complexity="trivial"), "v/m").model_id == "v/m"
    assert start(Hints(task_complexity="trivial"), "v/m").tiers == ()
    # no limit is overridden, whichever was said first
    assert limit({"max_tier": "slm"}, Hints(max_tier="T1"))["max_tier"] == "slm"
    assert limit({"max_tier": "frontier"}, Hints(max_tier="T2"))["max_tier"] == "mid"


@pytest.mark.parametrize(
    ("policy", "hints", "merged"),
    [
        ({}, Hints(mode="free_models_only"), {"max_cost_per_token": 0.0}),
        ({"max_cost_per_token": 1e-6}, Hints(max_cost_per_token=2e-6), {"max_cost_per_token": 1e-6}),
        ({}, Hints(max_latency_ms=700.0), {"prefer_latency_ms": 700.0}),
        ({"prefer_latency_ms": 300.0}, Hints(max_latency_ms=700.0), {"prefer_latency_ms": 300.0}),
        ({"allow_free_fallback": False}, Hints(allow_free_fallback=True), {"allow_free_fallback": False}),
        ({}, Hints(allow_free_fallback=True), {"allow_free_fallback": True}),
        (
            {"required_capabilities": ["logprobs"]},
            Hints(required_capabilities=frozenset({"vision", "function_calling", "json_mode"})),
            {
                "required_capabilities": ["json_schema", "logprobs", "tools"],
                "require_modalities": ["image"],
            },
        ),
    ],
)
def test_of_two_limits_the_stricter_holds(policy, hints, merged):
    assert limit(policy, hints) == merged


@pytest.mark.parametrize("name", ["T3", "speed", "slm", "t3", "SPEED"])
def test_tiers_go_by_three_names(name):
    assert parse_hints({"max_tier": name}).tier_limit == "slm"


def test_more_complex_tasks_never_begin_lower():
    ranks = [[TIERS.index(tier) for tier in COMPLEXITY_TO_TIERS[name]] for name in COMPLEXITY_TO_TIERS]
    for lower, higher in itertools.pairwise(ranks):
        assert min(lower) <= min(higher)
        assert max(lower) <= max(higher)


def test_nothing_said_begins_anywhere():
    assert start(parse_hints(None), parse_override(None)) == ANYWHERE
    assert parse_hints({"mode": None}) == Hints()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("fast", "routing_hints"),
        ({"mod": "fast"}, "routing_hints.mod"),
        ({"mode": "cheap"}, "routing_hints.mode"),
        ({"preference_dial": "0.5"}, "routing_hints.preference_dial"),
        ({"preference_dial": float("nan")}, "routing_hints.preference_dial"),
        ({"max_latency_ms": 0}, "routing_hints.max_latency_ms"),
        ({"task_complexity": "hard"}, "routing_hints.task_complexity"),
        ({"max_tier": "T9"}, "routing_hints.max_tier"),
        ({"max_cost_per_token": -1}, "routing_hints.max_cost_per_token"),
        ({"allow_free_fallback": 1}, "routing_hints.allow_free_fallback"),
        ({"chain_routing": "glued"}, "routing_hints.chain_routing"),
        ({"chain_id": ""}, "routing_hints.chain_id"),
        ({"required_capabilities": "tools"}, "routing_hints.required_capabilities"),
    ],
)
def test_what_is_wrong_is_named(given, field):
    with pytest.raises(InvalidRequest) as refused:
        parse_hints(given)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ("v/m", "routing_override"),
        ({"modle": "v/m"}, "routing_override.model"),
        ({"model": 3}, "routing_override.model"),
    ],
)
def test_an_override_names_a_model(given, field):
    assert parse_override({"model": "v/m"}) == "v/m"
    with pytest.raises(InvalidRequest) as refused:
        parse_override(given)
    assert refused.value.field in {field, "routing_override.modle"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"workflow_type": "single_turn"}, {"chain_routing": "mixed"}),
        ({"workflow_type": "multi_step_conversational"}, {"chain_routing": "sticky"}),
        (
            {"workflow_type": "long_horizon_autonomous"},
            {"chain_routing": "sticky", "task_complexity": "complex"},
        ),
        ({"workflow_type": "execution_task"}, {"required_capabilities": frozenset({"tools"})}),
        ({"workflow_type": "creative"}, {"task_hint": "creative"}),
        ({"workflow_type": "voice_simple"}, {"mode": "fast"}),
        ({"workflow_type": "voice_complex"}, {"prefer_latency": True}),
        # What is said more plainly wins.
        ({"workflow_type": "single_turn", "chain_routing": "sticky"}, {"chain_routing": "sticky"}),
        (
            {"workflow_type": "long_horizon_autonomous", "task_complexity": "trivial"},
            {"task_complexity": "trivial"},
        ),
        ({"workflow_type": "voice_simple", "mode": "quality"}, {"mode": "quality"}),
        ({"workflow_type": "voice_simple", "preference_dial": 0.9}, {"mode": None}),
        ({"workflow_type": "voice_complex", "mode": "quality"}, {"prefer_latency": None}),
        ({"workflow_type": "voice_complex", "prefer_latency": False}, {"prefer_latency": False}),
    ],
)
def test_a_workflow_stands_for_hints_where_nothing_else_is_said(given, expected):
    hints = parse_hints(given)
    assert {name: getattr(hints, name) for name in expected} == expected
    assert start(hints, None).notice == ""


def test_an_unknown_workflow_is_automatic_and_said_to_be():
    hints = parse_hints({"workflow_type": "moonwalk"})
    assert replace(hints, workflow_type=None) == Hints()
    for told in (start(hints, None).notice, start(hints, "v/m").notice):
        assert "automatic" in told
        assert "moonwalk" not in told
    with pytest.raises(InvalidRequest) as refused:
        parse_hints({"workflow_type": 3})
    assert refused.value.field == "routing_hints.workflow_type"
