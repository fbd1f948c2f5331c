import pytest

from x25.training.data.loaders.recorded import load_recorded

pytest.importorskip("pyarrow", reason="needs the train extra")

PROMPTS = {"prompt_id": ["p", "q"], "group": ["g", None], "prompt": ["Hi", "Bye"], "n_models": [2, 1]}
OUTCOMES = {
    "prompt_id": ["p", "p", "q"],
    "task_type": ["qa", "qa", "code"],
    "model": ["small", "large", "small"],
    "score": [0.0, 1.0, 0.5],
    "cost_usd": [0.001, None, 0.002],
    "cost_basis": ["x", "y", "z"],
}


def write(data_dir, source, prompts=PROMPTS, outcomes=OUTCOMES):
    from pyarrow import parquet, table

    for folder, columns in (("prompts", prompts), ("outcomes", outcomes)):
        (data_dir / folder).mkdir(exist_ok=True)
        parquet.write_table(table(columns), data_dir / folder / f"{source}.parquet")


def renamed(columns, prefix):
    return columns | {"prompt_id": [prefix + name for name in columns["prompt_id"]]}


def test_outcomes_are_joined_to_their_prompts(tmp_path):
    write(tmp_path, "bench")
    outcomes = load_recorded(tmp_path)
    assert [(row.prompt_id, row.prompt, row.model_id, row.score) for row in outcomes] == [
        ("p", "Hi", "small", 0.0),
        ("p", "Hi", "large", 1.0),
        ("q", "Bye", "small", 0.5),
    ]
    assert [(row.cost_usd, row.task, row.source) for row in outcomes] == [
        (0.001, "qa", "bench"),
        (None, "qa", "bench"),
        (0.002, "code", "bench"),
    ]


def test_all_sources_are_read_with_their_groups_kept_apart(tmp_path):
    write(tmp_path, "one")
    write(tmp_path, "two", renamed(PROMPTS, "2"), renamed(OUTCOMES, "2"))
    outcomes = load_recorded(tmp_path)
    assert (outcomes.counts().rows, outcomes.counts().prompts) == (6, 4)
    assert outcomes.groups == {"p": "one:g", "2p": "two:g"}
    assert {row.source for row in load_recorded(tmp_path, sources=["two"])} == {"two"}


def test_each_source_is_on_its_own_scale(tmp_path):
    write(tmp_path, "one")
    write(tmp_path, "two", renamed(PROMPTS, "2"), renamed(OUTCOMES, "2") | {"score": [0.0, 10.0, 5.0]})
    assert [row.score for row in load_recorded(tmp_path)] == [0.0, 1.0, 0.5] * 2


def test_an_outcome_of_an_unknown_prompt_is_named_by_row(tmp_path):
    write(tmp_path, "bench", outcomes=OUTCOMES | {"prompt_id": ["p", "p", "x"]})
    with pytest.raises(
        ValueError, match=r"bench\.parquet, row 3: expected a prompt_id of the table of prompts, got 'x'"
    ):
        load_recorded(tmp_path)


@pytest.mark.parametrize(("part", "column"), [("prompts", "group"), ("outcomes", "score")])
def test_a_missing_column_is_named(tmp_path, part, column):
    tables = {"prompts": PROMPTS, "outcomes": OUTCOMES}
    tables[part] = {name: values for name, values in tables[part].items() if name != column}
    write(tmp_path, "bench", **tables)
    with pytest.raises(ValueError, match=rf"{part}/bench\.parquet: expected the columns \['{column}'\]"):
        load_recorded(tmp_path)


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="found no parquet file"):
        load_recorded(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"expected recorded outcomes at .*bench\.parquet"):
        load_recorded(tmp_path, sources=["bench"])
