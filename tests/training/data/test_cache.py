import numpy as np

from x25.training.data.cache import kept


def test_an_array_is_made_once_and_read_back_the_same(tmp_path):
    made = []

    def make():
        made.append(1)
        return np.arange(5.0, dtype=np.float32)

    first, second = (kept(tmp_path / "new", lambda: "five", make) for _ in range(2))
    assert np.array_equal(first, second)
    assert first.dtype == second.dtype == np.float32
    assert len(made) == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == [
        "five.npy"
    ]  # nothing half written is left


def test_another_name_is_another_array(tmp_path):
    assert kept(tmp_path, lambda: "one", lambda: np.array([1])) == 1
    assert kept(tmp_path, lambda: "other", lambda: np.array([2])) == 2


def test_without_a_folder_nothing_is_kept_and_no_name_is_made():
    def no_name():
        raise AssertionError

    assert kept(None, no_name, lambda: np.ones(2)).tolist() == [1.0, 1.0]
