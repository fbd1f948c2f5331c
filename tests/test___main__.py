import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {blocked!r} or name == {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def run(*arguments: str, folder: Path, blocked: str | None = None) -> subprocess.CompletedProcess[str]:
    prelude = "" if blocked is None else BLOCK.format(blocked=blocked)
    program = (
        f"{prelude}\nimport runpy, sys\nsys.argv[0] = 'x25'\nrunpy.run_module('x25', run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize("blocked", ["typer", "fastapi", "langgraph"])
def test_where_only_the_sdk_is_installed_it_says_what_to_install(tmp_path: Path, blocked: str) -> None:
    done = run("serve", folder=tmp_path, blocked=blocked)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"x25: the command line needs the gateway ({blocked}")
    assert done.stderr.endswith("pip install 'x25[gateway]'\n")
    assert done.stderr.count("\n") == 1


def test_a_part_of_our_own_that_is_missing_is_a_bug_and_keeps_its_traceback(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path, blocked="x25.cli")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "pip install" not in done.stderr


@pytest.mark.slow
def test_the_module_runs_the_command_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "x25", "--version"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, f"{version('x25')}\n")


def test_the_installed_command_is_the_same() -> None:
    (command,) = entry_points(group="console_scripts", name="x25")
    assert command.value == "x25.__main__:main"
    assert callable(command.load())
