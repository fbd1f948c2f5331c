import json
from hashlib import sha256
from pathlib import Path

import pytest


def test_calls_and_decisions_are_listed_deleted_and_forgotten(x25, routed, home: Path, monkeypatch) -> None:
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    first = routed("hello there", "--org", "one")["call_id"]
    decided = json.loads(
        x25("route", "hello there", "--org", "one", "--local", "--dry-run", "--json").stdout
    )["id"]
    listed = json.loads(x25("history", "list", "one", "--json").stdout)
    assert ([one["id"] for one in listed["calls"]], listed["total"], listed["next"]) == (
        [decided, first],
        2,
        None,
    )
    assert [(one["kind"], one["prompt"]) for one in listed["calls"]] == [
        ("decision", "hello there"), ("call", "hello there"),
    ]  # fmt: skip
    shown = x25("history", "list", "one", "--limit", 1)
    assert (shown.exit_code, "2 in all" in shown.stdout, "decided" in shown.stdout) == (0, True, True)
    assert x25("history", "delete", "one", first).exit_code == 0
    again = x25("history", "delete", "one", first)
    assert (again.exit_code, "not on record" in again.stderr) == (1, True)
    assert json.loads(x25("history", "forget", "--older-than-days", 0, "--json").stdout) == {"prompts": 1}
    (left,) = json.loads(x25("history", "list", "one", "--json").stdout)["calls"]
    assert (left["id"], left["prompt"]) == (decided, None)
    assert x25("verify", "one").exit_code == 0
    assert x25("history", "vacuum").exit_code == 0
    assert b"hello there" not in b"".join(path.read_bytes() for path in (home / ".x25").glob("x25.db*"))


@pytest.mark.parametrize("command", [("history", "forget"), ("checkpoints", "delete")])
def test_what_is_forgotten_leaves_checkpoints_and_folders_of_training_data(
    x25, routed, home: Path, monkeypatch, command
) -> None:
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    call_id = routed("hello there", "--org", "one")["call_id"]
    folder = home / ".x25" / "improve" / "one" / "j1"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"instruction": "hello there"}\n')
    row = {"call_id": call_id, "sha256": sha256(b'{"instruction": "hello there"}').hexdigest()}
    (folder / "calls.jsonl").write_text(json.dumps(row) + "\n")
    assert x25("checkpoints", "show", "one", call_id).exit_code == 0
    assert x25(*command, "--older-than-days", 0).exit_code == 0
    assert x25("checkpoints", "show", "one", call_id).exit_code == 1
    assert not folder.exists() or (folder / "train.jsonl").read_text() == ""


def test_postgres_is_left_to_vacuum_itself(x25, home: Path) -> None:
    result = x25("history", "vacuum", "--db", "postgresql+psycopg://nobody@localhost/none")
    assert (result.exit_code, "VACUUM FULL" in result.stderr) == (1, True)


@pytest.mark.usefixtures("empty_store")
def test_an_org_by_no_name_is_refused(x25, home: Path) -> None:
    result = x25("history", "list", "No Org")
    assert (result.exit_code, "org must be" in result.stderr) == (1, True)


def test_an_orgs_own_calls_are_a_dataset_that_training_reads(x25, routed, home: Path, monkeypatch) -> None:
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    for n in range(4):
        routed(f"Calculate {n} * 23 + 9. Give the number.", "--org", "one", "--router", "x25-classic")
    result = x25("history", "export", "one", "--output", "rows.jsonl", "--json")
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)
    rows = [json.loads(line) for line in (home / "rows.jsonl").read_text().splitlines()]
    assert written["rows"] == len(rows) == 4
    assert {"prompt_id", "prompt", "model_id", "score", "task"} <= rows[0].keys()
    empty = x25("history", "export", "nobody")
    assert (empty.exit_code, "no call to train on" in empty.stderr) == (1, True)
