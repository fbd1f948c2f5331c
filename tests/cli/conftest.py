import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from x25.cli import app
from x25.simulator.process import SimulatorProcess


class Child:
    """A running `python -m x25 …`; every process it starts carries its mark in the environment."""

    def __init__(self, arguments: list[str], folder: Path, environ: dict[str, str]) -> None:
        self._mark = f"TEST_MARK={uuid.uuid4()}"
        self.stderr = folder / f"stderr-{uuid.uuid4().hex[:8]}.txt"
        name, value = self._mark.split("=")
        with self.stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "x25", *arguments],
                cwd=folder,
                env={**os.environ, "COLUMNS": "200", name: value, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                # A suite that runs in the background of a script inherits SIGINT ignored, and so would the child.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
            )

    def url(self) -> str:
        """Wait for the line that says where it listens."""
        waiting = select.poll()  # select() knows no descriptor above 1,023
        waiting.register(self.process.stdout, select.POLLIN)
        ready = waiting.poll(90_000)
        line = self.process.stdout.readline() if ready else b""
        assert line, self.stderr.read_text()
        return json.loads(line)["url"]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to this process alone and return how it ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def family(self) -> list[int]:
        """Return the live processes with the mark: this one and its descendants."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdecimal() and self._mark.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:  # gone, or somebody else's
                continue
        return found

    def survivors(self) -> list[int]:
        """Wait for what is left of the family to end by itself; return those that did not."""
        left = []
        for pid in self.family():
            try:
                handle = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            ended, _, _ = select.select([handle], [], [], 10)
            os.close(handle)
            left += [] if ended else [pid]
        return left


@pytest.fixture
def home(tmp_path: Path, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the environment of somebody who uses the shared simulator."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_UPSTREAM", "simulator")
    monkeypatch.setenv("X25_SIMULATOR_URL", simulator.url)
    monkeypatch.setenv("X25_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def x25(home: Path) -> Callable[..., Result]:
    """Run a command in this process; its output is kept apart from what it says on stderr."""

    def invoke(*arguments: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(one) for one in arguments], input=stdin)

    return invoke


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start a command as a process of its own."""
    children: list[Child] = []

    def launch(*arguments: str, **environ: str) -> Child:
        children.append(Child([str(one) for one in arguments], tmp_path, environ))
        return children[-1]

    yield launch
    for child in children:
        if child.process.poll() is None:
            child.process.kill()
        child.process.wait()
        child.process.stdout.close()


@pytest.fixture
def routed(x25: Callable[..., Result]) -> Callable[..., dict]:
    """Route a prompt in this process, as `x25 route --local --json` does."""

    def route(prompt: str = "What is 17 * 23?", *arguments: str) -> dict:
        result = x25("route", prompt, "--local", "--json", *arguments)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return route


@pytest.fixture
def called(home: Path) -> Callable[[str, int], None]:
    """Return a function that lets an org have made so many calls, as far as its stage goes."""

    def count(org: str, calls: int) -> None:
        with sqlite3.connect(home / ".x25" / "x25.db") as database:
            assert (
                database.execute("UPDATE orgs SET call_count = ? WHERE org = ?", [calls, org]).rowcount == 1
            )

    return count


@pytest.fixture
def empty_store(x25) -> None:
    """A store without a call, as a gateway makes it when it starts."""
    assert x25("keys", "list").exit_code == 0
