import csv
import pickle

import pytest

from x25.training.data.loaders.routerbench import load_routerbench

WIDE = {
    "sample_id": ["math.1", "math.2"],
    "prompt": ["['Add 2 and 2', 'Now double it']", "What is [3]?"],
    "eval_name": ["math", "math"],
    "vendor/small": [1.0, 0.0],
    "gpt": [0.25, None],
    "vendor/small|model_response": ["4", "?"],
    "vendor/small|total_cost": [0.001, 0.002],
    "gpt|total_cost": [0.5, None],
    "oracle_model_to_route_to": ["gpt", "no_model_correct"],
}
RAW = {
    "sample_id": ["math.1", "math.1"],
    "prompt": ["Add 2 and 2", "Add 2 and 2"],
    "eval_name": ["math", "math"],
    "model_name": ["vendor/small", "gpt"],
    "model_response": ["4", "5"],
    "performance": [1.0, 0.0],
    "cost": [0.001, None],
}


def write_parquet(path, columns):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    from pyarrow import parquet, table

    parquet.write_table(table(columns), path)
    return path


def write_csv(path, columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


TABLES = [(write_parquet, "table.parquet"), (write_csv, "table.csv")]


@pytest.mark.parametrize(("write", "name"), TABLES)
def test_a_wide_table_holds_an_outcome_for_each_model(tmp_path, write, name):
    outcomes = load_routerbench(write(tmp_path / name, WIDE))
    assert [(row.prompt_id, row.model_id, row.score, row.cost_usd) for row in outcomes] == [
        ("math.1", "vendor/small", 1.0, 0.001),
        ("math.1", "gpt", 0.25, 0.5),
        ("math.2", "vendor/small", 0.0, 0.002),
    ]
    assert outcomes.skipped == {"no score": 1}
    assert {(row.task, row.source) for row in outcomes} == {("math", "routerbench")}


@pytest.mark.parametrize(("write", "name"), TABLES)
def test_the_raw_table_holds_an_outcome_a_row(tmp_path, write, name):
    outcomes = load_routerbench(write(tmp_path / name, RAW))
    assert [(row.model_id, row.score, row.cost_usd) for row in outcomes] == [
        ("vendor/small", 1.0, 0.001),
        ("gpt", 0.0, None),
    ]


def test_turns_written_out_as_a_list_stand_on_lines_of_their_own(tmp_path):
    rows = list(load_routerbench(write_csv(tmp_path / "table.csv", WIDE)))
    assert [rows[0].prompt, rows[2].prompt] == ["Add 2 and 2\nNow double it", "What is [3]?"]


@pytest.mark.parametrize("prompt", ["[1, 2] plus [3]: what is it?", "[1, 2, 3]", "[" * 5_000])
def test_a_prompt_that_begins_with_a_bracket_stays_as_it_is(tmp_path, prompt):
    columns = {name: values[:1] for name, values in WIDE.items()} | {"prompt": [prompt]}
    assert {row.prompt for row in load_routerbench(write_csv(tmp_path / "table.csv", columns))} == {prompt}


def test_turns_in_a_parquet_list_are_joined(tmp_path):
    columns = WIDE | {"prompt": [["One", "Two"], ["Three"]]}
    rows = list(load_routerbench(write_parquet(tmp_path / "table.parquet", columns)))
    assert [rows[0].prompt, rows[2].prompt] == ["One\nTwo", "Three"]


def test_not_a_number_in_parquet_is_an_empty_score(tmp_path):
    columns = WIDE | {"gpt": [float("nan"), 1.0], "gpt|total_cost": [0.1, float("nan")]}
    outcomes = load_routerbench(write_parquet(tmp_path / "table.parquet", columns))
    assert outcomes.skipped == {"no score": 1}
    assert [row.cost_usd for row in outcomes if row.model_id == "gpt"] == [None]


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").mkdir, ())

    path = tmp_path / "routerbench_0shot.pkl"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(
        ValueError, match=r"expected a \.parquet or \.csv table, got the pickle .*: convert it"
    ):
        load_routerbench(path)
    assert not (tmp_path / "sprung").exists()


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected a \.parquet or \.csv table, got .*table\.xlsx"):
        load_routerbench(tmp_path / "table.xlsx")


@pytest.mark.parametrize(("write", "name"), TABLES)
def test_a_missing_column_is_named(tmp_path, write, name):
    columns = {key: values for key, values in WIDE.items() if key != "sample_id"}
    with pytest.raises(ValueError, match=r"expected the columns \['sample_id'\]"):
        load_routerbench(write(tmp_path / name, columns))


def test_a_table_without_models_is_refused(tmp_path):
    columns = {name: WIDE[name] for name in ("sample_id", "prompt", "eval_name", "gpt|total_cost")}
    with pytest.raises(ValueError, match="line 2: expected a score column for each model"):
        load_routerbench(write_csv(tmp_path / "table.csv", columns))


def test_a_score_that_is_no_number_is_named_by_row(tmp_path):
    columns = WIDE | {"gpt": ["good", "bad"]}
    with pytest.raises(
        ValueError, match=r"table\.parquet, row 1: expected gpt to be a finite number, got 'good'"
    ):
        load_routerbench(write_parquet(tmp_path / "table.parquet", columns))
