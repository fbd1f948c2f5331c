"""What is installed is what is in the tree."""

import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import x25

ROOT = Path(x25.__file__).parent
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]

pytestmark = pytest.mark.slow


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=300, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist, built from what git tracks or would track."""
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source")
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--outdir", folder, source)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


def test_wheel_holds_the_code_and_its_data_and_nothing_else(wheel):
    expected = {"x25/py.typed"}
    for package in PACKAGES:
        folder = ROOT.joinpath(*package.split(".")[1:])
        expected |= {f"x25/{path.relative_to(ROOT).as_posix()}" for path in folder.glob("*.py")}
    for pattern in (
        "artifacts/*.json",
        "artifacts/checkpoints/*.bin",
        "artifacts/encoder/*",
        "registry/**/*.yaml",
        "simulator/models/*.yaml",
        "terminal/theme.css",
        "terminal/chat/words.yaml",
        "training/data/task_prompts/*.yaml",
        "training/evaluation/panels/*.yaml",
        "training/finetune/templates/*.py",
        "training/fit/languages.yaml",
        "training/fit/profiles/*.yaml",
        "training/report/templates/*",
    ):
        expected |= {f"x25/{path.relative_to(ROOT).as_posix()}" for path in ROOT.glob(pattern)}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_sdist_builds_the_same_wheel(built, wheel, tmp_path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert not {"tests", "notebooks", ".ci", ".github"} & {path.name for path in source.iterdir()}
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "again", source)
    (again,) = (tmp_path / "again").glob("*.whl")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert sorted(second.namelist()) == sorted(first.namelist())


def test_wheel_alone_gives_the_sdk_and_a_command_that_says_what_to_install(wheel, tmp_path):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    program = "import x25, sys; print(x25.X25(org='lab').org, x25.__file__.startswith(sys.prefix))"
    assert run(python, "-c", program, cwd=tmp_path).split() == ["lab", "True"]
    for command in ([python, "-m", "x25"], [python.with_name("x25")]):
        done = subprocess.run([*command, "serve"], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1
        assert "pip install 'x25[gateway]'" in done.stderr
