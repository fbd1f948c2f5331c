"""What is checked before a merge is checked whole: nothing is skipped for want of a server."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("bash", "dirname", "id")


@pytest.mark.parametrize("missing", ["postgres", "redis-server"])
def test_a_server_that_cannot_be_installed_fails_the_run(tmp_path, missing):
    """An installer that finds no packages, and only what the beginning of the run needs."""
    if missing == "postgres" and [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]:
        pytest.skip("it is found outside of PATH here")
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    there = {"postgres": ["redis-server"], "redis-server": ["initdb"]}[missing]
    for name, code in (("apt-get", 100), *((one, 0) for one in there)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "make").write_text("#!/bin/sh\necho made\nexit 0\n")
    (tmp_path / "make").chmod(0o755)
    found = subprocess.run(
        [ROOT / ".ci" / "run"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert "is not installed and could not be" in found.stderr
    assert "made" not in found.stdout
