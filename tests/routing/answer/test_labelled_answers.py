"""How often the free checks are wrong, on answers labelled by hand (`labelled_answers.jsonl`)."""

import json
from collections import Counter
from pathlib import Path

import pytest

from x25.routing.answer.checks import run_checks

LABELLED = Path(__file__).with_name("labelled_answers.jsonl")
CAUGHT_BEFORE_REQUESTS_WERE_READ = 190
"""Bad answers that the same checks caught when they knew nothing of what was asked; they failed 187 good ones."""
NOT_OF_STRUCTURE = {"loop", "echo", "error_page", "gibberish"}


@pytest.fixture(scope="module")
def entries():
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if not line.startswith("#")]


def failed_check(entry):
    message = {"role": "assistant", "content": entry["answer"], **entry.get("message", {})}
    finish_reason, options = entry.get("finish_reason", "stop"), entry.get("options", {})
    is_cut = entry.get("limit") is not None
    report = run_checks(message, finish_reason, options, asked=entry["asked"], is_cut_by_limit=is_cut)
    return report.failed


def test_the_set_is_large_varied_and_without_repetitions(entries):
    counts = Counter(entry["label"] for entry in entries)
    assert counts["good"] >= 400
    assert counts["bad"] >= 200
    assert len({entry["kind"] for entry in entries}) >= 30
    assert len({json.dumps(entry, sort_keys=True) for entry in entries}) == len(entries)


def test_fewer_than_one_good_answer_in_a_hundred_fails_a_check(entries):
    good = [entry for entry in entries if entry["label"] == "good"]
    false_alarms = [(entry["kind"], entry["answer"]) for entry in good if failed_check(entry)]
    assert len(false_alarms) < 0.01 * len(good), false_alarms


def test_at_least_nine_in_ten_of_the_bad_answers_ever_caught_are_caught(entries):
    bad = [entry for entry in entries if entry["label"] == "bad"]
    missed = Counter(entry["kind"] for entry in bad if not failed_check(entry))
    caught = len(bad) - missed.total()
    assert caught >= 0.9 * CAUGHT_BEFORE_REQUESTS_WERE_READ, missed
    assert missed.keys() <= NOT_OF_STRUCTURE
