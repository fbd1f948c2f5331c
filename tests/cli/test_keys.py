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
    assert (made["org"], made["rate_limit_rpm"], made["scopes"]) == ("lab", 60, ["call", "read", "feedback"])
    assert made["api_key"].startswith(made["prefix"])


def test_a_key_has_the_limits_that_were_asked_for(x25) -> None:
    limits = ("--usd-per-day", "2.5", "--scope", "call", "--expires-at", "2099-01-01")
    made = json.loads(x25("keys", "create", "lab", *limits, "--json").stdout)
    assert made["budgets"] == {"usd_per_call": None, "usd_per_day": 2.5, "usd_per_month": None}
    assert (made["scopes"], made["expires_at"][:10]) == (["call"], "2099-01-01")
    assert "scopes must be some of" in x25("keys", "create", "lab", "--scope", "all").stderr
    assert "budgets.usd_per_day must be" in x25("keys", "create", "lab", "--usd-per-day", "-1").stderr
    assert "expires_at must lie ahead" in x25("keys", "create", "lab", "--expires-at", "2020-01-01").stderr


def test_a_renewed_key_ends_after_its_overlap(x25) -> None:
    made = json.loads(x25("keys", "create", "lab", "--rpm", "9", "--json").stdout)
    new = json.loads(x25("keys", "rotate", made["key_id"], "--overlap-s", "60", "--json").stdout)
    assert (new["rate_limit_rpm"], new["replaces"]) == (9, made["key_id"])
    old, renewed = json.loads(x25("keys", "list", "--json").stdout)
    assert (old["expires_at"], renewed["expires_at"]) == (new["old_key_until"], None)
    assert "renewed before" in x25("keys", "rotate", made["key_id"]).stderr
    assert "no key 'nothing'" in x25("keys", "rotate", "nothing").stderr


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


def test_ids_are_whole_on_a_narrow_screen(x25, monkeypatch) -> None:
    made = json.loads(x25("keys", "create", "laboratory-of-the-university", "--json").stdout)
    monkeypatch.setenv("COLUMNS", "80")
    shown = x25("keys", "list").stdout
    assert made["key_id"] in shown
    assert made["prefix"] in shown


def test_a_key_is_limited_by_name(x25) -> None:
    limits = ("--limit", "tokens_per_day=5000", "--limit", "concurrent_calls=2")
    made = json.loads(x25("keys", "create", "acme", "--rpm", "7", *limits, "--json").stdout)
    assert (made["rate_limit_rpm"], made["limits"]["tokens_per_day"], made["limits"]["concurrent_calls"]) == (
        7,
        5000,
        2,
    )
    for wrong in ("tokens_per_year=1", "tokens_per_day=0", "tokens_per_day=x", "tokens_per_day"):
        assert x25("keys", "create", "acme", "--limit", wrong).exit_code == 1


def test_a_master_key_seals(x25) -> None:
    from x25.graph.vault import Vault

    assert Vault(x25("keys", "master").stdout.strip()).is_open


def test_numbers_that_no_table_holds_are_refused_by_name(x25) -> None:
    huge, longer = "9" * 20, "9" * 5000
    for name, *options in (
        ("--rate-limit-rpm", "--rpm", huge), ("--rate-limit-rpm", "--rpm", "1000001"),
        ("limits.tokens_per_day", "--limit", f"tokens_per_day={huge}"),
        ("limits.concurrent_calls", "--limit", f"concurrent_calls={longer}"),
        ("budgets.usd_per_day", "--usd-per-day", "1e300"), ("expires_at", "--expires-at", "9999-12-31"),
    ):  # fmt: skip
        result = x25("keys", "create", "lab", *options)
        assert result.exit_code in {1, 2}
        assert isinstance(result.exception, SystemExit)
        assert name in result.stderr
    for name in ("budgets.usd_per_day", "limits.requests_per_minute", "limits.tokens_per_month", "retention_days",
                 "cache_ttl_s", "quality_bar"):  # fmt: skip
        for number in (huge, longer, "1e999"):
            result = x25("orgs", "settings", "lab", "--set", f"{name}={number}")
            assert isinstance(result.exception, SystemExit)
            assert name in result.stderr
    assert json.loads(x25("keys", "list", "--json").stdout) == []


def test_a_renewed_key_goes_with_the_one_it_came_of_where_asked(x25) -> None:
    made = json.loads(x25("keys", "create", "lab", "--json").stdout)
    new = json.loads(x25("keys", "rotate", made["key_id"], "--json").stdout)
    assert [one["replaces"] for one in json.loads(x25("keys", "list", "--json").stdout)] == [
        None,
        made["key_id"],
    ]
    assert new["key_id"] in x25("keys", "revoke", made["key_id"]).stderr
    assert (
        f"key {new['key_id']} is revoked" in x25("keys", "revoke", made["key_id"], "--with-successors").stderr
    )
