import base64
import json

import numpy as np
import pytest

from x25.graph.estimators import load_difficulty
from x25.routing.belief.org_model import (
    MOST_MOVED,
    Line,
    OrgModel,
    base_id,
    inputs_id,
    move_inputs,
    pack_inputs,
    unpack_inputs,
)
from x25.state.errors import ConfigError


@pytest.fixture(scope="module")
def difficulty():
    return load_difficulty()


@pytest.fixture
def inputs(difficulty):
    return difficulty.head.mean + difficulty.head.scale * np.random.default_rng(2).normal(
        size=len(difficulty.head.mean)
    )


def org_model(difficulty, shift=0.5, u=0.0, **levels):
    size = len(difficulty.head.coef)
    return OrgModel(
        base_id(difficulty), shift, np.full(size, u, dtype=np.float32), {"v/m": Line(1.0, 0.5), **levels}
    )


def test_a_model_that_learnt_nothing_leaves_the_difficulty_alone(difficulty, inputs):
    assert org_model(difficulty, shift=0.0).estimate(difficulty, inputs) == difficulty.estimate(inputs)


def test_the_difficulty_is_moved_by_shift_and_weighted_inputs(difficulty, inputs):
    moved = org_model(difficulty, u=0.01).estimate(difficulty, inputs)
    expected = difficulty.estimate(inputs).value + 0.5 + 0.01 * move_inputs(difficulty, inputs).sum()
    assert moved.value == pytest.approx(expected, abs=1e-6)
    assert moved.band == difficulty.band(moved.value)
    assert moved.sigma == difficulty.estimate(inputs).sigma


def test_no_input_moves_a_difficulty_out_of_sight(difficulty, inputs):
    far = org_model(difficulty, u=100.0).estimate(difficulty, inputs)
    assert abs(far.value - difficulty.estimate(inputs).value) == pytest.approx(MOST_MOVED)


def test_a_known_model_answers_by_its_line_and_an_unknown_one_by_nothing(difficulty):
    model = org_model(difficulty)
    assert model.prob("v/m", 2.0) == pytest.approx(0.5)
    assert (model.prob("v/m", 99.0), model.prob("v/m", -99.0)) == (0.02, 0.98)
    assert model.prob("v/other", 2.0) is None


def test_what_is_written_is_read_back_to_the_same_predictions(difficulty, inputs):
    model = org_model(difficulty, u=0.0123)
    back = OrgModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert back.estimate(difficulty, inputs) == model.estimate(difficulty, inputs)
    assert back.levels == model.levels


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ({"u_f4": "no base64!"}, "no parameter"),
        ({"u_f4": base64.b64encode(b"abc").decode()}, "no parameter"),
        ({"shift": None}, "no parameter"),
        ({"shift": float("nan")}, "not finite"),
        ({"levels": {"v/m": [1.0]}}, "no parameter"),
        ({"levels": {"v/m": [1.0, -0.5]}}, "slope below 0"),
        ({"levels": 3}, "no parameter"),
        ({"base": ...}, "lacks base"),
    ],
)
def test_damaged_parameters_are_refused(difficulty, damage, sentence):
    given = {
        key: value for key, value in {**org_model(difficulty).to_dict(), **damage}.items() if value is not ...
    }
    with pytest.raises(ConfigError, match=sentence):
        OrgModel.from_dict(given)


def test_what_is_no_object_at_all_is_refused():
    with pytest.raises(ConfigError):
        OrgModel.from_dict([])


def test_another_difficulty_model_is_refused(difficulty):
    model = org_model(difficulty)
    model.require_base(difficulty)
    with pytest.raises(ConfigError, match="fit it again"):
        OrgModel("0" * 16, model.shift, model.u, model.levels).require_base(difficulty)
    with pytest.raises(ConfigError, match="fit it again"):
        OrgModel(model.base, model.shift, model.u[:-1], model.levels).require_base(difficulty)


def test_packed_inputs_take_half_the_bytes_of_half_precision_and_keep_their_values():
    rng = np.random.default_rng(7)
    embedding, features = (
        rng.normal(0.0, 0.1, 256),
        np.where(rng.random(64) < 0.3, rng.uniform(0, 12, 64), 0.0),
    )
    packed = pack_inputs(embedding, features)
    found = unpack_inputs(packed)
    assert len(packed) < 0.5 * 2 * (256 + 64)
    assert np.abs(found[:256] - embedding).max() <= 0.0045 * np.abs(embedding).max()
    assert found[256:] == pytest.approx(features, rel=1e-3)


@pytest.mark.parametrize(("dimension", "count"), [(0, 64), (256, 0), (256, 64), (255, 63), (1, 1), (0, 0)])
def test_packed_inputs_have_an_odd_number_of_bytes_whatever_their_shape(dimension, count):
    embedding, features = np.linspace(-2.0, 1.0, dimension), np.linspace(0.0, 5.0, count)
    packed = pack_inputs(embedding, features)
    assert len(packed) % 2 == 1
    assert unpack_inputs(packed) == pytest.approx(np.concatenate([embedding, features]), rel=1e-3, abs=0.01)


@pytest.mark.parametrize("largest", [1e9, 65_504.0, 1.0, 1e-7, 1e-30, 0.0])
def test_the_largest_number_of_an_embedding_stays_the_largest_and_finite(largest):
    found = unpack_inputs(pack_inputs([largest, -largest / 2, 0.0], [largest]))
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(min(largest, 65_504.0), rel=0.01, abs=1e-7)
    assert found[1] <= 0.0 == found[2]


def test_inputs_packed_in_half_precision_are_still_read():
    inputs = np.linspace(-3.0, 12.0, 320)
    assert unpack_inputs(inputs.astype("<f2").tobytes()) == pytest.approx(inputs, rel=1e-3, abs=1e-3)


def test_inputs_that_are_no_numbers_are_told_apart():
    assert np.isnan(unpack_inputs(pack_inputs([np.nan, 1.0], [2.0]))[0])
    for damaged in (pack_inputs([1.0] * 8, [3.0] * 8)[:-2], b"\1", b"abc"):
        with pytest.raises(ValueError, match="packed inputs"):
            unpack_inputs(damaged)


def test_vectors_of_another_encoder_have_another_name():
    assert inputs_id("a", 256) == inputs_id("a", 256)
    assert len({inputs_id("a", 256), inputs_id("b", 256), inputs_id("a", 128)}) == 3
