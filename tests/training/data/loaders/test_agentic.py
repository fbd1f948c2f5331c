import json

import pytest

from x25.training.data.loaders.agentic import load_agentic
from x25.training.fit.corpus import Labels, corpus_of

TASKS = [
    {"task_id": "fix-git", "problem_statement": "Repair the repository"},
    {"task_id": "chess", "problem_statement": "Find the best move"},
]
RESPONSES = [
    {"subject_id": "agent_a", "responses": {"fix-git": 1, "chess": 0}},
    {"subject_id": "agent_b", "responses": {"fix-git": True, "chess": False}},
]


def write_lines(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def dataset(tmp_path, responses=RESPONSES, tasks=TASKS):
    """Return a dataset folder named bench."""
    write_lines(tmp_path / "bench" / "tasks.jsonl", tasks)
    return write_lines(tmp_path / "bench" / "responses.jsonl", responses).parent


def one(response):
    return [{"subject_id": "agent", "responses": {"fix-git": response}}]


def test_each_response_to_a_task_is_an_outcome(tmp_path):
    outcomes = load_agentic(dataset(tmp_path))
    assert [(row.prompt_id, row.prompt, row.model_id, row.score) for row in outcomes] == [
        ("agentic:bench:fix-git", "Repair the repository", "agent_a", 1.0),
        ("agentic:bench:chess", "Find the best move", "agent_a", 0.0),
        ("agentic:bench:fix-git", "Repair the repository", "agent_b", 1.0),
        ("agentic:bench:chess", "Find the best move", "agent_b", 0.0),
    ]
    assert {(row.task, row.source) for row in outcomes} == {("bench", "agentic:bench")}


def test_agents_tell_how_hard_a_task_is_and_nothing_about_models(tmp_path):
    outcomes = load_agentic(dataset(tmp_path))
    assert not any(row.subject_profiled for row in outcomes)
    corpus = corpus_of(outcomes)
    found = corpus.difficulty_targets(Labels(least_models=2))
    targets = dict(zip(corpus.prompt_ids, found, strict=True))
    assert targets["agentic:bench:chess"] > 0 > targets["agentic:bench:fix-git"]


def test_several_trials_score_the_share_that_succeeded(tmp_path):
    responses = [
        {"subject_id": "a", "responses": {"fix-git": {"successes": 3, "trials": 4}}},
        {"subject_id": "b", "responses": {"fix-git": {"successes": 0, "trials": 0}}},
    ]
    outcomes = load_agentic(dataset(tmp_path, responses))
    assert [row.score for row in outcomes] == [0.75]
    assert outcomes.skipped == {"no trials": 1}


def test_responses_may_be_written_out_as_a_python_dict(tmp_path):
    responses = [{"subject_id": "a", "responses": "{'fix-git': 1, 'chess': 0}"}]
    assert [row.score for row in load_agentic(dataset(tmp_path, responses))] == [1.0, 0.0]


def test_tasks_without_text_are_skipped_and_counted(tmp_path):
    tasks = [TASKS[0], {"task_id": "chess", "problem_statement": None}]
    outcomes = load_agentic(dataset(tmp_path, tasks=tasks))
    assert {row.prompt for row in outcomes} == {"Repair the repository"}
    assert outcomes.skipped == {"no task text": 2}


def test_texts_may_come_from_elsewhere_under_the_name_of_instances(tmp_path):
    responses = write_lines(tmp_path / "bench" / "responses.jsonl", RESPONSES)
    rows = [{"instance_id": "chess", "problem_statement": "Find the best move", "repo": "x/y"}]
    texts = write_lines(tmp_path / "texts.jsonl", rows)
    for path in (responses, responses.parent):
        outcomes = load_agentic(path, tasks=texts)
        assert {row.prompt_id for row in outcomes} == {"agentic:bench:chess"}


def test_no_file_of_texts_says_what_to_give(tmp_path):
    responses = write_lines(tmp_path / "bench" / "responses.jsonl", RESPONSES)
    with pytest.raises(
        FileNotFoundError, match=r"text of the tasks at .*tasks\.jsonl.*name a file .* with tasks="
    ):
        load_agentic(responses.parent)


def test_no_text_at_all_says_how_much_was_skipped(tmp_path):
    with pytest.raises(ValueError, match=r"at least one outcome in .*skipped: {'no task text': 4}"):
        load_agentic(dataset(tmp_path, tasks=[]))


@pytest.mark.parametrize("response", [2, -1, {"successes": 3, "trials": 2}])
def test_an_impossible_result_names_the_line_and_the_task(tmp_path, response):
    with pytest.raises(
        ValueError, match=r"responses\.jsonl, line 1: expected task 'fix-git' to be 0, 1 or successes"
    ):
        load_agentic(dataset(tmp_path, one(response)))


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        ([{"responses": {"chess": 1}}], "line 1: expected a value for subject_id"),
        ([{"subject_id": "a"}], "line 1: expected a value for responses"),
        (
            [{"subject_id": "a", "responses": "open('x')"}],
            "line 1: expected responses to be a mapping of tasks",
        ),
        ([{"subject_id": "a", "responses": [1]}], "line 1, responses: expected a JSON object, got list"),
        (one("yes"), "line 1: expected fix-git to be a finite number, got 'yes'"),
        (one({"successes": 1}), "line 1, task 'fix-git': expected a value for trials"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, responses, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        load_agentic(dataset(tmp_path, responses))
