"""The rooms are where pyproject.toml says, and every code file has its tests."""

import tomllib
from pathlib import Path

import x25

ROOT = Path(x25.__file__).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PYPROJECT["tool"]["setuptools"]["packages"]
FOLDERS = [ROOT.joinpath(*name.split(".")[1:]) for name in PACKAGES]
CODE = sorted(path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in folder.glob("*.py"))

WITHOUT_TESTS_OF_THEIR_OWN = {
    "state/migrations/versions/0001_initial.py": "2026-11-20: test_upgrade runs it",
}


def mirror_of(code: str) -> Path:
    """Return where the tests of a file are; the migrations' are in the room's own folder, which is flat."""
    room = code.replace("state/migrations/", "state/").rpartition("/")[0]
    return ROOT / "tests" / room / f"test_{Path(code).name}"


def test_packages_are_the_folders_that_hold_an_init_file():
    skipped = {"build", "dist", "tests", "notebooks"}
    tops = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in skipped]
    found = {init.parent for top in tops if top.name[0] != "." for init in top.rglob("__init__.py")}
    assert {ROOT, *found} == set(FOLDERS)
    assert len(PACKAGES) == len(FOLDERS) == len(set(FOLDERS))


def test_every_code_file_has_a_test_file():
    code = [name for name in CODE if Path(name).name != "__init__.py"]
    assert {name for name in code if not mirror_of(name).is_file()} == WITHOUT_TESTS_OF_THEIR_OWN.keys()


def test_the_root_holds_the_sdk_and_nothing_else():
    assert {code for code in CODE if "/" not in code} == {
        "__init__.py", "__main__.py", "client.py", "exceptions.py", "response.py",
    }  # fmt: skip


def test_test_folders_are_no_packages():
    assert not list((ROOT / "tests").rglob("__init__.py"))
