"""The servers of the side-by-side bench: x25's gateway and LiteLLM's proxy, each before the same three models."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..demo.gateway import gateway_process
from ..simulator.child import ChildServer
from .load import ask_once
from .processes import running
from .stub import JUDGE

MODELS = {
    "bench/small": ("slm", 0.1, 0.4),
    "bench/middle": ("mid", 0.5, 2.0),
    "bench/large": ("frontier", 3.0, 12.0),
}
"""The models: tier, and dollars per million tokens of input and of output."""
DIRECT = "direct to the model"
CHAT = "/chat/completions"
STARTS_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row: where requests go, for which model, and whose processor and memory they take."""

    name: str
    url: str
    """Of chat completions."""
    model: str
    pid: int

    @property
    def count_url(self) -> str:
        """Where a stub says how many completions it was asked for."""
        return self.url.removesuffix(CHAT) + "/count"


def start_stub(stack: ExitStack) -> Contestant:
    """Start the upstream; return it as the row without a gateway."""
    stub = stack.enter_context(ChildServer("stub", ["-m", f"{__package__}.stub"]))
    return Contestant(DIRECT, stub.url + CHAT, "bench/small", stub.pid)


def write_models(
    folder: Path,
    upstream_url: str,
    models: Mapping[str, tuple[str, float, float]] = MODELS,
    *,
    judge: bool = False,
) -> str:
    """Write x25's model files; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [(model_id, "chat", *facts) for model_id, facts in models.items()]
    entries += [(JUDGE, "judge", "mid", 0.1, 0.4)] * judge
    for number, (model_id, role, tier, dollars_in, dollars_out) in enumerate(entries):
        prices = {"input_usd_per_mtok": dollars_in, "output_usd_per_mtok": dollars_out}
        file = {"model_id": model_id, "role": role, "tier": tier, "prices": prices, "base_url": upstream_url}
        (folder / f"model-{number}.yaml").write_text(json.dumps(file))  # JSON is YAML
    return str(folder.resolve())


def start_x25(
    stack: ExitStack, folder: Path, upstream: Contestant, executor: str, *, judged: bool
) -> Contestant:
    """Start a gateway at its defaults, with a store of its own."""
    name = f"x25 {executor}" + (", judged" if judged else "")
    url = upstream.url.removesuffix(CHAT)
    gateway = gateway_process(
        folder / name.replace(" ", "-"),
        simulator_url="",
        upstream="real",
        models_dir=write_models(folder / f"models-{judged}", url, judge=judged),
        judge=JUDGE if judged else "none",
        executor=executor,
    )
    gateway = stack.enter_context(gateway)
    return Contestant(name, f"{gateway.url}/v1{CHAT}", "auto", gateway.pid)


def litellm_config(upstream_url: str) -> dict[str, Any]:
    """Return a proxy's configuration: the same models at the same prices, and its router by complexity."""
    models = [
        {
            "model_name": model_id,
            "litellm_params": {
                "model": f"openai/{model_id}", "api_base": upstream_url, "api_key": "none",
                "input_cost_per_token": dollars_in / 1e6, "output_cost_per_token": dollars_out / 1e6,
            },
        }
        for model_id, (_, dollars_in, dollars_out) in MODELS.items()
    ]  # fmt: skip
    small, middle, large = MODELS
    tiers = {"SIMPLE": small, "MEDIUM": middle, "COMPLEX": large, "REASONING": large}
    router = {"model": "auto_router/complexity_router", "complexity_router_config": {"tiers": tiers}}
    return {
        "model_list": [*models, {"model_name": "auto", "litellm_params": router}],
        "litellm_settings": {"set_verbose": False, "telemetry": False},
    }


def litellm_version(python: str) -> str:
    """Return the version of LiteLLM that a Python has.

    Raises
    ------
    RuntimeError
        When it has none.
    """
    asked = "from importlib.metadata import version; print(version('litellm'))"
    found = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if found.returncode:
        raise RuntimeError(
            f"{python} has no litellm: pip install 'litellm[proxy]' there\n{found.stderr[-500:]}"
        )
    return found.stdout.strip()


def start_litellm(stack: ExitStack, folder: Path, upstream: Contestant, python: str) -> list[Contestant]:
    """Start one proxy; return it twice, asked for a model and for its own router's choice."""
    folder = folder / "litellm"
    folder.mkdir(parents=True)
    url, pid = stack.enter_context(litellm_proxy(folder, upstream.url.removesuffix(CHAT), python))
    small = next(iter(MODELS))
    return [
        Contestant("litellm, one model", url, small, pid),
        Contestant("litellm, complexity router", url, "auto", pid),
    ]


@contextmanager
def litellm_proxy(folder: Path, upstream_url: str, python: str) -> Iterator[tuple[str, int]]:
    """Run a proxy as in production: one worker, no debugging, telemetry or log of accesses, no database.

    Yields its address of chat completions and its process id.
    """
    (folder / "config.yaml").write_text(json.dumps(litellm_config(upstream_url)))
    quiet = {
        "version": 1,
        "disable_existing_loggers": False,
        "loggers": {"uvicorn.access": {"level": "ERROR"}},
    }
    (folder / "log.json").write_text(json.dumps(quiet))
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    command = Path(python).parent / "litellm"
    arguments = [
        str(command), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1",
        "--telemetry", "False", "--log_config", "log.json",
    ]  # fmt: skip
    environ = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")} | {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION",
        # It would not start open, as x25 does on loopback.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }  # fmt: skip
    with running(
        arguments, environ, folder / "litellm.log", is_ready=lambda: _lives(root), timeout_s=STARTS_WITHIN_S
    ) as pid:
        yield f"{root}/v1{CHAT}", pid


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _lives(root: str) -> bool:
    try:
        return asyncio.run(ask_once(f"{root}/health/liveliness"))[0] == 200
    except OSError:
        return False
