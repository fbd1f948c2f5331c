import json

import pytest

from x25.training.data.loaders.xagent_labels import load_xagent_labels

LABEL = {
    "prompt_sha256": "abc",
    "prompt": "Book a table",
    "candidate_model": "vendor/small",
    "category": "planning",
    "judge": {"score": 0.8, "reason": "fine"},
    "candidate_usage": {"cost": 0.002, "total_tokens": 9},
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def without(*names):
    return {name: value for name, value in LABEL.items() if name not in names}


def test_a_label_is_an_outcome(tmp_path):
    (row,) = load_xagent_labels(write(tmp_path / "labels.jsonl", LABEL))
    assert (row.prompt_id, row.prompt, row.model_id) == ("xagent:abc", "Book a table", "vendor/small")
    assert (row.score, row.cost_usd, row.latency_s, row.task) == (0.8, 0.002, None, "xagent:planning")
    assert (row.source, row.subject_profiled) == ("xagent-labels", True)


def test_labels_of_one_prompt_find_each_other_by_event_where_there_is_no_digest(tmp_path):
    event = without("prompt_sha256", "category", "candidate_usage") | {"event_id": 3, "end_event_id": 5}
    other = event | {"candidate_model": "vendor/large"}
    first, second = load_xagent_labels(write(tmp_path / "labels.jsonl", event, other))
    assert first.prompt_id == second.prompt_id == "xagent:3:5"
    assert (first.task, first.cost_usd) == ("xagent:unknown", None)


@pytest.mark.parametrize("judge", [{}, {"score": None}, {"error": "timeout"}, None])
def test_a_row_without_a_label_is_refused(tmp_path, judge):
    path = write(tmp_path / "labels.jsonl", LABEL, LABEL | {"judge": judge})
    with pytest.raises(ValueError, match=r"labels\.jsonl, line 2, judge: expected a value for score"):
        load_xagent_labels(path)


def test_a_label_outside_zero_and_one_is_refused_and_not_scaled(tmp_path):
    path = write(tmp_path / "labels.jsonl", LABEL, LABEL | {"judge": {"score": 8}})
    with pytest.raises(ValueError, match=r"line 2: expected judge.score in \[0, 1\], got 8.0"):
        load_xagent_labels(path)


@pytest.mark.parametrize("name", ["prompt", "candidate_model"])
def test_a_missing_field_is_named_by_line(tmp_path, name):
    with pytest.raises(ValueError, match=f"line 1: expected a value for {name}"):
        load_xagent_labels(write(tmp_path / "labels.jsonl", without(name)))


def test_a_judge_that_is_no_object_is_named(tmp_path):
    with pytest.raises(ValueError, match="line 1, judge: expected a JSON object, got float"):
        load_xagent_labels(write(tmp_path / "labels.jsonl", LABEL | {"judge": 0.5}))
