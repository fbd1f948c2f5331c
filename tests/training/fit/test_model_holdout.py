from dataclasses import replace

import numpy as np
import pytest

from x25.training.data.synthetic_outcomes import synthetic_outcomes, synthetic_profiles
from x25.training.fit.corpus import Labels, corpus_of, designed, training_encoder
from x25.training.fit.irt_from_outcomes import TrainOptions
from x25.training.fit.model_holdout import (
    PUBLISHED_AUC,
    Evidence,
    evaluate,
    leave_out,
    models_to_leave_out,
)

OPTIONS = TrainOptions(datasets=["synthetic:42"], encoder="none")
CORPUS = corpus_of(synthetic_outcomes(42))
DESIGN = designed(CORPUS.texts, training_encoder("none"))
EVIDENCE = Evidence(CORPUS, DESIGN, CORPUS.capabilities(synthetic_profiles()), Labels())


@pytest.fixture(scope="module")
def report():
    return evaluate(OPTIONS)


def test_every_profiled_model_is_left_out_once(report):
    assert set(report["models"]) == set(synthetic_profiles())
    assert all(one["answers"] == 240 for one in report["models"].values())


def test_models_nobody_recorded_are_ranked_by_their_benchmarks_and_the_prompt(report):
    assert report["macro"]["estimated"]["auc"] > 0.75
    for form in ("estimated", "seed"):
        for key in ("auc", "brier", "ece"):
            mean = np.mean([one[form][key] for one in report["models"].values()])
            assert report["macro"][form][key] == pytest.approx(mean, abs=1e-4)


def test_the_published_figures_stand_beside_ours(report):
    assert (
        report["published_macro_auc"] == PUBLISHED_AUC == {"text counts": 0.658, "sentence embedding": 0.719}
    )


def test_a_model_left_out_teaches_nothing():
    column = CORPUS.models.index("synthetic/medium")
    before = leave_out(EVIDENCE, [column])["models"]["synthetic/medium"]
    flipped = np.where(CORPUS.model == column, 1.0 - CORPUS.completed, CORPUS.completed)
    other = Evidence(replace(CORPUS, completed=flipped), DESIGN, EVIDENCE.capability, EVIDENCE.labels)
    after = leave_out(other, [column])["models"]["synthetic/medium"]
    # The same probabilities against opposite answers: every pair is now ordered the other way round.
    assert before["seed"]["auc"] == pytest.approx(1.0 - after["seed"]["auc"], abs=0.02)
    targets = [
        one.corpus.difficulty_targets(Labels(), without=CORPUS.model == column) for one in (EVIDENCE, other)
    ]
    assert np.array_equal(*targets)


def test_models_can_be_named(report):
    named = evaluate(OPTIONS, models=["synthetic/huge"])
    assert list(named["models"]) == ["synthetic/huge"]
    # Only the ridge penalty is shared, and the anchors stand in neither: the figures are those of the whole run.
    assert named["models"]["synthetic/huge"] == report["models"]["synthetic/huge"]


def test_a_model_that_cannot_be_left_out_is_named():
    with pytest.raises(ValueError, match="at least 30 answers, got agent/plain; there are synthetic/best"):
        models_to_leave_out(EVIDENCE, ["agent/plain"])
    with pytest.raises(ValueError, match="to leave out, got none"):
        evaluate(OPTIONS, "datasets")  # one task only: there is no other to learn capability from
