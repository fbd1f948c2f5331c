import json

import pytest

from x25.training.data.loaders.jsonl_csv import load_csv, load_jsonl

FULL = {
    "prompt_id": "p1",
    "prompt": "Add 2 and 2",
    "model_id": "vendor/small",
    "score": 0.5,
    "cost_usd": 0.001,
    "latency_s": 1.5,
    "task": "math",
}
BARE = {"prompt_id": 2, "prompt": "Hi", "model_id": "vendor/large", "score": True}


def write_jsonl(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_json_lines_hold_one_outcome_each(tmp_path):
    full, bare = load_jsonl(write_jsonl(tmp_path / "mine.jsonl", FULL, BARE))
    assert {name: getattr(full, name) for name in FULL} == FULL
    assert full.source == "jsonl:mine"
    assert full.subject_profiled
    assert (bare.prompt_id, bare.score) == ("2", 1.0)
    assert (bare.cost_usd, bare.latency_s, bare.task) == (None, None, None)


def test_csv_reads_the_same_and_an_empty_cell_is_unknown(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "task,prompt_id,prompt,model_id,score,cost_usd,latency_s\n"
        'math,p1,"Add 2, and 2",vendor/small,0.5,0.001,1.5\n'
        ",2,Hi,vendor/large,1,,\n"
    )
    full, bare = load_csv(path)
    assert {name: getattr(full, name) for name in FULL} == FULL | {"prompt": "Add 2, and 2"}
    assert full.source == "csv:mine"
    assert (bare.cost_usd, bare.latency_s, bare.task) == (None, None, None)


def test_scores_out_of_ten_are_scaled(tmp_path):
    rows = [FULL | {"score": score} for score in (2, 7, 10)]
    outcomes = load_jsonl(write_jsonl(tmp_path / "ten.jsonl", *rows))
    assert [row.score for row in outcomes] == [0.0, 0.625, 1.0]


@pytest.mark.parametrize("name", ["prompt_id", "prompt", "model_id", "score"])
def test_a_missing_field_is_named_by_line(tmp_path, name):
    lacking = {key: value for key, value in FULL.items() if key != name}
    path = write_jsonl(tmp_path / "mine.jsonl", FULL, lacking)
    with pytest.raises(ValueError, match=rf"mine\.jsonl, line 2: expected a value for {name}, got"):
        load_jsonl(path)


def test_a_negative_cost_is_named_by_line(tmp_path):
    path = write_jsonl(tmp_path / "mine.jsonl", FULL | {"cost_usd": -1})
    with pytest.raises(
        ValueError, match=r"line 1: expected cost_usd to be a finite number of at least 0, got -1"
    ):
        load_jsonl(path)


def test_a_table_without_scores_is_refused(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("prompt_id,prompt,model_id\np,Hi,m\n")
    with pytest.raises(ValueError, match=r"line 1: expected the columns \['score'\]"):
        load_csv(path)


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected at least one outcome in"):
        load_jsonl(write_jsonl(tmp_path / "empty.jsonl"))
