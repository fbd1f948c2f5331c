import numpy as np
import pytest

from x25.training.data.recorded import Recorded
from x25.training.replay.streams import (
    COLD_PROBS,
    cold,
    complete,
    rotated,
    split,
    warmed,
    without_duplicates,
)

pytestmark = pytest.mark.slow

MODELS = ("small", "large")


class Letters:
    """Counts letters: enough of an encoder for prompts that say how hard they are."""

    dimension = 2
    fingerprint = "letters"

    def embed_many(self, texts):
        return np.array([[text.count("a"), text.count("b")] for text in texts], dtype=np.float32)


def make_recorded(length=400, seed=0, prefix=""):
    rng = np.random.default_rng(seed)
    hard = rng.integers(0, 10, length)
    suits = rng.integers(0, 2, length)
    prompts = [
        f"{prefix}{row} " + "a" * h + "b" * (5 * s)
        for row, (h, s) in enumerate(zip(hard, suits, strict=True))
    ]
    level = 0.9 - 0.06 * hard[:, None] + np.array([-0.15, 0.0]) + 0.2 * suits[:, None] * np.array([1.0, -1.0])
    scores = np.clip(level + 0.05 * rng.normal(size=(length, 2)), 0.0, 1.0)
    costs = np.array([0.001, 0.01]) * np.exp(0.1 * hard)[:, None]
    names = np.array([f"{prefix}{row}" for row in range(length)])
    return Recorded(
        "made", names, prompts, names, names, names, MODELS, scores, (scores > 0.7).astype(float), costs, costs, costs,
    )  # fmt: skip


def test_prompts_that_a_model_did_not_answer_are_left_out():
    recorded = make_recorded(10)
    recorded.scores[3, 1] = np.nan
    recorded.costs_usd[5, 0] = np.nan
    assert complete(recorded, MODELS).prompt_ids.tolist() == ["0", "1", "2", "4", "6", "7", "8", "9"]


def test_texts_of_the_warm_side_are_dropped_from_the_stream_and_counted():
    stream, warm = make_recorded(10), make_recorded(4)
    kept, dropped = without_duplicates(stream, warm)
    assert (len(kept), dropped) == (10 - dropped, sum(text in set(warm.prompts) for text in stream.prompts))


def test_a_cold_stream_knows_the_ladder_and_the_price_list_alone():
    found = cold(make_recorded(), MODELS, Letters())
    assert found.warm is None
    assert np.unique(found.stream.probs, axis=0).tolist() == [[COLD_PROBS[0], COLD_PROBS[2]]]
    assert len(np.unique(found.stream.predicted_usd, axis=0)) == 1


@pytest.mark.parametrize("way", ["another folder", "split", "rotation"])
def test_predictions_follow_what_was_recorded(way):
    recorded = make_recorded()
    found = {
        "another folder": lambda: warmed(recorded, make_recorded(seed=1, prefix="w"), MODELS, Letters()),
        "split": lambda: split(recorded, MODELS, Letters()),
        "rotation": lambda: rotated(recorded, MODELS, Letters()),
    }[way]()
    side = found.stream
    assert np.corrcoef(side.probs[:, 1], side.rewards[:, 1])[0, 1] > 0.6
    assert np.corrcoef(np.log(side.predicted_usd[:, 0]), np.log(side.costs_usd[:, 0]))[0, 1] > 0.9
    assert side.predicted_usd.sum() == pytest.approx(side.costs_usd.sum(), rel=0.1)


def test_a_split_streams_a_fifth_and_a_rotation_everything():
    recorded = make_recorded()
    assert 40 < len(split(recorded, MODELS, Letters()).stream) < 130
    assert len(rotated(recorded, MODELS, Letters()).stream) == len(recorded)


def test_no_prompt_of_a_rotation_is_predicted_from_its_own_reward():
    recorded = make_recorded()
    before = rotated(recorded, MODELS, Letters()).stream
    fold = before.folds == 3
    recorded.scores[fold] = 0.5
    recorded.costs_usd[fold] = 1.0
    after = rotated(recorded, MODELS, Letters()).stream
    for name in ("probs", "tuned_probs", "predicted_usd"):
        assert np.array_equal(getattr(after, name)[fold], getattr(before, name)[fold])
        assert not np.allclose(getattr(after, name)[~fold], getattr(before, name)[~fold])


def test_tuned_predictions_tell_which_arm_suits_a_prompt():
    side = rotated(make_recorded(4_000), MODELS, Letters()).stream
    rows = np.arange(len(side))
    plain, tuned = (
        side.rewards[rows, probs.argmax(axis=1)].mean() for probs in (side.probs, side.tuned_probs)
    )
    assert tuned > plain + 0.005
