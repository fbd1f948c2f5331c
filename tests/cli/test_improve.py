import json
import sqlite3
from pathlib import Path

import pytest


@pytest.fixture
def grown(home, routed, monkeypatch):
    """An org of three good calls that counts as having made five hundred."""
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    monkeypatch.setenv("X25_JUDGE", "none")
    for number in range(3):
        routed(f"What is {number} plus 2?", "--org", "acme", "--optimize-for", "quality-first")
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        database.execute("UPDATE orgs SET call_count = 500 WHERE org = 'acme'")
    return home


@pytest.mark.usefixtures("empty_store")
def test_an_org_before_stage_four_is_told_how_many_calls_are_missing(x25):
    refused = x25("improve", "acme")
    assert refused.exit_code == 1
    assert "500 more calls are needed" in refused.stderr


def test_a_folder_is_gathered_listed_and_deleted(x25, grown):
    done = x25("improve", "acme", "--min-examples", 2, "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert sum(found["examples"].values()) == 3
    assert (Path(found["folder"]) / "train_unsloth.py").is_file()
    assert found["folder"].startswith(str(grown / ".x25" / "improve" / "acme"))
    (job,) = json.loads(x25("improve", "jobs", "acme", "--json").stdout)
    assert (job["status"], job["job_id"]) == ("done", found["job_id"])
    shown = x25("improve", "run", "acme", "--min-examples", 2)
    assert "examples to train on" in shown.stdout
    assert json.loads(x25("improve", "delete", "acme", "--json").stdout) == {"org": "acme", "folders": 2}
    assert list((grown / ".x25" / "improve" / "acme").iterdir()) == []


def test_too_few_examples_end_it_with_the_reason(x25, grown):
    refused = x25("improve", "acme", "--json")
    assert refused.exit_code == 1
    assert "50 are needed" in json.loads(refused.stdout)["detail"]
    assert x25("improve", "acme", "--personal-data", "hide").exit_code == 1


def test_opting_out_closes_it_until_that_is_undone(x25, grown):
    x25("improve", "opt-out", "acme")
    assert "opted out" in x25("improve", "acme").stderr
    x25("improve", "opt-out", "acme", "--undo")
    assert x25("improve", "acme", "--min-examples", 2).exit_code == 0


def test_deleting_an_orgs_checkpoints_deletes_its_folders_too(x25, grown):
    folder = json.loads(x25("improve", "acme", "--min-examples", 2, "--json").stdout)["folder"]
    x25("checkpoints", "delete", "--org", "acme")
    assert not Path(folder).exists()


def test_a_model_is_registered_used_and_unregistered(x25, routed, simulator):
    named = ("own/m", "--url", simulator.url, "--name", "sim/xlarge-6")
    added = x25("improve", "register", "acme", *named, "--json")
    assert added.exit_code == 0, added.stderr
    assert json.loads(added.stdout) == {
        "org": "acme",
        "model_id": "own/m",
        "registered": True,
        "is_new": True,
    }
    assert routed("What is 2 plus 2?", "--org", "acme", "--router", "own/m")["model_used"] == "own/m"
    assert (
        x25("improve", "register", "acme", "own/m", "--url", simulator.url, "--name", "nobody").exit_code == 1
    )
    assert x25("improve", "unregister", "acme", "own/m").exit_code == 0
    assert "no model" in x25("improve", "unregister", "acme", "own/m").stderr


def test_help_says_what_there_is(x25):
    shown = x25("improve", "--help").stdout
    for command in ("run", "register", "unregister", "opt-out", "jobs", "delete"):
        assert command in shown
    assert " work " not in shown
