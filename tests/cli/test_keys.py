import json
import re
import sqlite3
from hashlib import sha256
from pathlib import Path


def test_a_key_is_shown_once_and_stored_as_a_hash(x25, home: Path) -> None:
    result = x25("keys", "create", "lab")
    secret = result.stdout.strip()
    assert result.exit_code == 0
    assert re.fullmatch(r"sk-x25-\S{40,}", secret)
    assert secret not in result.stderr
    folder = home / ".x25"
    with sqlite3.connect(folder / "x25.db") as database:
        assert database.execute("SELECT org, key_hash FROM keys").fetchall() == [
            ("lab", sha256(secret.encode()).hexdigest())
        ]
    assert not any(secret.encode() in file.read_bytes() for file in folder.iterdir())
    assert secret not in x25("keys", "list", "--json").stdout


def test_json_carries_the_key_and_its_limit(x25) -> None:
    made = json.loads(x25("keys", "create", "lab", "--rate-limit-rpm", "60", "--json").stdout)
    assert made.keys() == {"api_key", "org", "rate_limit_rpm", "created_at"}
    assert (made["org"], made["rate_limit_rpm"]) == ("lab", 60)


def test_keys_are_listed_by_org(x25) -> None:
    for org in ("one", "two", "two"):
        x25("keys", "create", org)
    assert len(json.loads(x25("keys", "list", "--json").stdout)) == 3
    assert [key["org"] for key in json.loads(x25("keys", "list", "two", "--json").stdout)] == ["two", "two"]
    shown = x25("keys", "list", "one").stdout
    assert "one" in shown
    assert "unlimited" in shown


def test_a_key_is_revoked_once(x25) -> None:
    x25("keys", "create", "lab")
    (key,) = json.loads(x25("keys", "list", "--json").stdout)
    assert key["revoked_at"] is None
    assert x25("keys", "revoke", key["key_id"]).exit_code == 0
    assert json.loads(x25("keys", "list", "--json").stdout)[0]["revoked_at"] is not None
    again = x25("keys", "revoke", key["key_id"])
    assert (again.exit_code, "that is not revoked already" in again.stderr) == (1, True)


def test_a_wrong_org_or_limit_is_refused(x25) -> None:
    assert "org must be" in x25("keys", "create", "Not One").stderr
    assert x25("keys", "create", "lab", "--rate-limit-rpm", "-1").exit_code == 2
    assert json.loads(x25("keys", "list", "--json").stdout) == []


def test_a_database_that_cannot_be_opened_is_one_sentence(x25, home: Path) -> None:
    (home / "note.txt").write_text("this is no database, and long enough to be seen as none" * 40)
    result = x25("keys", "list", "--db", home / "note.txt")
    assert (result.exit_code, result.stderr[:6]) == (1, "error ")
