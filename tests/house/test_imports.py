"""Imports point down, open nothing, and load no more than they need."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import x25

ROOT = Path(x25.__file__).parent
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
HEAVY = {"matplotlib", "pandas", "pyarrow", "sentence_transformers", "sklearn", "torch"}

PLANTED = {
    "routing/plan/weights.py": "import httpx\nfrom ...state.store import Store\n",
    "state/audit/orgs.py": "import langgraph\nfrom ...graph.settings import Settings\n",
    "routing/prompt/tokens.py": "from ..plan.weights import Weights\n",
    "state/money/budgets.py": "from ..queries.usage import Usages\n",
    "training/data/design.py": "from ..fit.heads import fit_tier\n",
    "nodes/offers/prices.py": "from ..judge import judge\n",
    "providers/windows.py": "import langgraph\n",
    "nodes/judge.py": "import os\nfrom .dispatch import dispatch\n",
    "graph/run.py": "from ..client import X25\nfrom ..simulator.child import ChildServer\n",
    "simulator/shapes.py": "from ..routing.plan.weights import Weights\n",
    "demo/items.py": "from ..nodes.judge import judge\n",
    "client.py": "from .state.errors import X25Error as Other\n",
    "api/deps.py": "import torch\n",
}
"""Lines that together break every contract."""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


def linter(folder):
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = (sys.executable, "-c", program, "--no-cache")
    return run(*command, cwd=folder, env={"PYTHONPATH": str(folder.parent), "COLUMNS": "200"})


@pytest.fixture
def planted(tmp_path):
    """A copy of the code with forbidden imports in it."""
    copy = tmp_path / "x25"
    for name in PACKAGES:
        folder = Path(*name.split(".")[1:])
        (copy / folder).mkdir(parents=True, exist_ok=True)
        for file in (ROOT / folder).glob("*.py"):
            shutil.copy(file, copy / folder / file.name)
    shutil.copy(ROOT / "pyproject.toml", copy / "pyproject.toml")
    for name, lines in PLANTED.items():
        with (copy / name).open("a") as file:
            file.write(lines)
    return copy


def test_imports_obey_the_contracts():
    done = linter(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_reports_a_planted_violation(planted):
    done = linter(planted)
    assert done.returncode == 1, done.stderr
    kept = [contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" not in done.stdout]
    assert kept == []


IMPORT_ALL = """
import importlib, json, os, sys

opened = []

def notice(event, args):
    writes = event == "open" and isinstance(args[1], str) and any(letter in args[1] for letter in "wax+")
    opens = ("os.mkdir", "socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen")
    if event in opens or writes:
        opened.append([event, str(args[0])])

sys.dont_write_bytecode = True
sys.addaudithook(notice)
failed = {}
for name in json.loads(sys.argv[1]):
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = (error.name or str(error)).partition(".")[0]
print(json.dumps({"opened": opened, "failed": failed, "files": os.listdir()}))
"""


def test_every_module_imports_with_an_empty_environment_and_opens_nothing(tmp_path):
    names = [
        f"{package}.{path.stem}".removesuffix(".__init__")
        for package in PACKAGES
        for path in sorted(ROOT.joinpath(*package.split(".")[1:]).glob("*.py"))
        if path.stem not in {"__main__", "0001_initial"}
    ]
    done = run(sys.executable, "-c", IMPORT_ALL, json.dumps(names), cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    seen = json.loads(done.stdout)
    # 2026-11-28: NiceGUI lists this machine's addresses by way of ifaddr, which looks for the C library.
    assert [one for one in seen["opened"] if one != ["subprocess.Popen", "/sbin/ldconfig"]] == []
    assert seen["files"] == []
    assert seen["failed"] == {}


def modules_loaded_by(statement):
    done = run(sys.executable, "-c", f"import sys; {statement}; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_serving_loads_nothing_heavy():
    assert modules_loaded_by("import x25.api.app, x25.cli.serve, x25.cli") & HEAVY == set()


@pytest.mark.slow
def test_serving_loads_the_schema_library_only_once_a_request_names_a_schema():
    assert "jsonschema" not in modules_loaded_by("import x25.api.app, x25.cli.serve")
    needed = "from x25.routing.plan.request import check_schemas; check_schemas({'tools': []})"
    assert "jsonschema" in modules_loaded_by(needed)


def test_the_simulator_loads_no_client_of_a_model():
    assert (
        modules_loaded_by("import x25.simulator.__main__") & {"openai", "langchain_openai", "pydantic"}
        == set()
    )


def test_the_sdk_loads_httpx_and_no_more():
    ours = modules_loaded_by("import x25") - modules_loaded_by("import httpx") - sys.stdlib_module_names
    assert ours == {"x25"}
