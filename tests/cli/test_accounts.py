import json

import pytest

PASSWORD = "correct horse battery\n"


@pytest.fixture
def run(home, monkeypatch):
    """Return a function that runs `x25 accounts`, with a password on standard input."""
    from typer.testing import CliRunner

    from x25.cli import app

    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(app, ["accounts", *arguments], input=PASSWORD)


@pytest.mark.slow
def test_accounts_are_made_listed_and_disabled(run):
    made = run("create", "Root@Lab", "--admin", "--password-stdin", "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["role"] == "admin"
    assert run("create", "ann", "--org", "acme", "--org", "beta", "--password-stdin").exit_code == 0
    found = json.loads(run("list", "--json").stdout)
    assert [(one["name"], one["role"], one["orgs"]) for one in found] == [
        ("ann", "member", ["acme", "beta"]), ("root@lab", "admin", []),
    ]  # fmt: skip
    assert run("disable", "ann").exit_code == 0
    assert "disabled" in run("list").stdout
    assert run("enable", "ann").exit_code == run("password", "ann", "--password-stdin").exit_code == 0
    assert "$argon2" not in run("list", "--json").stdout


def test_what_is_wrong_is_said(run):
    assert "--admin, or --org" in run("create", "ann", "--password-stdin").stderr
    assert (
        "an admin sees every org"
        in run("create", "ann", "--admin", "--org", "acme", "--password-stdin").stderr
    )
    assert "no account" in run("disable", "nobody").stderr
