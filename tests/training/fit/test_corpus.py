import math
from dataclasses import replace

import numpy as np
import pytest

from x25.routing.belief.irt import Profile
from x25.routing.prompt.features import FEATURE_NAMES
from x25.training.data.outcomes import Outcome, Outcomes
from x25.training.data.synthetic_outcomes import synthetic_outcomes, synthetic_profiles
from x25.training.fit.corpus import Labels, corpus_of, designed, load_datasets, training_encoder


def outcomes(*rows):
    """Return outcomes of (prompt, model, score, task, profiled)."""
    return Outcomes(
        tuple(
            Outcome(
                prompt_id=prompt, prompt=f"text {prompt}", model_id=model, score=score, source="s", task=task,
                subject_profiled=profiled,
            )
            for prompt, model, score, task, profiled in rows
        )
    )  # fmt: skip


def test_difficulty_is_minus_the_logit_of_the_pass_rate():
    scores = {"p": (1.0, 0.0, 0.7, 0.75), "q": (1.0, 1.0, 1.0, 0.0)}
    rows = [
        (prompt, model, score, "t", True)
        for prompt, row in scores.items()
        for model, score in zip("abcd", row, strict=True)
    ]
    target = corpus_of(outcomes(*rows)).difficulty_targets(Labels())
    assert target == pytest.approx([0.0, -math.log(3.0)])


def test_prompts_nobody_or_everybody_completes_stay_within_the_floor():
    rows = [
        (prompt, model, score, "t", True) for prompt, score in (("p", 0.0), ("q", 1.0)) for model in "abc"
    ]
    target = corpus_of(outcomes(*rows)).difficulty_targets(Labels())
    assert target == pytest.approx([math.log(49.0), -math.log(49.0)])


def test_a_prompt_of_too_few_models_has_no_difficulty_and_a_model_counts_once():
    rows = [("p", "a", 1.0, "t", True), ("p", "a", 0.0, "t", True), ("p", "b", 1.0, "t", True)]
    corpus = corpus_of(outcomes(*rows, *(("q", name, 0.0, "t", True) for name in "abc")))
    target = corpus.difficulty_targets(Labels())
    assert math.isnan(target[0])
    assert target[1] == pytest.approx(math.log(0.98 / 0.02))
    assert corpus.answered_by(3).prompt_ids == ["q"]
    assert corpus.answered_by(3).difficulty_targets(Labels()) == pytest.approx([target[1]])


def test_leaving_answers_out_changes_the_pass_rate():
    corpus = corpus_of(outcomes(*(("p", name, float(name == "a"), "t", True) for name in "abcd")))
    without = corpus.model == corpus.models.index("a")
    assert corpus.difficulty_targets(Labels())[0] == pytest.approx(math.log(3.0))
    assert corpus.difficulty_targets(Labels(), without)[0] == pytest.approx(math.log(0.98 / 0.02))


def test_no_prompt_of_enough_models_is_an_error():
    with pytest.raises(ValueError, match="answered by at least 9 models, got none"):
        corpus_of(synthetic_outcomes(1)).answered_by(9)


def test_only_profiled_answers_have_a_capability():
    corpus = corpus_of(
        outcomes(("p", "a", 1.0, "t", True), ("q", "a", 1.0, "t", False), ("p", "b", 1.0, "t", True))
    )
    capability = corpus.capabilities({"a": Profile("a", {"gpqa_diamond": 40.0}), "b": Profile("b")})
    assert capability[0] == pytest.approx(0.4)
    assert np.isnan(capability[1:]).all()


def test_a_models_own_capability_comes_from_the_sources_other_tasks():
    seen = outcomes(
        ("p", "a", 1.0, "math", True), ("q", "a", 0.0, "code", True), ("r", "a", 1.0, "code", True),
        ("p", "b", 0.0, "math", True),
    )  # fmt: skip
    corpus = corpus_of(seen)
    own = corpus.own_capabilities(corpus)
    assert own[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert math.isnan(own[3])


def test_the_hash_is_of_the_answers_and_not_of_their_order():
    kept = synthetic_outcomes(2)
    turned = replace(kept, outcomes=kept.outcomes[::-1])
    other = replace(
        kept, outcomes=(replace(kept.outcomes[0], score=1.0 - kept.outcomes[0].score), *kept.outcomes[1:])
    )
    assert corpus_of(kept).data_hash() == corpus_of(turned).data_hash() != corpus_of(other).data_hash()


def test_datasets_are_joined_and_the_synthetic_one_needs_a_seed(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("prompt_id,prompt,model_id,score\np,hello,m,1\n")
    joined = load_datasets(["synthetic:5", f"csv:{path}"])
    assert joined.counts().prompts == synthetic_outcomes(5).counts().prompts + 1
    with pytest.raises(ValueError, match="synthetic:SEED"):
        load_datasets(["synthetic:x"])
    with pytest.raises(ValueError, match="at least one dataset, kind:path, of the kinds agentic"):
        load_datasets([])
    with pytest.raises(ValueError, match="expected a kind of dataset among"):
        load_datasets(["parchment:here"])


def test_inputs_are_the_same_however_they_are_read(tmp_path):
    texts = [row.prompt for row in synthetic_outcomes(1).outcomes[::8]]
    encoder = training_encoder("none")
    seen = []
    whole = designed(texts, encoder, tmp_path, lambda done, total: seen.append((done, total)))
    assert whole.shape == (len(texts), len(FEATURE_NAMES))
    assert seen[-1] == (len(texts), len(texts))
    assert designed(texts, encoder, tmp_path) == pytest.approx(whole, rel=1e-5)
    with pytest.raises(ValueError, match="at least one prompt"):
        designed([], encoder)


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        ({"threshold": 0.0}, "threshold"),
        ({"passrate_floor": 0.5}, "passrate_floor"),
        ({"least_models": 0}, "least"),
    ],
)
def test_labels_out_of_range_are_named(labels, wrong):
    with pytest.raises(ValueError, match=wrong):
        Labels(**labels)


def test_the_synthetic_subjects_have_profiles():
    assert {one.capability for one in synthetic_profiles().values()} == {0.25, 0.4, 0.55, 0.65, 0.8, 0.9}
