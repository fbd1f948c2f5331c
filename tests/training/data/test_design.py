import numpy as np
import pytest

from x25.routing.prompt.features import FEATURE_NAMES, MOST_CHARS, extract
from x25.training.data.design import design_matrix

PROMPTS = ["Hi!", "What is 2 + 2?", "Prove it. " * 2_000, "def f(x):\n    return x"]


class Lengths:
    """Embeds a text as its length and its share of spaces, and counts how often it was asked."""

    dimension = 2

    def __init__(self, fingerprint="lengths"):
        self.fingerprint = fingerprint
        self.asked = []

    def embed_many(self, texts):
        self.asked.append(list(texts))
        return np.array([(len(text) / 3.0, text.count(" ") / len(text)) for text in texts], dtype=np.float32)


def test_a_row_is_the_embedding_of_the_text_features_were_counted_in_beside_the_features():
    encoder = Lengths()
    design = design_matrix(PROMPTS, encoder)
    assert design.shape == (len(PROMPTS), 2 + len(FEATURE_NAMES))
    for row, prompt in zip(design, PROMPTS, strict=True):
        # As a served request does it: the prompt as one user message.
        served = extract([{"role": "user", "content": prompt}], {})
        vector = Lengths().embed_many([served.text])[0]
        assert row == pytest.approx(np.concatenate([vector, served.values]), rel=1e-6)
    assert max(map(len, encoder.asked[0])) == MOST_CHARS < len(PROMPTS[2])


def test_the_encoder_is_asked_once_for_prompts_it_has_seen(tmp_path):
    encoder = Lengths()
    first = design_matrix(PROMPTS, encoder, tmp_path / "cache")
    second = design_matrix(PROMPTS, encoder, tmp_path / "cache")
    assert len(encoder.asked) == 1
    assert np.array_equal(first, second)
    assert len(list((tmp_path / "cache").iterdir())) == 1  # nothing half written is left


def test_a_design_does_not_depend_on_whether_it_was_kept(tmp_path):
    # Not even in the last digit: otherwise the figures of a second run would differ from those of the first.
    kept = design_matrix(PROMPTS, Lengths(), tmp_path)
    assert np.array_equal(kept, design_matrix(PROMPTS, Lengths()))
    assert np.array_equal(kept, design_matrix(PROMPTS, Lengths(), tmp_path))
    assert kept.dtype == np.float64


def test_other_weights_and_other_prompts_are_kept_apart(tmp_path):
    one, other = Lengths("one"), Lengths("other")
    design_matrix(PROMPTS, one, tmp_path)
    design_matrix(PROMPTS, other, tmp_path)
    design_matrix(PROMPTS[::-1], one, tmp_path)
    # Joined, both lists are the same text.
    design_matrix(["ab", "c"], one, tmp_path)
    design_matrix(["a", "bc"], one, tmp_path)
    assert len(other.asked) == 1
    assert len(one.asked) == 4
    assert len(list(tmp_path.iterdir())) == 5


def test_a_prompt_that_no_file_could_hold_is_still_kept(tmp_path):
    broken = ["half a pair \ud83d"]
    assert np.array_equal(
        design_matrix(broken, Lengths(), tmp_path), design_matrix(broken, Lengths(), tmp_path)
    )


def test_an_encoder_that_embeds_nothing_leaves_the_features(no_encoder):
    assert design_matrix(PROMPTS, no_encoder).shape == (len(PROMPTS), len(FEATURE_NAMES))
