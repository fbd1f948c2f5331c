import sys

import pytest

from x25.training.data.parquet import read_columns, write_rows

ROWS = [
    {"prompt_id": "p1", "score": 0.5, "cost_usd": None},
    {"prompt_id": "p2", "score": 1.0, "cost_usd": 0.25},
]


def test_what_is_written_is_read_back_column_by_column(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    path = tmp_path / "new" / "rows.parquet"
    write_rows(path, ROWS)
    assert read_columns(path) == {"prompt_id": ["p1", "p2"], "score": [0.5, 1.0], "cost_usd": [None, 0.25]}
    assert read_columns(path, ["score"]) == {"score": [0.5, 1.0]}


def test_a_file_that_is_not_there_is_named(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    with pytest.raises(FileNotFoundError, match=r"expected recorded outcomes at .*rows\.parquet"):
        read_columns(tmp_path / "rows.parquet")


def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "pyarrow.parquet", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'x25\[train\]'"):
        read_columns(tmp_path / "rows.parquet")
