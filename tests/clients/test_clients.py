"""Clients that people use, as they are published, against a gateway on simulated models.

Each script is a program of its own, run in an environment outside the repository that is installed once and kept.
"""

import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from x25.demo.gateway import gateway_process
from x25.simulator.process import SimulatorProcess

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
TABLE = HERE.parent.parent / "docs" / "http.md"
CACHE = Path(os.environ.get("X25_CLIENTS", Path.home() / ".cache" / "x25-clients"))
"""Where the clients are installed; read before a test hides the settings of whoever runs it."""
INSTALLS_WITHIN_S, RUNS_WITHIN_S = 600, 120
PYTHON = sorted((HERE / "python").glob("*.py"))
NODE = sorted((HERE / "node").glob("*.mjs"))
VENDOR = runpy.run_path(str(HERE / "vendor.py"))["Vendor"]
SHELL = runpy.run_path(str(HERE / "shell_vendor.py"))
PARALLEL = runpy.run_path(str(HERE / "parallel_vendor.py"))
QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "ANONYMIZED_TELEMETRY": "false"}


def folder_for(*parts: bytes) -> Path:
    """Return the folder of an environment made from these files; another one for other files."""
    return CACHE / hashlib.sha256(b"\0".join((sys.version.encode(), *parts))).hexdigest()[:16]


def run(command: list[str], within_s: float, **more: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False, **more)
    assert done.returncode == 0, f"{command[0]} … {command[-1]}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def environment(wanted: Path) -> Path:
    """Return the folder with the programs of an environment that has exactly what a file lists."""
    folder = folder_for(wanted.read_bytes())
    binary = folder / "bin" / "python"
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)], INSTALLS_WITHIN_S)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        run([str(binary), *install, "-r", str(wanted)], INSTALLS_WITHIN_S)
        (folder / "whole").touch()
    return binary.parent


@pytest.fixture(scope="session")
def python() -> str:
    """Return the interpreter of an environment with every Python client but those that have one of their own."""
    return str(environment(HERE / "python" / "requirements.txt") / "python")


@pytest.fixture(scope="session")
def node() -> Path:
    """Return a folder with every client for Node, the scripts beside them."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    folder = folder_for((HERE / "node" / "package.json").read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "node" / "package.json", folder)
    if not (folder / "whole").exists():
        run(["npm", "install", "--no-audit", "--no-fund", "--silent"], INSTALLS_WITHIN_S, cwd=folder)
        (folder / "whole").touch()
    for script in NODE:
        shutil.copy(script, folder)
    return folder


@pytest.fixture(scope="session")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the variables that lead to a gateway on models that call several tools at once, and say what is called."""
    folder = tmp_path_factory.mktemp("parallel")
    vendor = VENDOR(PARALLEL["answer"])
    names = [f"parallel/{name}" for name in PARALLEL["MODELS"]]
    for name in PARALLEL["MODELS"]:
        prices = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 4}
        model = {"model_id": f"parallel/{name}", "base_url": vendor.url, "tier": "slm", "prices": prices}
        (folder / f"{name}.yaml").write_text(json.dumps(model), encoding="utf-8")
    own = {"upstream": "real", "models_dir": str(folder)}
    try:
        with gateway_process(folder / "gateway", "", **own) as gateway:
            calls = json.dumps(PARALLEL["CALLS"])
            url = {"PARALLEL_BASE_URL": f"{gateway.url}/v1", "PARALLEL_CALLS": calls}
            yield {**url, "PARALLEL_MODELS": ",".join(names)}
    finally:
        vendor.close()


@pytest.fixture(scope="session")
def environ(parallel: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the variables that lead every client to a gateway of its own."""
    with (
        SimulatorProcess(latency=False) as simulator,
        gateway_process(tmp_path_factory.mktemp("gateway"), simulator.url) as gateway,
    ):
        base = {name: value for name, value in os.environ.items() if not name.startswith("X25_")}
        url = {"OPENAI_BASE_URL": f"{gateway.url}/v1", "OPENAI_API_KEY": "none"}
        yield {**base, **QUIET, **url, **parallel}


def told(output: str) -> dict[str, str]:
    """Return the versions that a script prints at its end, once everything in it held."""
    versions: dict[str, str] = json.loads(output.strip().splitlines()[-1])
    return versions


def documented(versions: dict[str, str]) -> None:
    """Check that the table of clients says which version was tried."""
    rows = TABLE.read_text(encoding="utf-8")
    for name, version in versions.items():
        assert f"| {name} | {version} |" in rows, f"docs/http.md: {name} {version}"


@pytest.mark.parametrize("script", PYTHON, ids=lambda path: path.stem)
def test_a_python_client_works(script: Path, python: str, environ: dict[str, str], tmp_path: Path) -> None:
    documented(told(run([python, str(script)], RUNS_WITHIN_S, env=environ, cwd=tmp_path)))


@pytest.mark.parametrize("script", NODE, ids=lambda path: path.stem)
def test_a_client_for_node_works(script: Path, node: Path, environ: dict[str, str]) -> None:
    documented(told(run(["node", script.name], RUNS_WITHIN_S, env=environ, cwd=node)))


def test_the_agents_of_openai_work(environ: dict[str, str], tmp_path: Path) -> None:
    folder = HERE / "openai_agents"
    python = str(environment(folder / "requirements.txt") / "python")
    documented(told(run([python, str(folder / "agents_sdk.py")], RUNS_WITHIN_S, env=environ, cwd=tmp_path)))


@pytest.fixture(scope="module")
def shell_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a gateway on a model that lists the folder with whatever tool for that it is offered."""
    folder = tmp_path_factory.mktemp("shell")
    vendor = VENDOR(SHELL["answer"])
    prices = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 4}
    model = {"model_id": "shell/model", "base_url": vendor.url, "tier": "mid", "prices": prices}
    (folder / "model.yaml").write_text(json.dumps(model), encoding="utf-8")
    try:
        with gateway_process(folder / "gateway", "", upstream="real", models_dir=str(folder)) as gateway:
            yield gateway.url
    finally:
        vendor.close()


@pytest.fixture(scope="module")
def coding_agents() -> Path:
    """Return the folder with the command lines of coding agents."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm here")
    wanted = HERE / "coding_agents" / "package.json"
    folder = folder_for(wanted.read_bytes())
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, folder)
        run(["npm", "install", "--no-audit", "--no-fund", "--silent"], INSTALLS_WITHIN_S, cwd=folder)
        run(["node", "install.cjs"], INSTALLS_WITHIN_S, cwd=folder / "node_modules/@anthropic-ai/claude-code")
        (folder / "whole").touch()
    return folder / "node_modules" / ".bin"


@pytest.fixture
def workplace(tmp_path: Path) -> dict[str, Any]:
    """Return where an agent runs: a home of its own, and a folder with one file."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "seen.txt").touch()
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OPENAI_API_KEY": "none"}
    return {"cwd": tmp_path / "work", "env": environ, "stdin": subprocess.DEVNULL}


def test_codex_works(coding_agents: Path, shell_gateway: str, workplace: dict[str, Any]) -> None:
    provider = (
        f'{{name="x25", base_url="{shell_gateway}/v1", wire_api="responses", env_key="OPENAI_API_KEY"}}'
    )
    settings = {"model": '"auto"', "model_provider": '"x25"', "model_providers.x25": provider}
    settings["web_search"] = '"disabled"'
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    codex = str(coding_agents / "codex")
    command = [codex, "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", *options]
    assert "The folder holds seen.txt." in run([*command, "List the files."], RUNS_WITHIN_S, **workplace)
    documented({"codex": run([codex, "--version"], RUNS_WITHIN_S, **workplace).split()[-1]})


def test_claude_code_works(coding_agents: Path, shell_gateway: str, workplace: dict[str, Any]) -> None:
    workplace["env"] |= {"ANTHROPIC_BASE_URL": shell_gateway, "ANTHROPIC_API_KEY": "none"}
    workplace["env"] |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    claude = str(coding_agents / "claude")
    command = [claude, "-p", "List the files.", "--model", "auto", "--allowedTools", "Bash"]
    assert "The folder holds seen.txt." in run(command, RUNS_WITHIN_S, **workplace)
    documented({"claude-code": run([claude, "--version"], RUNS_WITHIN_S, **workplace).split()[0]})


@pytest.mark.parametrize("more", [[], ["--no-stream"]], ids=["streamed", "whole"])
def test_aider_works(more: list[str], environ: dict[str, str], tmp_path: Path) -> None:
    aider = str(environment(HERE / "aider" / "requirements.txt") / "aider")
    options = [
        "--model",
        "openai/auto",
        "--no-git",
        "--yes-always",
        "--no-check-update",
        "--no-show-model-warnings",
    ]
    command = [aider, *options, "--no-analytics", *more, "--message", "Say hello."]
    said = run(
        command, RUNS_WITHIN_S, env={**environ, "OPENAI_API_BASE": environ["OPENAI_BASE_URL"]}, cwd=tmp_path
    )
    assert "simulated" in said
    documented({"aider": run([aider, "--version"], RUNS_WITHIN_S, env=environ, cwd=tmp_path).split()[-1]})
