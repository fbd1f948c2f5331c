import numpy as np
import pytest

from x25.routing.answer.features import extract_answer
from x25.routing.answer.verifier import VERIFIER_INPUTS
from x25.training.data.design import design_matrix
from x25.training.data.metrics import auc
from x25.training.data.recorded import is_held_out, read_recorded
from x25.training.verifier.answer_matrix import read_answers
from x25.training.verifier.fit import Answered, Labelled, fit_prior, fit_verifier, log_odds
from x25.training.verifier.heads import fit_logistic

pytestmark = pytest.mark.slow

MODEL_TO_TIER = {"tiny": "slm", "middle": "mid", "large": "frontier"}


@pytest.fixture(scope="session")
def made(answered, no_encoder):
    """Return a verifier fitted on the train side."""
    recorded = read_recorded(answered, "made")
    rows = np.flatnonzero(~is_held_out(recorded.groups))
    side, answers = (
        recorded.take(rows),
        read_answers(answered, recorded).choose(list(MODEL_TO_TIER)).take(rows),
    )
    prior = fit_prior(side, design_matrix(side.prompts, no_encoder), answers.models)
    part = Answered(side, answers, prior.train_probs)
    return fit_verifier(part.labelled(part.usual(), list(MODEL_TO_TIER.values())), encoder="none")


def test_a_fitted_verifier_tells_right_from_wrong_answers_it_has_not_seen(answered, made):
    recorded = read_recorded(answered, "made")
    answers, column = read_answers(answered, recorded), recorded.columns(["tiny"])[0]
    usual = made.verifier.usual("tiny")
    assessments, right = [], []
    for row in np.flatnonzero(is_held_out(recorded.groups)):
        text = answers.texts[row][answers.models.index("tiny")]
        features = extract_answer(recorded.prompts[row], text, "stop", {}, usual.length_mean, usual.length_sd)
        assessments.append(made.verifier.assess(features, prior_prob=0.5, model_id="tiny", tier="slm"))
        right.append(recorded.correct[row, column])
    assert auc([one.evidence for one in assessments], right) > 0.65
    assert auc([one.posterior(0.5) for one in assessments], right) > 0.6


def test_enough_labels_and_a_good_score_out_of_fold_are_trusted(made):
    slm = made.verifier.tiers["slm"]
    assert slm.labels >= 450
    assert slm.audit_auc > 0.6
    assert slm.is_trusted
    assert slm.fitted.auc > 0.6


def test_out_of_fold_beliefs_are_calibrated(answered, made):
    recorded = read_recorded(answered, "made").take(
        np.flatnonzero(~is_held_out(read_recorded(answered, "made").groups))
    )
    correct = recorded.correct[:, recorded.columns(list(MODEL_TO_TIER))]
    probs = 1.0 / (1.0 + np.exp(-made.train_logits))
    assert probs.mean(axis=0) == pytest.approx(correct.mean(axis=0), abs=0.02)


def noise(rows, rng, usual):
    """Answers whose features say nothing: being right is the prior alone."""
    priors = np.full((rows, 1), 0.6)
    inputs = rng.normal(size=(rows, 1, len(VERIFIER_INPUTS)))
    inputs[:, :, VERIFIER_INPUTS.index("prior_logit")] = log_odds(priors)
    correct = (rng.random((rows, 1)) < 0.6).astype(float)
    datasets = np.array(["one"] * rows)
    return Labelled(inputs, priors, correct, datasets, np.arange(rows) % 5, ["tiny"], ["slm"], usual)


def test_a_verifier_that_learned_nothing_is_not_trusted(answered):
    recorded = read_recorded(answered, "made")
    answers = read_answers(answered, recorded).choose(["tiny"])
    usual = Answered(recorded, answers, np.full((len(recorded), 1), 0.6)).usual()
    for seed in range(5):
        data = noise(1_000, np.random.default_rng(seed), usual)
        fitted = fit_verifier(data, encoder="none", fit=fit_logistic)
        assert not fitted.verifier.tiers["slm"].is_trusted


def test_answers_that_were_not_recorded_have_no_belief(answered):
    recorded = read_recorded(answered, "made")
    answers = read_answers(answered, recorded)
    answers.values[7, 1] = np.nan
    part = Answered(recorded, answers, np.full(recorded.correct.shape, 0.6))
    fitted = fit_verifier(part.labelled(part.usual()), encoder="none", fit=fit_logistic)
    assert np.isnan(fitted.train_logits[7, 1])
    assert np.isfinite(np.delete(fitted.train_logits.ravel(), 7 * 3 + 1)).all()


def test_the_prior_of_a_training_prompt_comes_from_other_prompts(answered):
    recorded = read_recorded(answered, "made")
    remembered = np.eye(len(recorded))  # an input that only remembers which prompt it was
    prior = fit_prior(recorded, remembered, ["tiny"])
    assert abs(auc(prior.train_probs[:, 0], recorded.correct[:, recorded.columns(["tiny"])[0]]) - 0.5) < 0.15
    assert prior.probs(remembered).shape == (len(recorded), 1)
