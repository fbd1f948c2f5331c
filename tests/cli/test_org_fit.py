import asyncio
import json

import numpy as np
import pytest

from x25.graph.estimators import load_difficulty
from x25.routing.belief.org_model import KIND, Line, OrgModel, base_id
from x25.state.store import open_store


def in_store(home, work):
    async def run():
        async with await open_store(f"sqlite+aiosqlite:///{home}/.x25/x25.db") as store:
            return await work(store)

    return asyncio.run(run())


def put_live(home, shift=1.0):
    difficulty = load_difficulty()
    u = np.zeros(len(difficulty.head.coef), dtype=np.float32)
    model = OrgModel(base_id(difficulty), shift, u, {"sim/tiny-1": Line(0.0, 0.5)})

    async def work(store):
        candidate = await store.artifacts.add_candidate("default", KIND, json.dumps(model.to_dict()), {})
        await store.artifacts.go_live(candidate, {}, {})

    in_store(home, work)


def test_few_calls_are_counted_and_nothing_is_fitted(x25, routed):
    routed("What is 17 * 23?")
    result = x25("train", "--from-log", "default")
    assert result.exit_code == 0, result.stderr
    assert "1 first answers" in result.stdout
    assert "too few calls: nothing written" in result.stdout


@pytest.mark.usefixtures("empty_store")
def test_a_refit_is_printed_as_one_json_document(x25, home):
    result = x25("train", "--from-log", "acme", "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["org"], found["decision"], found["version"], found["answers"]) == (
        "acme",
        "too few calls",
        None,
        0,
    )


def test_a_live_version_changes_what_is_predicted_until_it_is_rolled_back(x25, routed, home):
    def difficulty():
        call_id = routed("What is 17 * 23?")["call_id"]
        return in_store(home, lambda store: store.calls.get("default", call_id)).difficulty

    before = difficulty()
    put_live(home)
    assert difficulty() == pytest.approx(before + 1.0, abs=2e-4)
    result = x25("train", "--rollback", "default")
    assert result.exit_code == 0, result.stderr
    assert "the bundled estimators serve org default again" in result.stderr
    assert difficulty() == before


@pytest.mark.usefixtures("empty_store")
def test_a_rollback_without_a_live_version_is_one_sentence(x25, home):
    result = x25("train", "--rollback", "default")
    assert (result.exit_code, "error " in result.stderr) == (1, True)
    assert "the bundled estimators serve it" in result.stderr


def test_the_log_is_exported_as_rows_that_train_reads(x25, routed, home, monkeypatch):
    from x25.training.data.loaders.jsonl_csv import load_jsonl

    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    prompts = [f"What is {number} * 23?" for number in range(4)]
    for prompt in (*prompts, prompts[0]):
        routed(prompt, "--router", "x25-classic")
    result = x25("train", "--export-log", "default", "--output", home / "rows.jsonl", "--json")
    assert result.exit_code == 0, result.stderr
    rows = load_jsonl(home / "rows.jsonl").outcomes
    assert len(rows) == json.loads(result.stdout)["rows"] > 0
    assert {row.prompt for row in rows} <= set(prompts)


def test_without_stored_prompts_the_export_says_what_would_store_them(x25, routed, home):
    routed("What is 17 * 23?")
    result = x25("train", "--export-log", "default", "--output", home / "rows.jsonl")
    assert result.exit_code == 1
    assert "X25_STORE_PROMPTS=true" in result.stderr
    assert not (home / "rows.jsonl").exists()


@pytest.mark.parametrize(
    "arguments", [(), ("--from-log", "a", "--rollback", "a"), ("--dataset", "synthetic:1", "--rollback", "a")]
)
def test_one_thing_at_a_time_is_asked_of_train(x25, arguments):
    result = x25("train", *arguments)
    assert result.exit_code == 2
    assert "--from-log" in result.stderr


def test_the_free_verifier_is_fitted_along_and_its_outcome_told(x25, routed):
    routed("What is 17 * 23?")
    printed = x25("train", "--from-log", "default")
    assert "free verifier: too few answers, " in printed.stdout
    found = json.loads(x25("train", "--from-log", "default", "--json").stdout)
    assert found["verifier"]["decision"] == "too few answers"
    assert found["verifier"]["version"] is None
