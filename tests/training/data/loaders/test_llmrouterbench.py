import io
import json
import tarfile

import pytest

from x25.training.data.loaders.llmrouterbench import load_llmrouterbench


def record(prompt, score=1.0, **fields):
    return {
        "origin_query": prompt,
        "prompt": prompt,
        "score": score,
        "cost": 0.001,
        "prediction": "x",
    } | fields


def run(*records, **fields):
    """Return a result file as the benchmark writes it."""
    return {"performance": 0.5, "demo": False, "records": list(records)} | fields


def write_folder(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def write_archive(root, files):
    path = root / "bench.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = (content if isinstance(content, str) else json.dumps(content)).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


WRITERS = [write_folder, write_archive]
FILES = {
    f"results/bench/{task}/test/{model}/{task}-test-{model}-20260101_000000.json": run(
        *(record(f"{task} {number}", float(number % 2)) for number in range(6)),
        model_name=model,
        dataset_name=task,
        split="test",
    )
    for task in ("math", "code")
    for model in ("small", "mid", "large")
}


def rows_of(outcomes):
    return {(row.prompt_id, row.model_id, row.task, row.score, row.cost_usd) for row in outcomes}


def name_of(stamp, model="small"):
    return f"bench/math/test/{model}/math-test-{model}-{stamp}.json"


@pytest.mark.parametrize("write", WRITERS)
def test_every_record_is_an_outcome(tmp_path, write):
    outcomes = load_llmrouterbench(write(tmp_path, FILES))
    assert str(outcomes.counts()) == "36 rows, 12 prompts, 3 subjects"
    row = next(row for row in outcomes if row.prompt == "math 3" and row.model_id == "mid")
    assert (row.score, row.cost_usd, row.task, row.source) == (1.0, 0.001, "math", "llmrouterbench")
    assert len({row.prompt_id for row in outcomes if row.prompt == "math 3"}) == 1


def test_an_archive_and_its_folder_hold_the_same(tmp_path):
    assert rows_of(load_llmrouterbench(write_archive(tmp_path, FILES))) == rows_of(
        load_llmrouterbench(write_folder(tmp_path / "unpacked", FILES))
    )


def test_an_archive_is_not_unpacked(tmp_path):
    path = write_archive(tmp_path, {"../../bench/math/test/m/run.json": run(record("Add"))})
    assert [row.model_id for row in load_llmrouterbench(path)] == ["m"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "task", "model"),
    [
        ("results/bench/math/test/vendor/small/run.json", "math", "vendor/small"),
        ("bench-release/math/dev/small/run.json", "math", "small"),
        ("bench-release/math/small/run.json", "math", "small"),
        ("math/test/small/run.json", "math", "small"),
        ("math/small/run.json", "math", "small"),
    ],
)
def test_the_folders_say_task_and_model(tmp_path, name, task, model):
    (row,) = load_llmrouterbench(write_folder(tmp_path, {name: [record("Add")]}))
    assert (row.task, row.model_id) == (task, model)


def test_the_file_knows_better_than_the_folders_and_the_record_better_than_the_file(tmp_path):
    own = record("Sub", model_id="own", dataset="algebra", prompt_id="own-1")
    content = run(record("Add"), own, model_name="vendor/small", dataset_name="arithmetic")
    first, second = load_llmrouterbench(write_folder(tmp_path, {"bench/math/test/small/run.json": content}))
    assert (first.model_id, first.task) == ("vendor/small", "arithmetic")
    assert (second.model_id, second.task, second.prompt_id) == ("own", "algebra", "own-1")


def test_json_lines_and_the_original_query_are_read(tmp_path):
    lines = '{"origin_query": "Add\u2028two", "score": 1}\n\n{"origin_query": "Sub", "score": 0}\n'
    outcomes = load_llmrouterbench(write_folder(tmp_path, {"bench/math/test/small/sample.jsonl": lines}))
    assert [(row.prompt, row.score, row.cost_usd) for row in outcomes] == [
        ("Add\u2028two", 1.0, None),
        ("Sub", 0.0, None),
    ]


def test_one_text_in_two_tasks_is_two_prompts(tmp_path):
    files = {f"bench/{task}/test/m/run.json": [record("Same")] for task in ("a", "b")}
    assert load_llmrouterbench(write_folder(tmp_path, files)).counts().prompts == 2


def test_only_the_newest_run_of_a_model_counts(tmp_path):
    files = {
        name_of("20260101_000000"): run(record("Add", 0.0)),
        name_of("20260102_000000"): run(record("Add", 1.0)),
        name_of("20250101_000000", "large"): run(record("Add", 0.5)),
    }
    outcomes = load_llmrouterbench(write_folder(tmp_path, files))
    assert {(row.model_id, row.score) for row in outcomes} == {("small", 1.0), ("large", 0.5)}
    assert outcomes.skipped == {"older run": 1}


def test_demo_runs_and_records_without_a_score_are_skipped_and_counted(tmp_path):
    files = {
        name_of("20260101_000000"): run(record("Add"), record("Sub", None)),
        name_of("20260101_000000", "large"): run(record("Add"), record("Sub"), demo=True),
    }
    outcomes = load_llmrouterbench(write_folder(tmp_path, files))
    assert outcomes.skipped == {"no score": 1, "demo run": 2}
    assert [row.model_id for row in outcomes] == ["small"]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.json", "{", r":bench/math/test/m/run\.json: expected JSON"),
        ("run.json", "3", r"run\.json: expected a JSON object, got int"),
        ("run.json", {"score": 1}, r"run\.json: expected a value for records"),
        ("run.json", {"records": {"a": 1}}, r"run\.json: expected records to be a list, got dict"),
        ("run.json", [record("Add"), 7], r"run\.json, record 2: expected a JSON object, got int"),
        ("run.json", [record("Add"), {"score": 1}], r"record 2: expected a value for prompt or origin_query"),
        ("run.json", [record("Add", "good")], r"record 1: expected score to be a finite number, got 'good'"),
        (
            "run.json",
            [record("Add", cost=-1)],
            r"record 1: expected cost_usd to be a finite number of at least 0",
        ),
        (
            "run.jsonl",
            '{"prompt": "a", "score": 1}\n[]\n',
            r"run\.jsonl, line 2: expected a JSON object, got list",
        ),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_record(tmp_path, write, name, content, message):
    path = write(tmp_path, {f"bench/math/test/m/{name}": content})
    with pytest.raises(ValueError, match=message):
        load_llmrouterbench(path)


def test_a_file_that_says_no_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="record 1: expected a value for dataset or dataset_name"):
        load_llmrouterbench(write_folder(tmp_path, {"run.json": [record("Add")]}))


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = write_folder(tmp_path, {"bench/math/test/m/run.json": ""})
    (path / "bench/math/test/m/run.json").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"run\.json: expected UTF-8 text"):
        load_llmrouterbench(path)


def test_a_path_that_holds_no_results_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="found nothing"):
        load_llmrouterbench(tmp_path / "absent")
    with pytest.raises(ValueError, match="expected at least one outcome in"):
        load_llmrouterbench(tmp_path)
    (tmp_path / "bench.zip").write_bytes(b"PK" * 600)
    with pytest.raises(ValueError, match=r"expected a folder or a \.tar\.gz archive at .*bench\.zip"):
        load_llmrouterbench(tmp_path / "bench.zip")


def test_an_archive_that_was_cut_off_is_refused(tmp_path):
    path = write_archive(tmp_path, FILES)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"expected a folder or a \.tar\.gz archive at"):
        load_llmrouterbench(path)
