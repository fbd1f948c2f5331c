import json
import sqlite3
from pathlib import Path

import pytest

from x25.cli.verify import chains_table
from x25.state.audit.entries import Verification


def test_intact_chains_end_with_code_zero(x25, routed) -> None:
    head = routed("hello", "--org", "one")["audit_hash"]
    routed("hello", "--org", "two")
    result = x25("verify", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["intact"] is True
    assert [(chain["org"], chain["total_records"]) for chain in found["orgs"]] == [("one", 1), ("two", 1)]
    assert x25("verify", "one", "--expect-head", head).exit_code == 0


def test_an_edit_ends_with_code_one_and_its_place(x25, routed, home: Path) -> None:
    for _ in range(3):
        routed("hello", "--org", "one")
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        database.execute("UPDATE audit SET record = (SELECT record FROM audit WHERE idx = 0) WHERE idx = 1")
    result = x25("verify", "one", "--json")
    assert (result.exit_code, json.loads(result.stdout)["intact"]) == (1, False)
    assert json.loads(result.stdout)["orgs"][0]["first_broken_index"] == 1
    shown = x25("verify")
    assert (shown.exit_code, "edited" in shown.stdout) == (1, True)


def test_a_head_that_was_never_reached_is_missed(x25, routed) -> None:
    routed("hello", "--org", "one")
    result = x25("verify", "one", "--expect-head", "f" * 64, "--json")
    assert (result.exit_code, json.loads(result.stdout)["orgs"][0]["reason"]) == (
        1,
        "expected head not in the chain",
    )


def test_another_database_is_looked_at_when_named(x25, routed, home: Path) -> None:
    routed("hello")
    assert x25("keys", "list", "--db", home / "empty.db").exit_code == 0
    found = json.loads(x25("verify", "--db", home / "empty.db", "--json").stdout)
    assert (found["intact"], found["orgs"]) == (True, [])


def test_a_path_that_is_mistyped_and_an_org_without_a_chain_are_no_proof(x25, routed, home: Path) -> None:
    routed("hello", "--org", "one")
    mistyped = x25("verify", "--db", home / "typo.db")
    assert (mistyped.exit_code, "there is no database at" in mistyped.stderr) == (1, True)
    assert not (home / "typo.db").exists()
    unknown = x25("verify", "nobody")
    assert (unknown.exit_code, "nothing was logged of it" in unknown.stderr) == (1, True)


@pytest.mark.usefixtures("empty_store")
def test_a_wrong_org_is_one_sentence(x25) -> None:
    result = x25("verify", "Not One")
    assert (result.exit_code, result.stderr.startswith("error org must be")) == (1, True)


def test_the_table_has_a_row_a_chain_and_marks_the_broken() -> None:
    chains = [
        Verification("a", True, 2, "f" * 64, calls=2),
        Verification("b", False, 1, "0" * 64, 1, "edited"),
    ]
    table = chains_table(chains)
    assert [list(column.cells) for column in table.columns][:5] == [
        ["a", "b"],
        ["2", "1"],
        ["2", "0"],
        ["yes", "NO"],
        ["", "1"],
    ]
    assert [row.style for row in table.rows] == [None, "red"]


def test_a_signed_head_kept_elsewhere_catches_a_chain_that_was_rewritten(x25, routed, home: Path) -> None:
    for _ in range(2):
        routed("hello", "--org", "one")
    signed = x25("verify", "one", "--sign")
    (home / "head.json").write_text(signed.stdout)
    routed("hello", "--org", "one")
    held = x25("verify", "--against", "head.json", "--json")
    assert (held.exit_code, json.loads(held.stdout)["orgs"][0]["total_records"]) == (0, 3)
    public_key = json.loads(signed.stdout)["public_key"]
    assert x25("verify", "one", "--against", "head.json", "--public-key", public_key).exit_code == 0
    with sqlite3.connect(home / ".x25" / "x25.db") as database:
        database.execute("DELETE FROM audit")
        database.execute("UPDATE orgs SET chain_length = 0, chain_head = ?, verified_length = 0", ("0" * 64,))
    routed("hello", "--org", "one")
    assert x25("verify", "one").exit_code == 0
    caught = x25("verify", "--against", "head.json", "--json")
    assert (caught.exit_code, json.loads(caught.stdout)["intact"]) == (1, False)


def test_a_head_of_another_org_or_key_and_a_file_that_is_none_are_refused(x25, routed, home: Path) -> None:
    routed("hello", "--org", "one")
    (home / "head.json").write_text(x25("verify", "one", "--sign").stdout)
    for arguments, said in (
        (("two", "--against", "head.json"), "not of 'two'"),
        (("--against", "head.json", "--public-key", "A" * 43 + "="), "another key signed it"),
        (("--against", "absent.json"), "holds no signed head"),
        (("--sign",), "say whose chain"),
    ):
        result = x25("verify", *arguments)
        assert (result.exit_code, said in result.stderr.replace("\n", " ")) == (1, True)
