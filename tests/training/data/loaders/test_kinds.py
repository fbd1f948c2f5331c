from pathlib import Path

import pytest

from x25.training.data.loaders import KINDS, load, parse_dataset_argument


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_may_be_named(kind):
    assert parse_dataset_argument(f"{kind}:./dir/file") == (kind, Path("dir/file"))


def test_a_path_may_hold_colons_and_a_home():
    assert parse_dataset_argument("csv:a:b.csv") == ("csv", Path("a:b.csv"))
    assert parse_dataset_argument("csv:~/a.csv") == ("csv", Path.home() / "a.csv")


@pytest.mark.parametrize("argument", ["rows.csv", "csv:", ""])
def test_an_argument_is_a_kind_and_a_path(argument):
    with pytest.raises(ValueError, match=f"expected a dataset as kind:path, got '{argument}'"):
        parse_dataset_argument(argument)


@pytest.mark.parametrize("name", ["parse", "load"])
def test_an_unknown_kind_names_the_known_ones(name):
    calls = {"parse": lambda: parse_dataset_argument("xml:a"), "load": lambda: load("xml", Path("a"))}
    with pytest.raises(ValueError, match=r"among agentic, csv, jsonl, .*xagent-labels, got 'xml'"):
        calls[name]()


def test_a_kind_is_read_by_its_own_reader(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("prompt_id,prompt,model_id,score\np,Hi,m,1\n")
    assert [row.source for row in load(*parse_dataset_argument(f"csv:{path}"))] == ["csv:rows"]
