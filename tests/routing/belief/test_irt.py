import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x25.routing.belief.completion import TIER_PRIOR
from x25.routing.belief.irt import CompletionModel, FactoredForm, Profile, capability_of
from x25.routing.prompt.features import FEATURE_NAMES, extract
from x25.routing.prompt.logistic import logit, sigmoid
from x25.state.errors import ConfigError, NotFound

DIMENSION = 3
INPUTS = DIMENSION + len(FEATURE_NAMES)
RNG = np.random.default_rng(5)
MODEL = CompletionModel(
    mean=RNG.normal(size=INPUTS),
    scale=RNG.uniform(0.5, 2.0, size=INPUTS),
    coef=RNG.normal(scale=0.2, size=INPUTS),
    intercept=0.1,
    low=-3.0,
    high=2.5,
    forms={"estimated": FactoredForm(4.0, -0.9, -1.5), "seed": FactoredForm(3.9, -1.3, -1.6)},
    encoder_fingerprint="static:abc",
    encoder_dimension=DIMENSION,
    profiles={
        one.model_id: one
        for one in (
            Profile("a/strong", {"gpqa_diamond": 90.0, "livecodebench": 80.0}, "frontier"),
            Profile("b/half", {"gpqa_diamond": 60.0, "livecodebench": None}, "mid"),
            Profile("c/unknown", {}, "slm"),
        )
    },
    manifest={"threshold": 0.75},
)
NAMES = ["c/unknown", "a/strong", "b/half"]
PROMPTS = RNG.normal(size=(40, INPUTS)) * 2.0


def mus(model, prompt, names=NAMES, form="estimated"):
    return {one.model_id: one.mu for one in model.predict(prompt, names, form)}


def inputs_of(text):
    return np.concatenate([np.zeros(DIMENSION), extract([{"role": "user", "content": text}], {}).values])


def test_capability_is_the_mean_of_the_two_benchmarks():
    assert capability_of({"gpqa_diamond": 90.0, "livecodebench": 80.0, "mmlu_pro": 10.0}) == pytest.approx(
        0.85
    )


@pytest.mark.parametrize("missing", ["gpqa_diamond", "livecodebench"])
def test_a_missing_benchmark_leaves_the_other(missing):
    other = ({"gpqa_diamond", "livecodebench"} - {missing}).pop()
    assert capability_of({other: 70.0, missing: None}) == pytest.approx(0.7)
    assert capability_of({other: 70.0}) == pytest.approx(0.7)


def test_no_benchmark_is_no_capability():
    assert capability_of({"mmlu_pro": 80.0}) is None


@pytest.mark.parametrize("form", ["estimated", "seed"])
def test_a_prediction_is_the_factored_formula(form):
    a, b, c = MODEL.forms[form].a, MODEL.forms[form].b, MODEL.forms[form].c
    for prompt in PROMPTS:
        raw = np.clip((prompt - MODEL.mean) / MODEL.scale, -4, 4) @ MODEL.coef + MODEL.intercept
        difficulty = np.clip(raw, MODEL.low, MODEL.high)
        expected = 1.0 / (1.0 + np.exp(-(a * 0.85 + b * difficulty + c)))
        assert mus(MODEL, prompt, form=form)["a/strong"] == pytest.approx(expected, abs=1e-9)


def test_predictions_keep_the_order_asked_for_and_are_probabilities():
    for names in (NAMES, NAMES[::-1], ["b/half"], []):
        predictions = MODEL.predict(PROMPTS[0], names)
        assert [one.model_id for one in predictions] == names
        assert all(0.0 < one.mu < 1.0 for one in predictions)


def test_removing_a_model_changes_no_other_models_probability():
    whole = mus(MODEL, PROMPTS[1])
    fewer = replace(MODEL, profiles={k: v for k, v in MODEL.profiles.items() if k != "a/strong"})
    assert mus(fewer, PROMPTS[1], ["c/unknown", "b/half"]) == {
        name: whole[name] for name in ("c/unknown", "b/half")
    }


def test_higher_benchmarks_raise_mu_on_every_prompt_without_a_fit():
    better = MODEL.with_profiles({"d/new": Profile("d/new", {"gpqa_diamond": 95.0, "livecodebench": 91.0})})
    for prompt in PROMPTS:
        seen = mus(better, prompt, ["d/new", *NAMES])
        assert seen["d/new"] > seen["a/strong"] > seen["b/half"]
    assert mus(better, PROMPTS[0]) == mus(MODEL, PROMPTS[0])


def test_a_model_without_benchmarks_stands_on_its_tier_and_says_so():
    prediction, profiled = MODEL.predict(PROMPTS[0], ["c/unknown", "a/strong"])
    b = MODEL.forms["estimated"].b
    assert (prediction.basis, prediction.capability) == ("tier prior", None)
    assert prediction.mu == pytest.approx(sigmoid(logit(TIER_PRIOR["slm"]) + b * prediction.difficulty))
    assert (profiled.basis, profiled.capability) == ("profile", pytest.approx(0.85))


def test_a_model_without_a_profile_is_named_with_its_nearest():
    with pytest.raises(NotFound, match="no profile of 'a/stronk'; did you mean 'a/strong'"):
        MODEL.predict(PROMPTS[0], ["a/stronk"])


@given(st.text(max_size=400), st.sampled_from(["", "$", "\\", "漢", "prove ", "1+1 ", "\x00"]))
@settings(max_examples=60, deadline=None)
def test_extreme_text_never_leaves_the_training_range(text, repeated):
    steep = replace(MODEL, coef=MODEL.coef * 50.0)
    for model in (MODEL, steep):
        assert model.low <= model.difficulty(inputs_of(text + repeated * 800)) <= model.high


def test_harder_prompts_are_completed_less_often():
    order = sorted(PROMPTS, key=MODEL.difficulty)
    for name in NAMES:
        chances = [mus(MODEL, prompt)[name] for prompt in order]
        assert chances == sorted(chances, reverse=True)


def test_an_artifact_gives_the_same_predictions_back():
    read = CompletionModel.from_dict(json.loads(json.dumps(MODEL.to_dict())))
    assert [read.predict(prompt, NAMES) for prompt in PROMPTS] == [MODEL.predict(p, NAMES) for p in PROMPTS]
    assert read.manifest == {"threshold": 0.75}


def test_another_encoder_is_refused_naming_both_dimensions():
    MODEL.require_encoder("static:abc", DIMENSION)
    with pytest.raises(
        ConfigError, match=r"'static:abc' of dimension 3, this one is 'st:big' of dimension 384"
    ):
        MODEL.require_encoder("st:big", 384)
    with pytest.raises(ConfigError, match=r"expected \d+ inputs \(3 of the encoder"):
        MODEL.difficulty(np.zeros(INPUTS + 4))


def test_other_features_are_refused():
    with pytest.raises(ConfigError, match="fit it again: x25 train"):
        CompletionModel.from_dict({**MODEL.to_dict(), "feature_names": ["other"]})


def test_a_missing_key_is_named():
    artifact = MODEL.to_dict()
    del artifact["forms"]
    with pytest.raises(ConfigError, match="lacks forms"):
        CompletionModel.from_dict(artifact)


@pytest.mark.parametrize(
    "damage", [{"scale": [0.0] * INPUTS}, {"coef": [1.0]}, {"low": 5.0}, {"forms": {"seed": {}}}]
)
def test_parameters_out_of_range_are_refused(damage):
    with pytest.raises(ConfigError, match="wrong shape or range"):
        CompletionModel.from_dict({**MODEL.to_dict(), **damage})


@pytest.mark.parametrize("coefficients", [(0.0, -1.0, 0.0), (1.0, 0.1, 0.0), (1.0, -1.0, float("nan"))])
def test_capability_helps_and_difficulty_hurts(coefficients):
    with pytest.raises(ConfigError, match="expected a > 0, b < 0"):
        FactoredForm(*coefficients)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"model_id": ""}, "name its model"),
        ({"tier": "huge"}, "tier must be one of"),
        ({"benchmarks": {"gpqa_diamond": 120.0}}, "gpqa_diamond must be a percentage"),
    ],
)
def test_a_profile_is_checked(fields, wrong):
    with pytest.raises(ConfigError, match=wrong):
        Profile(**{"model_id": "m", **fields})


def test_a_value_the_encoder_got_wrong_is_refused():
    with pytest.raises(ConfigError, match="finite"):
        MODEL.difficulty(np.full(INPUTS, np.nan))
