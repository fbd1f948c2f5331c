import json
import time

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
    assert run("role", "ann", "--org", "gamma").exit_code == 0
    assert json.loads(run("list", "--json").stdout)[0]["orgs"] == ["gamma"]
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
    assert "no account" in run("role", "nobody", "--admin").stderr
    assert "--admin, or --org" in run("role", "nobody").stderr


@pytest.mark.slow
def test_a_link_is_printed_when_asked_for_until_there_is_an_account(run):
    made = run("link", "--url", "https://pages.test/")
    assert made.stdout.startswith("https://pages.test/terminal/setup?token=")
    other = json.loads(run("link", "--json").stdout)["setup_url"]
    assert other.startswith("http://127.0.0.1:8000/terminal/setup?token=")
    assert run("create", "root", "--admin", "--password-stdin").exit_code == 0
    refused = run("link")
    assert refused.exit_code == 1
    assert "there is an account already" in refused.stderr


@pytest.mark.slow
def test_a_gateway_prints_a_link_at_its_start_where_nobody_could_sign_in(home, start):
    import httpx

    child = start("serve", "--port", "0", "--require-key")
    said = ""
    for _ in range(300):
        said = child.stderr.read_text()
        if "setup?token=" in said or child.process.poll() is not None:
            break
        time.sleep(0.1)
    link = next(word for word in said.split() if "setup?token=" in word)
    assert httpx.get(link, timeout=30).status_code == 200
    child.stop()
    open_one = start("serve", "--port", "0")
    for _ in range(300):
        if "terminal on" in open_one.stderr.read_text():
            break
        time.sleep(0.1)
    assert "setup?token=" not in open_one.stderr.read_text()
