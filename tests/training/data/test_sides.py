import numpy as np
import pytest

from x25.training.data.design import design_matrix
from x25.training.data.recorded import is_held_out, read_recorded
from x25.training.data.sides import Folders


@pytest.fixture
def folders(answered, no_encoder):
    return Folders(answered, None, no_encoder)


def test_without_a_test_folder_one_group_in_five_is_held_out(folders):
    train, test = folders.sides("made")
    assert not is_held_out(train.recorded.groups).any()
    assert is_held_out(test.recorded.groups).all()
    assert len(train.recorded) + len(test.recorded) == 600


def test_a_split_of_ones_own_is_taken(folders):
    train, test = folders.sides("made", lambda recorded: recorded.datasets == "tales")
    assert set(train.recorded.datasets) == {"sums"}
    assert set(test.recorded.datasets) == {"tales"}


def test_with_a_test_folder_nothing_is_held_out_of_train(answered, no_encoder):
    train, test = Folders(answered, answered, no_encoder).sides("made")
    assert len(train.recorded) == len(test.recorded) == 600


def test_inputs_stay_beside_their_prompts(folders, answered, no_encoder):
    recorded = read_recorded(answered, "made")
    whole = design_matrix(recorded.prompts, no_encoder)
    side = folders.read(answered, "made").take([7, 3])
    assert side.recorded.prompt_ids.tolist() == recorded.prompt_ids[[7, 3]].tolist()
    assert np.array_equal(side.design, whole[[7, 3]])
    assert len(side.take(np.array([True, False])).design) == 1


def test_what_was_computed_is_kept(answered, no_encoder, tmp_path):
    Folders(answered, None, no_encoder, tmp_path).sides("made")
    assert len(list(tmp_path.iterdir())) == 1
