import json
from dataclasses import replace

import pytest

from x25.state.errors import ConfigError
from x25.state.store import open_store
from x25.training.data.loaders.jsonl_csv import load_jsonl
from x25.training.org.export_log import export_log


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def record(store, *calls):
    for call in calls:
        await store.calls.record(call, {"n": 1})


async def test_rows_are_read_back_by_the_loader_with_one_id_a_prompt(store, org_log, tmp_path):
    log = org_log(count=4)
    kept = [replace(call, prompt=f"prompt {number // 2}\nü") for number, call in enumerate(log)]
    await record(store, *kept)
    written = await export_log(store, "acme", tmp_path / "deep" / "rows.jsonl")
    assert (written.rows, written.skipped) == (4, {})
    rows = load_jsonl(tmp_path / "deep" / "rows.jsonl").outcomes
    assert [row.model_id for row in rows] == [call.decision["model_id"] for call in log]
    assert rows[0].prompt == "prompt 0\nü"
    assert (rows[0].prompt_id == rows[1].prompt_id, rows[1].prompt_id == rows[2].prompt_id) == (True, False)
    assert rows[0].cost_usd == pytest.approx(1e-9)


async def test_the_first_answer_is_the_row_and_its_own_cost_unknown_after_an_escalation(
    store, org_log, tmp_path
):
    call = org_log(count=1)[0]
    await record(store, replace(call, prompt="hard", model_id="v/other", cascade_steps=2, quality_score=0.99))
    await export_log(store, "acme", tmp_path / "rows.jsonl")
    row = json.loads((tmp_path / "rows.jsonl").read_text())
    assert (row["model_id"], row["score"]) == (
        call.decision["model_id"],
        call.decision["first_verdict"]["score"],
    )
    assert "cost_usd" not in row


async def test_what_nobody_looked_at_is_left_out_and_counted(store, org_log, tmp_path):
    log = [replace(call, prompt="p") for call in org_log(count=3)]
    unseen = {**log[1].decision, "first_verdict": {"source": "estimate", "bin": None, "score": 0.8}}
    silent = {**log[2].decision, "first_verdict": None}
    await record(store, log[0], replace(log[1], decision=unseen), replace(log[2], decision=silent))
    written = await export_log(store, "acme", tmp_path / "rows.jsonl")
    assert written.rows == 1
    assert written.skipped == {"nobody looked at the first answer": 1, "first model did not answer": 1}


async def test_a_failed_check_is_a_row_with_score_zero(store, org_log, tmp_path):
    (call,) = org_log(count=1)
    failed = {"source": "checks", "outcome": "failed_check", "bin": None, "score": 0.0, "judge_model": None}
    decision = {**call.decision, "first_verdict": failed}
    await record(store, replace(call, prompt="p", decision=decision))
    assert (await export_log(store, "acme", tmp_path / "rows.jsonl")).rows == 1
    assert json.loads((tmp_path / "rows.jsonl").read_text())["score"] == 0.0


async def test_another_orgs_rows_and_prompts_not_stored_are_not_written(store, org_log, tmp_path):
    call = org_log(count=1)[0]
    await record(store, call, replace(call, org="umbrella", prompt="secret"))
    with pytest.raises(ConfigError, match="X25_STORE_PROMPTS"):
        await export_log(store, "acme", tmp_path / "rows.jsonl")
    assert not (tmp_path / "rows.jsonl").exists()
