import json
import stat
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from x25.graph.training_folders import FILES, part_of
from x25.state.gathering import Gathering
from x25.state.improvements import Improvement
from x25.training.finetune import folder as module
from x25.training.finetune.folder import write_folder
from x25.training.finetune.gather import gather

NOON = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Improvement("acme", "0123456789ab", "running", NOON, NOON, None, {}, "writing", 0, 0)
WANTED = Gathering(min_examples=2)


@pytest.fixture
async def gathered(store, saver, answered, quiet):
    for number in range(12):
        await answered(f"Prompt {number}: a@example.com", f"Answer {number} \ud800 é")
    return await gather(store, saver, "acme", WANTED, quiet)


async def test_a_folder_holds_alpaca_rows_a_manifest_that_proves_them_scripts_and_a_card(tmp_path, gathered):
    folder = tmp_path / "improve" / "acme" / JOB.job_id
    manifest = write_folder(folder, JOB, WANTED, gathered)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    for name, facts in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert (sha256(data).hexdigest(), len(data)) == (facts["sha256"], facts["bytes"]), name
    rows = [
        json.loads(line)
        for name in ("train.jsonl", "held_out.jsonl")
        for line in (folder / name).read_text("utf-8").splitlines()
    ]
    assert len(rows) == 12 == sum(manifest["examples"].values())
    assert all(set(row) == {"instruction", "input", "output"} for row in rows)
    assert manifest["quality"]["lowest"] > 0.7
    assert manifest["personal_data"] == {"rule": "redact", "replaced": {"email": 12}}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("train_unsloth.py", "train_peft.py"):
        compile((folder / name).read_text(), name, "exec")
    card = (folder / "README.md").read_text()
    assert "| v/m | 12 |" in card
    assert "unsloth/Llama-3.2-3B-Instruct" in card


async def test_what_is_stopped_in_the_middle_leaves_no_folder_and_is_written_anew(
    tmp_path, gathered, monkeypatch
):
    folder = tmp_path / "acme" / JOB.job_id

    def stop(_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "card", stop)
        with pytest.raises(KeyboardInterrupt):
            write_folder(folder, JOB, WANTED, gathered)
    assert not folder.exists()
    part = part_of(folder)
    (part / "left-over").write_text("x") if part.exists() else part.mkdir(parents=True)
    write_folder(folder, JOB, WANTED, gathered)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert not part.exists()


async def test_a_job_that_is_done_twice_replaces_its_folder(tmp_path, gathered):
    folder = tmp_path / JOB.job_id
    first = write_folder(folder, JOB, WANTED, gathered)
    (folder / "train.jsonl").write_text("broken")
    assert write_folder(folder, JOB, WANTED, gathered) == first
    assert (folder / "train.jsonl").read_text("utf-8") != "broken"
