from dataclasses import replace
from decimal import Decimal

import pytest

from x25.providers.profiles import BUNDLED_MODELS
from x25.providers.registry import Registry, load_registry
from x25.routing.plan.fusion import INSTRUCTIONS
from x25.routing.plan.threshold import ThresholdRule
from x25.state.errors import ConfigError, NotFound
from x25.training.fit.ensemble import PAIRS, choose_ensemble
from x25.training.fit.predictor import load_predictor

NAMES = ["deepseek/deepseek-v4-flash-0731", "openai/gpt-5.6-luna", "anthropic/claude-opus-5"]
HARD = [
    {"role": "user", "content": "Prove that no group of order 56 is simple, and classify those of order 45."}
]
EASY = [{"role": "user", "content": "What is 1 + 1?"}]


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


@pytest.fixture(scope="module")
def mus(predictor):
    return {one.model_id: one.mu for one in predictor.predict(HARD, NAMES)}


def test_where_one_model_is_likely_enough_it_is_asked_alone(predictor):
    found = choose_ensemble(predictor, EASY, NAMES, ThresholdRule(completion_threshold=0.5, max_k=2))
    assert found.chosen.size == 1
    assert found.author == found.chosen.model_ids[0]


def test_where_nobody_alone_is_likely_enough_the_cheapest_capable_pair_is_asked(predictor, mus):
    bar = 1.0 - (1.0 - max(mus.values())) * (1.0 - sorted(mus.values())[-2]) - 1e-9
    assert max(mus.values()) < bar
    found = choose_ensemble(predictor, HARD, NAMES, ThresholdRule(completion_threshold=bar, max_k=2))
    assert set(found.chosen.model_ids) == set(sorted(mus, key=mus.get)[-2:])
    assert found.chosen.completion_prob == pytest.approx(bar)
    assert found.author == max(mus, key=mus.get)


def test_answers_are_fused_without_names_in_the_order_of_the_set(predictor, mus):
    found = choose_ensemble(predictor, HARD, NAMES, ThresholdRule(completion_threshold=1.0, max_k=3))
    found = replace(found, chosen=replace(found.chosen, model_ids=tuple(NAMES)))
    *kept, last = found.fused({NAMES[2]: "third", NAMES[0]: "first", NAMES[1]: "second"})
    assert kept == HARD
    text = last["content"]
    assert text.startswith(INSTRUCTIONS)
    assert text.index("first") < text.index("second") < text.index("third")
    assert not any(name in text for name in NAMES)


def test_a_member_that_failed_is_left_out_and_one_answer_alone_is_not_fused(predictor, mus):
    found = choose_ensemble(predictor, HARD, NAMES, ThresholdRule(completion_threshold=1.0, max_k=3))
    found = replace(found, chosen=replace(found.chosen, model_ids=tuple(NAMES)))
    assert "answer 2" in found.fused({NAMES[0]: "one", NAMES[1]: "two"})[-1]["content"]
    with pytest.raises(ValueError, match="at least 2 answers"):
        found.fused({NAMES[0]: "one"})


def test_an_answer_of_nobody_asked_is_refused(predictor):
    found = choose_ensemble(predictor, HARD, NAMES)
    with pytest.raises(ValueError, match="'me/other' is not of the set"):
        found.fused({"me/other": "x"})


def test_a_dearer_set_is_never_chosen_for_a_higher_chance_than_was_asked(predictor):
    cheap, dear = (
        choose_ensemble(predictor, HARD, NAMES, replace(PAIRS, completion_threshold=bar)).chosen
        for bar in (0.1, 0.999)
    )
    assert cheap.cost_nusd <= dear.cost_nusd
    assert cheap.completion_prob <= dear.completion_prob


def test_a_model_without_a_price_does_not_pass_as_free(predictor):
    known = load_registry(BUNDLED_MODELS)
    unknown = replace(known.get(NAMES[0]), output_usd_per_mtok=Decimal("NaN"))
    specs = [unknown, *(one for one in known.models if one.model_id != NAMES[0])]
    with pytest.raises(ConfigError, match="has no price"):
        choose_ensemble(predictor, HARD, NAMES, registry=Registry(specs))
    with pytest.raises(NotFound):
        choose_ensemble(predictor, HARD, ["me/unknown"])
    with pytest.raises(ValueError, match="at least one arm"):
        choose_ensemble(predictor, HARD, [])
