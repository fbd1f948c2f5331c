"""What the gateway adds to a call, and the calls it carries: `python -m x25.bench.added_latency`.

Simulator (without latency), gateway and this load generator are three processes on one machine. Each pair
sends one prompt straight to a simulated model and through the gateway, in random order, over one kept-alive
connection each; the difference is what the gateway adds. The gateway routes among all simulated models,
keeps its log, audit chain and checkpoints in SQLite, and makes one model call: escalation and exploration
are off, so that every call does the same work. Requests per second are those of a closed loop: each client
waits for its answer, then sends the next request.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..demo.gateway import gateway_process
from ..simulator.child import ChildServer
from ..simulator.process import SimulatorProcess
from ..simulator.tasks import generate

DIRECT_MODEL = "sim/tiny-1"
ROUTERS = {
    "bench": {"strategy": "plan", "max_escalations": 0, "epsilon": 0.0, "audit_rate": 0.0},
    "bench-judged": {"strategy": "classic", "max_escalations": 0, "epsilon": 0.0, "audit_rate": 0.0},
}
"""Router configs of the benchmark: one answer, never and always judged."""
FIGURES = {
    "p50_ms": "added p50, ms",
    "p95_ms": "added p95, ms",
    "paired_p50_ms": "paired p50, ms",
    "paired_p95_ms": "paired p95, ms",
}
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a prompt is sent, and how."""

    name: str
    url: str
    body: Callable[[str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Added:
    """What one round of pairs says the gateway adds, milliseconds."""

    p50_ms: float
    """Difference of the medians."""
    p95_ms: float
    """Difference of the 95th percentiles."""
    paired_p50_ms: float
    """Median of the differences pair by pair."""
    paired_p95_ms: float


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over the rounds."""

    median: float
    low: float
    high: float


def added(direct_ms: Sequence[float], gateway_ms: Sequence[float]) -> Added:
    """Summarise latencies measured in pairs.

    Raises
    ------
    ValueError
        When there is no pair, or a half of one is missing.
    """
    if not direct_ms or len(direct_ms) != len(gateway_ms):
        raise ValueError(f"expected pairs, got {len(direct_ms)} direct and {len(gateway_ms)} gateway")
    direct, gateway = np.asarray(direct_ms), np.asarray(gateway_ms)
    of_medians, of_tails = np.percentile(gateway, [50, 95]) - np.percentile(direct, [50, 95])
    paired_p50, paired_p95 = np.percentile(gateway - direct, [50, 95])
    return Added(float(of_medians), float(of_tails), float(paired_p50), float(paired_p95))


def over_rounds(values: Sequence[float]) -> Spread:
    """Return median, lowest and highest of one figure."""
    return Spread(float(np.median(values)), min(values), max(values))


def send_pairs(
    direct: Target, gateway: Target, prompts: Sequence[str], *, seed: int
) -> tuple[list[float], list[float]]:
    """Send each prompt both ways, in random order; return the latencies in milliseconds."""
    order = random.Random(seed)  # noqa: S311 - a coin for the order, not a secret
    latencies: dict[str, list[float]] = {direct.name: [], gateway.name: []}
    with httpx.Client(timeout=TIMEOUT_S) as to_model, httpx.Client(timeout=TIMEOUT_S) as to_gateway:
        ways = [(to_model, direct), (to_gateway, gateway)]
        for prompt in prompts:
            for client, target in order.sample(ways, 2):
                body = target.body(prompt)
                began = time.perf_counter()
                response = client.post(target.url, json=body)
                latencies[target.name].append((time.perf_counter() - began) * 1e3)
                response.raise_for_status()
    return latencies[direct.name], latencies[gateway.name]


async def requests_per_s(target: Target, prompts: Sequence[str], *, clients: int, seconds: float) -> float:
    """Return the requests per second that `clients` clients get answered, each with one under way."""
    answered = 0
    queue = cycle(prompts)
    began = time.perf_counter()

    async def work(client: httpx.AsyncClient) -> None:
        nonlocal answered
        while time.perf_counter() - began < seconds:
            (await client.post(target.url, json=target.body(next(queue)))).raise_for_status()
            answered += 1

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits) as client, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(work(client))
    return answered / (time.perf_counter() - began)


def measure(options: argparse.Namespace, folder: Path, step: Callable[[str], None]) -> dict[str, Any]:
    """Run every round and return the report; `step` is told what was finished."""
    prompts = [task.prompt for task in generate(options.seed, options.pairs)]
    added_by_name: dict[str, list[Added]] = {}
    per_s: dict[str, dict[int, list[float]]] = {}
    with ExitStack() as stack:
        direct, *gateways = _start(folder, stack)
        for gateway in gateways:
            send_pairs(direct, gateway, list(islice(cycle(prompts), options.warmup)), seed=0)
        for number in range(options.rounds):
            for target in gateways:
                latencies = send_pairs(direct, target, prompts, seed=options.seed + number)
                added_by_name.setdefault(target.name, []).append(added(*latencies))
                step(f"{target.name}: pairs")
            for target in (direct, *gateways):
                for clients in options.clients:
                    loop = requests_per_s(target, prompts, clients=clients, seconds=options.seconds)
                    per_s.setdefault(target.name, {}).setdefault(clients, []).append(asyncio.run(loop))
                    step(f"{target.name}: {clients} clients")
    return _report(options, added_by_name, per_s)


def _start(folder: Path, stack: ExitStack) -> list[Target]:
    """Start the simulator and two gateways, one without and one with a judge; return what can be measured."""
    (folder / "routers").mkdir(parents=True)
    for name, config in ROUTERS.items():
        # JSON is YAML.
        (folder / "routers" / f"{name}.yaml").write_text(json.dumps({"name": name, **config}))
    simulator = stack.enter_context(SimulatorProcess(latency=False)).url
    plain = stack.enter_context(_gateway(folder, simulator, judge="none")).url
    judged = stack.enter_context(_gateway(folder, simulator, judge="auto")).url
    chat = "chat/completions"
    return [
        Target("direct to the model", f"{simulator}/{chat}", partial(_chat, DIRECT_MODEL)),
        Target("POST /route", f"{plain}/route", partial(_route, "bench")),
        Target(f"POST /v1/{chat}", f"{plain}/v1/{chat}", partial(_chat, "bench")),
        Target("POST /route, judged", f"{judged}/route", partial(_route, "bench-judged")),
    ]


def _gateway(folder: Path, simulator_url: str, *, judge: str) -> ChildServer:
    routers = str((folder / "routers").resolve())
    return gateway_process(folder / f"judge-{judge}", simulator_url, judge=judge, routers_dir=routers)


def _route(router: str, prompt: str) -> dict[str, Any]:
    return {"prompt": prompt, "router": router}


def _chat(model: str, prompt: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


def _report(
    options: argparse.Namespace,
    added_by_name: dict[str, list[Added]],
    per_s: dict[str, dict[int, list[float]]],
) -> dict[str, Any]:
    asked = ("pairs", "warmup", "seconds", "clients", "rounds", "seed")
    return {
        "machine": {
            "cores": os.cpu_count(),
            "platform": platform.platform(),
            "python": sys.version.split()[0],
        },
        "options": {name: getattr(options, name) for name in asked},
        "targets": [
            {
                "name": name,
                "added": _spreads(added_by_name[name]) if name in added_by_name else {},
                "requests_per_s": {n: asdict(over_rounds(rates)) for n, rates in by_clients.items()},
            }
            for name, by_clients in per_s.items()
        ],
    }


def _spreads(rounds: Sequence[Added]) -> dict[str, Any]:
    names = [field.name for field in fields(Added)]
    return {name: asdict(over_rounds([getattr(one, name) for one in rounds])) for name in names}


def show(report: dict[str, Any], console: Console) -> None:
    """Print the report for people: a column for each target, median over the range of the rounds."""
    machine, options, targets = report["machine"], report["options"], report["targets"]
    console.print(
        f"measured on this machine, Python {machine['python']}, {machine['cores']} cores shared by "
        f"simulator, gateway and load generator; median (lowest to highest) of {options['rounds']} rounds of "
        f"{options['pairs']} pairs"
    )
    table = Table("", *[target["name"] for target in targets])
    for name, label in FIGURES.items():
        table.add_row(label, *[_cell(target["added"].get(name)) for target in targets])
    for clients in options["clients"]:
        rates = [_cell(target["requests_per_s"][clients]) for target in targets]
        table.add_row(f"requests/s, {clients} clients", *rates)
    console.print(table)


def _cell(spread: dict[str, float] | None) -> str:
    if spread is None:
        return ""
    digits = 1 if spread["median"] < 100 else 0
    return f"{spread['median']:.{digits}f}\n({spread['low']:.{digits}f} to {spread['high']:.{digits}f})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m x25.bench.added_latency", description=__doc__)
    add = parser.add_argument
    add("--pairs", type=int, default=600, help="pairs of one round")
    add("--warmup", type=int, default=100, help="pairs sent to each target before the first round")
    add("--seconds", type=float, default=8.0, help="length of each closed loop")
    add("--clients", type=int, nargs="+", default=[8, 32], help="clients of the closed loops")
    add("--rounds", type=int, default=5)
    add("--seed", type=int, default=7, help="of the prompts and of the order within a pair")
    add("--json", type=Path, metavar="OUT", help="write the report there as well")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the report."""
    options = _parser().parse_args(arguments)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=Console(stderr=True)) as bar:
        steps = options.rounds * (3 + 4 * len(options.clients))
        task = bar.add_task("starting", total=steps)
        report = measure(options, Path(folder), lambda what: bar.update(task, advance=1, description=what))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    show(report, Console())


if __name__ == "__main__":
    main()
