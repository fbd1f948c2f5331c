import json

import numpy as np
import pytest

from x25.routing.answer.features import (
    ANSWER_FEATURE_NAMES,
    PAIR_FEATURE_NAMES,
    AnswerFeatures,
    extract_answer,
)
from x25.routing.answer.verifier import (
    PAIR_INPUTS,
    VERIFIER_INPUTS,
    ModelAnswers,
    Verifier,
    pack_features,
    unpack_features,
    with_products,
)
from x25.routing.answer.verifier_evidence import FLAT_TABLE, TierEvidence, table_of
from x25.routing.answer.verifier_trees import LogisticHead
from x25.routing.prompt.logistic import logit
from x25.state.errors import ConfigError

PROMPT = "How many eggs do 3 hens lay in 4 days?"


def head(**weights):
    """A regression of raw inputs, each named one weighted as given."""
    size = len(VERIFIER_INPUTS)
    coef = np.zeros(size)
    for name, weight in weights.items():
        coef[VERIFIER_INPUTS.index(name)] = weight
    return LogisticHead(np.zeros(size), np.ones(size), coef, 0.0)


def table(name="verifier slm"):
    rng = np.random.default_rng(0)
    right = rng.random(2_000) < 0.6
    return table_of(name, rng.normal(size=2_000) + right, right)


def verifier(*, auc=0.7, slope=1.0, intercept=0.0, **weights):
    return Verifier(
        head=head(prior_logit=1.0, **weights),
        tiers={"slm": TierEvidence(slope, intercept, table(), 500, auc)},
        models={"a": ModelAnswers(0.4, 5.0, 0.5), "b": ModelAnswers(1.4, 7.0, 1.5)},
        encoder="abc",
        manifest={"source": "made up"},
    )


def answer(text):
    return extract_answer(PROMPT, text, "stop", {}, 5.0, 1.0)


def assess(one, text, prior=0.7, tier="slm", model="a"):
    return one.assess(answer(text), prior_prob=prior, model_id=model, tier=tier)


def test_an_answer_that_says_nothing_new_leaves_the_prior():
    seen = assess(verifier(log_doubts=-2.0), "12 eggs")
    assert seen.prob == pytest.approx(0.7)
    assert seen.evidence == pytest.approx(0.0)


def test_doubts_lower_the_belief_by_their_bin():
    plain, doubtful = (
        assess(verifier(log_doubts=-2.0), text) for text in ("12 eggs", "maybe 12, perhaps 13")
    )
    assert doubtful.evidence == pytest.approx(-2.0 * np.log(3.0))
    assert doubtful.bin < plain.bin
    assert doubtful.posterior(0.7) < plain.posterior(0.7)
    assert doubtful.prob == pytest.approx(0.7 / (0.7 + 0.3 * 9.0))


def test_calibration_of_the_tier_is_applied():
    seen = assess(verifier(slope=0.5, intercept=0.3), "12 eggs")
    assert logit(seen.prob) == pytest.approx(0.5 * logit(0.7) + 0.3)


def test_how_good_the_model_is_counts_and_an_unknown_one_counts_as_average():
    one = verifier(model_rate_logit=1.0)
    a, b, unknown = (assess(one, "12", model=model).evidence for model in ("a", "b", "new"))
    assert (a, b, unknown) == pytest.approx((0.4, 1.4, 0.9))
    assert one.usual("new") == ModelAnswers(pytest.approx(0.9), 6.0, 1.0)


def test_an_untrusted_verifier_moves_nothing():
    for one in (verifier(auc=0.55, log_doubts=-2.0), verifier(auc=None, log_doubts=-2.0)):
        seen = assess(one, "maybe 12, perhaps 13")
        assert seen.table is FLAT_TABLE
        assert seen.posterior(0.7) == pytest.approx(0.7)


def test_an_audit_can_withdraw_trust_from_one_tier():
    one = verifier().audited("slm", 0.5)
    assert assess(one, "12").table is FLAT_TABLE
    with pytest.raises(ConfigError, match="verifier knows the tiers slm, got 'mid'"):
        one.audited("mid", 0.9)


def test_a_tier_that_was_not_fitted_has_no_assessment():
    assert assess(verifier(), "12", tier="mid") is None


def test_a_verifier_survives_json():
    one = verifier(log_doubts=-2.0)
    again = Verifier.from_dict(json.loads(json.dumps(one.to_dict())), encoder="abc")
    assert assess(again, "maybe 12").prob == assess(one, "maybe 12").prob
    assert again.tiers["slm"].table == one.tiers["slm"].table
    assert again.models == one.models
    assert again.manifest == one.manifest


def without(key):
    return lambda parameters: parameters.pop(key)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.update(feature_version="answers-0"), "fitted on other answer features"),
        (lambda p: p["inputs"].pop(), "fitted on other answer features"),
        (lambda p: p.update(encoder="def"), "fitted behind encoder 'def', this gateway has 'abc'"),
        (without("head"), "incomplete or out of range"),
        (without("tiers"), "incomplete or out of range"),
        (lambda p: p["tiers"]["slm"].update(right=[1.0] * 5), "incomplete or out of range"),
        (lambda p: p["tiers"]["slm"].update(platt=[float("inf"), 0.0]), "expected 2 finite numbers"),
        (lambda p: p["models"].update(a=[1.0]), "expected 3 finite numbers"),
        (lambda p: p["head"].update(mean=[0.0], scale=[1.0], coef=[1.0]), "reads 1 inputs"),
    ],
)
def test_another_or_unsound_artifact_is_refused(spoil, message):
    parameters = json.loads(json.dumps(verifier().to_dict()))
    spoil(parameters)
    with pytest.raises(ConfigError, match=message):
        Verifier.from_dict(parameters, encoder="abc")


def test_agreement_with_a_sure_answer_counts_more_than_with_a_doubtful_one():
    features = np.zeros((3, len(PAIR_FEATURE_NAMES)))
    features[:, PAIR_FEATURE_NAMES.index("same_final")] = [1.0, 0.0, 0.5]
    features[:, PAIR_FEATURE_NAMES.index("other_logit")] = 3.0
    products = with_products(features)
    assert products.shape == (3, PAIR_INPUTS)
    assert products[:, -1].tolist() == [1.5, -1.5, 0.0]
    assert products[:, -2].tolist() == [0.0, 0.0, 0.0]


def test_kept_features_come_back_as_half_precision_numbers():
    features = extract_answer("What is 2 + 2?", "Clearly the answer is 4.", "stop", {}, 0.0, 0.0)
    packed = pack_features(features)
    assert len(packed) == 2 * len(ANSWER_FEATURE_NAMES)
    assert unpack_features(packed) == pytest.approx(features.values, rel=1e-3, abs=1e-6)
    huge = AnswerFeatures(np.full(len(ANSWER_FEATURE_NAMES), 1e9), None)
    assert np.isfinite(unpack_features(pack_features(huge))).all()
