import json
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from x25.cli.console import database_url, friendly_errors, print_json, run, settings_for
from x25.client import GatewayUnreachable
from x25.state.errors import ConfigError

COMMANDS = [
    (), ("serve",), ("demo",), ("route",), ("verify",), ("models",), ("keys",), ("keys", "create"),
    ("keys", "list"), ("keys", "revoke"), ("checkpoints",), ("checkpoints", "show"),
    ("checkpoints", "resume"),
    ("checkpoints", "delete"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(x25, command: tuple[str, ...], flag: str) -> None:
    result = x25(*command, flag)
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert "--exit-with-parent" not in result.stdout


def test_the_version_is_that_of_the_package(x25) -> None:
    result = x25("--version")
    assert (result.exit_code, result.stdout) == (0, f"{version('x25')}\n")


def test_a_path_is_a_sqlite_file_and_a_url_stays() -> None:
    assert database_url("some/file.db") == "sqlite+aiosqlite:///some/file.db"
    assert database_url("postgresql+psycopg://u@h/d") == "postgresql+psycopg://u@h/d"
    assert database_url(None) is None


def test_what_the_command_line_says_wins_over_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X25_PORT", "9001")
    monkeypatch.setenv("X25_DATABASE_URL", "sqlite+aiosqlite:///environment.db")
    assert (settings_for().port, settings_for(port=9002).port) == (9001, 9002)
    assert settings_for("given.db").store_url == "sqlite+aiosqlite:///given.db"
    assert settings_for().store_url == "sqlite+aiosqlite:///environment.db"


@pytest.mark.parametrize(
    "error",
    [ConfigError("the 'x25[gateway]' is missing"), GatewayUnreachable("the 'x25[gateway]' is missing")],
)
def test_our_errors_are_one_sentence_word_for_word(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, friendly_errors():
        raise error
    assert left.value.exit_code == 1
    assert capsys.readouterr().err == "error the 'x25[gateway]' is missing\n"


def test_ctrl_c_ends_with_the_shells_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, friendly_errors():
        raise KeyboardInterrupt
    assert (left.value.exit_code, capsys.readouterr().err) == (130, "interrupted\n")


def test_a_bug_keeps_its_traceback() -> None:
    async def buggy() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(buggy())


def test_json_is_one_document_with_its_letters_kept(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "é", "path": Path("a")})
    text = capsys.readouterr().out
    assert json.loads(text) == {"text": "é", "path": "a"}
    assert "é" in text


def test_a_misspelt_setting_stops_a_command(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X25_PROT", "1")
    result = x25("verify")
    assert (result.exit_code, result.stderr) == (
        1,
        "error unknown setting X25_PROT; did you mean X25_PORT?\n",
    )
