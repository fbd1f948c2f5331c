from dataclasses import replace

import pytest

from x25.graph.question import KNOBS, Question, config_for, request_of
from x25.state.errors import EmptyPrompt, InvalidRequest, UnknownConfig, UnknownModels

ASKED = Question(prompt="hello")


def test_a_question_is_a_request_at_the_calling_doors():
    asked = replace(ASKED, config="cheap-pair", task="code", user_id="ada", preferred_input_modalities=("image",),
                    policy={"max_tier": "mid"})  # fmt: skip
    assert request_of(asked) == {
        "prompt": "hello", "org": "default", "router": "cheap-pair", "hint": "code", "user_id": "ada",
        "policy": {"max_tier": "mid", "prefer_modalities": ["image"]},
    }  # fmt: skip
    assert request_of(ASKED)["router"] == "auto"


@pytest.mark.parametrize("prompt", ["", " \n\t"])
def test_an_empty_prompt_is_refused(prompt):
    with pytest.raises(EmptyPrompt, match="empty prompt"):
        request_of(replace(ASKED, prompt=prompt))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("task", {"task": "cooking"}),
        ("preferred_input_modalities", {"preferred_input_modalities": ("smell",)}),
        (
            "preferred_input_modalities",
            {"preferred_input_modalities": ("image",), "policy": {"prefer_modalities": ["audio"]}},
        ),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(field, changes):
    with pytest.raises(InvalidRequest) as refused:
        request_of(replace(ASKED, **changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("knob", "value"),
    [("completion_threshold", 0.9), ("lambda_cost", 0.0), ("lambda_latency", 3.0), ("max_k", 2),
     ("fallback_quality_margin", 0.2)],
)  # fmt: skip
@pytest.mark.parametrize("config", ["auto", "xrouter-classic", "x25-classic"])
async def test_each_knob_that_is_named_takes_the_place_of_the_configs(cascade, config, knob, value):
    own = cascade.services.routers[config]
    derived = config_for(replace(ASKED, config=config, **{knob: value}), cascade.services)
    assert getattr(derived, knob) == value != getattr(own, knob)
    assert derived.strategy == "threshold"
    others = [name for name in KNOBS if name != knob]
    assert [getattr(derived, name) for name in others] == [getattr(own, name) for name in others]
    assert cascade.services.routers[config] == own


async def test_models_take_the_place_of_the_configs_and_leave_its_strategy(cascade):
    asked = replace(ASKED, config="cheap-pair", models=("sim/large-5", "sim/large-5", "sim/tiny-1"))
    derived = config_for(asked, cascade.services)
    assert derived.models == ("sim/large-5", "sim/tiny-1")
    assert derived.strategy == cascade.services.routers["cheap-pair"].strategy
    assert (asked.label, replace(asked, config=None).label, ASKED.label) == ("cheap-pair", "custom", "auto")


@pytest.mark.parametrize(
    ("error", "field", "changes"),
    [
        (UnknownConfig, "config", {"config": "no-such"}),
        (UnknownModels, "models", {"models": ("sim/tiny-1", "no/such")}),
        (InvalidRequest, "models", {"models": ()}),
        (InvalidRequest, "max_k", {"max_k": 9}),
        (InvalidRequest, "completion_threshold", {"completion_threshold": 1.5}),
        (InvalidRequest, "lambda_cost", {"lambda_cost": float("nan")}),
    ],
)
async def test_what_cannot_be_decided_on_is_refused_by_name(cascade, error, field, changes):
    with pytest.raises(error) as refused:
        config_for(replace(ASKED, **changes), cascade.services)
    assert (type(refused.value), refused.value.field) == (error, field)


async def test_so_many_sets_that_nobody_would_wait_for_them_are_refused(cascade):
    spec = cascade.services.models["sim/tiny-1"]
    many = {f"m/{n}": spec for n in range(60)}
    with pytest.raises(InvalidRequest, match="20,000 sets"):
        config_for(replace(ASKED, max_k=4), replace(cascade.services, models=many))
