import numpy as np
import pytest

from x25.routing.answer.features import ANSWER_FEATURE_NAMES, extract_answer
from x25.training.data.recorded import read_recorded
from x25.training.verifier.answer_matrix import model_lengths, read_answers, with_length_z


@pytest.fixture
def recorded(answered):
    return read_recorded(answered, "made")


def test_each_answer_has_the_features_serving_would_extract(answered, recorded):
    answers = read_answers(answered, recorded)
    values = with_length_z(answers, lengths := model_lengths(answers))
    text, column = answers.texts[17][1], 1
    served = extract_answer(
        recorded.prompts[17], text, None, {}, lengths.mean[column], lengths.spread[column]
    )
    assert values[17, column] == pytest.approx(served.values, rel=1e-5, abs=1e-6)


def test_lengths_are_relative_to_the_models_own(answered, recorded):
    answers = read_answers(answered, recorded)
    z = with_length_z(answers, model_lengths(answers))[:, :, ANSWER_FEATURE_NAMES.index("length_z")]
    assert z.mean(axis=0) == pytest.approx([0.0] * 3, abs=1e-4)
    assert z.std(axis=0) == pytest.approx([1.0] * 3, abs=0.05)


def test_features_kept_in_the_cache_are_read_back_and_other_texts_are_not_mistaken(
    answered, recorded, tmp_path, monkeypatch
):
    first = read_answers(answered, recorded, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(
        "x25.training.verifier.answer_matrix.extract_answer", None
    )  # any extraction would fail
    assert np.array_equal(read_answers(answered, recorded, tmp_path).values, first.values)
    with pytest.raises(TypeError):
        read_answers(answered, recorded.take(np.arange(10)), tmp_path)


def test_rows_and_models_can_be_chosen(answered, recorded):
    answers = read_answers(answered, recorded)
    chosen = answers.take([3, 5]).choose(["large", "tiny"])
    tiny = answers.models.index("tiny")
    assert chosen.models == ("large", "tiny")
    assert chosen.texts[1][1] == answers.texts[5][tiny]
    assert np.array_equal(chosen.values[1, 1], answers.values[5, tiny])
    with pytest.raises(ValueError, match="no answers were recorded of huge"):
        answers.choose(["huge"])


def test_an_answer_that_was_not_recorded_is_missing_and_not_empty(answered, recorded):
    answers = read_answers(answered, recorded)
    assert answers.given.all()
    answers.values[0, 0] = np.nan
    assert not answers.given[0, 0]
    assert np.isfinite(model_lengths(answers).mean).all()
