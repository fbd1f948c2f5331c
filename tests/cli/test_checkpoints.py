import json
import sqlite3
from pathlib import Path

import pytest


def test_the_path_of_a_call_is_shown_node_by_node(x25, routed) -> None:
    reply = routed("hello", "--org", "lab")
    result = x25("checkpoints", "show", "lab", reply["call_id"], "--json")
    nodes = [step["node"] for step in json.loads(result.stdout)]
    assert result.exit_code == 0
    assert nodes[:3] == ["lookup_cache", "classify", "estimate_difficulty"]
    assert nodes[-1] == "stage_check"
    assert all(step["ms"] >= 0 for step in json.loads(result.stdout))
    assert "thompson_select" in x25("checkpoints", "show", "lab", reply["call_id"]).stdout


@pytest.mark.parametrize(
    "command",
    [("show", "lab", "unheard"), ("resume", "lab", "unheard"), ("show", "Not One", "c"), ("delete",)],
)
def test_what_is_not_there_is_one_sentence(x25, command: tuple[str, ...]) -> None:
    result = x25("checkpoints", *command)
    assert (result.exit_code, result.stderr[:6]) == (1, "error ")


@pytest.mark.slow
def test_a_finished_call_is_not_paid_twice(x25, routed, simulator) -> None:
    reply = routed("hello", "--org", "lab")
    billed = len(simulator.bills())
    again = json.loads(x25("checkpoints", "resume", "lab", reply["call_id"]).stdout)
    assert (again["call_id"], again["audit_hash"]) == (reply["call_id"], reply["audit_hash"])
    assert len(simulator.bills()) == billed
    assert json.loads(x25("verify", "lab", "--json").stdout)["orgs"][0]["total_records"] == 1


def test_deleting_by_org_leaves_the_others_and_the_figures(x25, routed, home: Path, monkeypatch) -> None:
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    mine, other = (routed("hello", "--org", org) for org in ("mine", "other"))
    deleted = json.loads(x25("checkpoints", "delete", "--org", "mine", "--json").stdout)
    assert deleted == {"checkpoints": 1, "prompts": 1}
    assert x25("checkpoints", "show", "mine", mine["call_id"]).exit_code == 1
    assert x25("checkpoints", "show", "other", other["call_id"]).exit_code == 0
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        prompts = dict(database.execute("SELECT org, text FROM prompts"))
        digests = dict(database.execute("SELECT org, prompt_sha256 IS NULL FROM calls"))
    assert (prompts, digests) == ({"other": "hello"}, {"mine": 1, "other": 0})
    assert x25("verify").exit_code == 0


@pytest.mark.slow
def test_deleting_by_age_keeps_what_is_younger(x25, routed) -> None:
    call_id = routed("hello")["call_id"]
    young = json.loads(x25("checkpoints", "delete", "--older-than-days", "1", "--json").stdout)
    assert young["checkpoints"] == 0
    assert x25("checkpoints", "show", "default", call_id).exit_code == 0
    every = json.loads(x25("checkpoints", "delete", "--older-than-days", "0", "--json").stdout)
    assert every["checkpoints"] == 1


def test_where_checkpoints_are_off_it_is_said(x25, monkeypatch) -> None:
    monkeypatch.setenv("X25_CHECKPOINTS", "off")
    result = x25("checkpoints", "show", "lab", "c1")
    assert (result.exit_code, result.stderr) == (1, "error checkpoints are off (X25_CHECKPOINTS)\n")


def test_calls_that_were_never_logged_are_listed_with_why(x25, routed, home: Path) -> None:
    routed("hello")
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        database.execute(
            "INSERT INTO open_calls VALUES ('lab', 'poison', NULL, 0, 5, 'KeyError', 1),"
            " ('lab', 'left', NULL, 0, 0, NULL, NULL)"
        )
    found = json.loads(x25("checkpoints", "interrupted", "--json").stdout)
    assert [(one["call_id"], one["state"], one["tries"], one["reason"]) for one in found] == [
        ("poison", "set aside", 5, "KeyError"),
        ("left", "left by a dead process", 0, None),
    ]
    assert "set aside" in x25("checkpoints", "interrupted").stdout
    assert x25("checkpoints", "retry", "lab", "poison").exit_code == 0
    again = json.loads(x25("checkpoints", "interrupted", "--json").stdout)
    assert [(one["state"], one["tries"]) for one in again] == [("left by a dead process", 0)] * 2
    assert x25("checkpoints", "retry", "lab", "left").exit_code == 1
