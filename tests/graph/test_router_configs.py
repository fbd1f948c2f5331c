"""Every router config that ships routes a call through the real graph, and says so where it cannot."""

from dataclasses import replace

import pytest

from x25.graph.bootstrap import BUNDLED_MODELS, SIMULATED_MODELS
from x25.graph.build import build_cascade
from x25.graph.routers import BUNDLED_ROUTERS, load_routers
from x25.providers.registry import load_registry
from x25.routing.plan.configs import RouterConfig
from x25.state.errors import NoEligibleModel

SHIPPED = load_routers()


def test_the_named_configs_ship():
    named = {"auto", "cheap-pair", "quality-pair", "single-model", "x25-classic", "xrouter-classic",
             "xantly-classic"}  # fmt: skip
    assert named <= SHIPPED.keys()
    assert {path.stem for path in BUNDLED_ROUTERS.glob("*.yaml")} == SHIPPED.keys()
    assert all(config.description for config in SHIPPED.values())


@pytest.mark.parametrize("folder", [BUNDLED_MODELS, SIMULATED_MODELS], ids=["real", "simulated"])
def test_the_candidates_of_a_config_exist_and_are_priced_in_both_pools(folder):
    registry = load_registry(folder)
    known = {spec.model_id: spec for spec in registry.models}
    sizes = {"cheap-pair": 2, "quality-pair": 2, "single-model": 1}
    for name, size in sizes.items():
        found = [known[model_id] for model_id in SHIPPED[name].models if model_id in known]
        assert len(found) == size, name
        assert all(spec.priced and spec.role == "chat" and spec.capability is not None for spec in found)


@pytest.mark.parametrize("router", sorted(SHIPPED))
async def test_each_config_routes_a_call_to_one_of_its_candidates(cascade, router):
    reply = await cascade.route({"prompt": "What is 2 plus 2?", "router": router, "org": router})
    assert reply["text"]
    assert reply["model_used"] in (SHIPPED[router].models or cascade.services.models)


async def test_the_single_model_asks_no_other_and_pays_no_judge(cascade):
    replies = [
        await cascade.route({"prompt": f"What is {n} plus 2?", "router": "single-model"}) for n in range(5)
    ]
    assert {reply["model_used"] for reply in replies} == {"sim/xlarge-6"}
    assert {reply["judge_cost_usd"] for reply in replies} == {0.0}
    assert {reply["escalations"] for reply in replies} == {0}


async def test_the_threshold_router_never_judges_and_never_climbs_even_after_a_bad_answer(cascade, fault):
    fault("empty")
    reply = await cascade.route({"prompt": "What is 2 plus 2?", "router": "xrouter-classic"})
    assert (reply["escalations"], reply["judge_cost_usd"], reply["cascade_steps"]) == (0, 0.0, 1)
    assert reply["propensity"] == 1.0
    assert reply["quality_source"] == "checks"


async def test_the_threshold_router_falls_back_when_its_choice_fails(cascade, fault):
    usual = (await cascade.route({"prompt": "What is 2 plus 2?", "router": "xrouter-classic"}))["model_used"]
    fault("500", usual)
    reply = await cascade.route({"prompt": "What is 2 plus 2?", "router": "xrouter-classic"})
    assert reply["model_used"] != usual
    assert (reply["fallbacks"], reply["escalations"]) == (1, 0)


async def test_under_the_published_tiers_the_class_names_the_tier_and_a_failure_goes_to_no_weaker_one(
    cascade, fault
):
    asked = {"prompt": "Write a Python function that adds 2 and 3.", "router": "xantly-classic"}
    reply = await cascade.route(asked)
    assert (reply["tier"], reply["escalations"], reply["judge_cost_usd"]) == ("mid", 0, 0.0)
    assert "; class standard, code: mid" in reply["explain"]["transitions"][0]["reason"]
    fault("500", reply["model_used"])
    again = await cascade.route(asked)
    assert (again["tier"], again["fallbacks"]) in {("mid", 1), ("frontier", 1)}
    cheap = await cascade.route({**asked, "policy": {"max_tier": "slm"}})
    assert cheap["tier"] == "slm"


async def test_threshold_and_margin_of_a_config_decide(cascade):
    chosen = {}
    for name, knobs in {
        "lax": {"completion_threshold": 0.05},
        "strict": {"completion_threshold": 1.0, "fallback_quality_margin": 0.0},
        "wide": {"completion_threshold": 1.0, "fallback_quality_margin": 1.0},
    }.items():
        config = RouterConfig(name, strategy="threshold", **knobs)
        graph = build_cascade(replace(cascade.services, routers={name: config})).compile()
        chosen[name] = (await graph.ainvoke({"prompt": "What is 2 plus 2?", "router": name}))["model_used"]
    assert chosen == {"lax": "sim/tiny-1", "strict": "sim/xlarge-6", "wide": "sim/tiny-1"}


async def test_a_config_none_of_whose_models_has_a_key_says_what_is_missing(cascade):
    alone = replace(SHIPPED["cheap-pair"], models=("openai/gpt-5.6-luna",))
    graph = build_cascade(replace(cascade.services, routers={"cheap-pair": alone})).compile()
    with pytest.raises(NoEligibleModel, match=r"openai/gpt-5\.6-luna \(named by the router, but no key"):
        await graph.ainvoke({"prompt": "What is 2 plus 2?", "router": "cheap-pair"})
