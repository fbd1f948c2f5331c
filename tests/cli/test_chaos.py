import json

import pytest
from typer.testing import CliRunner

from x25.bench.chaos import Result, Trial
from x25.cli import app

KEPT = Result(Trial("500", False, "first", 0), 200, "answered", 3, 0.2, True, True, ())
BROKEN = Result(Trial("500", True, "all", 1), 200, "silent", 3, 0.2, False, True, ("ended without a word",))


@pytest.fixture
def results(monkeypatch):
    found = []
    monkeypatch.setattr("x25.bench.chaos.run", lambda folder, chosen: iter(found))
    return found


def invoke(*arguments):
    return CliRunner().invoke(app, ["chaos", *arguments])


def test_kept_promises_are_told_in_a_table(results):
    results.append(KEPT)
    told = invoke()
    assert (told.exit_code, "1 trials (simulated), 0 broken promises" in told.output) == (0, True)


def test_a_broken_promise_is_an_exit_code_and_named(results):
    results += [KEPT, BROKEN]
    told = invoke("--json")
    assert told.exit_code == 1
    rows = [json.loads(line) for line in told.output.splitlines()]
    assert [row["broken"] for row in rows] == [[], ["ended without a word"]]


def test_a_fault_that_nobody_knows_is_refused(results):
    told = invoke("--fault", "5000")
    assert (told.exit_code, "unknown fault" in told.output) == (2, True)
