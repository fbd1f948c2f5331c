"""What a call costs through x25 and through LiteLLM's proxy: `python -m x25.bench.side_by_side`.

One upstream without delay, x25's gateway once for each executor, and, where a Python that has `litellm[proxy]` is
named, LiteLLM's proxy: each in processes of its own, one worker each, before the same three models. x25 runs at its
defaults (audit chain, evidence, ledger, checkpoints), without a judge; LiteLLM without keys, database, telemetry and
log of accesses. Caches are off but for the last figure, a repeated request that x25 is asked to keep. A round takes
them in random order. Latency: one client, blocks of the same prompts in turn; what is added is the difference of
percentiles to those of the upstream. Throughput: clients that each wait for their answer, then ask again, while the
others idle. Seconds of processor are those of a server and its children, work after the answer included: the figure
that noise on the machine moves least.
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
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from ..simulator.tasks import generate
from .contestants import DIRECT, MODELS, Contestant, litellm_version, start_litellm, start_stub, start_x25
from .figures import NOT_MEASURED, added, cell, over_rounds, percentiles, ratios
from .load import ask_once, closed_loop, encode, first_words_ms, latencies_ms, run
from .processes import cpu_seconds, resident_mib

BLOCK = 20
"""Prompts that one gateway is sent before it is another's turn."""
CACHED_PROMPT = "What is the capital of France?"
SETTLE_S = 0.5
"""How long a server may finish what it put off until after the answer, before its processor time is read."""
FIGURES = {
    "p50_ms": "latency p50, ms",
    "added_p50_ms": "added p50, ms",
    "added_p95_ms": "added p95, ms",
    "added_p99_ms": "added p99, ms",
    "requests_per_s": "requests/s, {clients} clients",
    "cpu_s": "processor s per 1,000 requests",
    "upstream_requests": "model requests a call",
    "resident_mib": "resident memory after, MiB",
    "generator_cpu_s": "load generator, processor s per 1,000",
    "first_token_ms": "first token p50, ms",
    "added_first_token_ms": "added to the first token p50, ms",
    "cache_hit_ms": "cache hit, ms",
}
WIDTH = 150
"""Characters the table needs; a narrower terminal breaks its lines."""
COMPARED = (
    "added_p50_ms",
    "added_p95_ms",
    "added_p99_ms",
    "requests_per_s",
    "cpu_s",
    "resident_mib",
    "added_first_token_ms",
)
Rounds = dict[str, dict[str, list[float]]]
"""Figures by row and by name, one a round."""


class Bench:
    """The rounds over what was started."""

    def __init__(
        self, options: argparse.Namespace, rows: Sequence[Contestant], step: Callable[[str], None]
    ) -> None:
        self._options = options
        self._rows = rows
        self._step = step
        prompts = [task.prompt for task in generate(options.seed, options.requests)]
        self._requests = {
            row.name: [encode(row.url, body(row, prompt)) for prompt in prompts] for row in rows
        }
        self._streams = {
            row.name: [encode(row.url, stream_body(row, prompt)) for prompt in prompts] for row in rows
        }
        self._order = random.Random(options.seed)  # noqa: S311 - an order, not a secret
        self.rounds: Rounds = {row.name: {} for row in rows}
        self.errors = 0

    async def warm_up(self) -> None:
        """Send each some requests, then keep it as busy as in a round, both unmeasured."""
        for row in self._rows:
            await latencies_ms(row.url, self._requests[row.name][: self._options.warmup])
            await first_words_ms(row.url, self._streams[row.name][: self._options.warmup])
            seconds = min(1.0, self._options.seconds)
            await closed_loop(
                row.url, self._requests[row.name], clients=self._options.clients, seconds=seconds
            )
            self._step(f"warm: {row.name}")

    async def round(self) -> None:
        """Measure every row once."""
        found = await self._latencies()
        for row in self._rows:
            figures = {f"{name}_ms": value for name, value in percentiles(found[row.name]).items()}
            if row.name != DIRECT:
                figures |= {
                    f"added_{name}_ms": v for name, v in added(found[DIRECT], found[row.name]).items()
                }
            self._note(row, figures)
        await self._first_tokens()
        await self._cache_hits()
        self._step("latencies")
        for row in self._order.sample(self._rows, len(self._rows)):
            self._note(row, await self._throughput(row))
            self._step(row.name)

    async def _latencies(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {row.name: [] for row in self._rows}
        for first in range(0, self._options.requests, BLOCK):
            for row in self._order.sample(self._rows, len(self._rows)):
                found[row.name] += await latencies_ms(
                    row.url, self._requests[row.name][first : first + BLOCK]
                )
        return found

    async def _first_tokens(self) -> None:
        found: dict[str, list[float]] = {row.name: [] for row in self._rows}
        for first in range(0, self._options.requests, BLOCK):
            for row in self._order.sample(self._rows, len(self._rows)):
                found[row.name] += await first_words_ms(
                    row.url, self._streams[row.name][first : first + BLOCK]
                )
        for row in self._rows:
            first_ms = median(found[row.name])
            more = {} if row.name == DIRECT else {"added_first_token_ms": first_ms - median(found[DIRECT])}
            self._note(row, {"first_token_ms": first_ms, **more})

    async def _cache_hits(self) -> None:
        """Measure x25 where the answer was bought before; LiteLLM's cache would be on for all of its rows."""
        for row in self._rows:
            if row.name.startswith("x25"):
                request = encode(row.url, {**body(row, CACHED_PROMPT), "x25": {"cache": "exact"}})
                await latencies_ms(row.url, [request])  # bought, and kept
                self._note(row, {"cache_hit_ms": median(await latencies_ms(row.url, [request] * BLOCK * 2))})

    async def _throughput(self, row: Contestant) -> dict[str, float]:
        counted, taken, own = await self._count(), cpu_seconds(row.pid), time.process_time()
        loop = await closed_loop(
            row.url, self._requests[row.name], clients=self._options.clients, seconds=self._options.seconds
        )
        own = time.process_time() - own
        await asyncio.sleep(SETTLE_S)
        self.errors += loop.errors
        asked = max(1, loop.answered + loop.errors)
        return {
            "requests_per_s": loop.answered / loop.seconds,
            "cpu_s": 1e3 * (cpu_seconds(row.pid) - taken) / asked,
            "generator_cpu_s": 1e3 * own / asked,
            "upstream_requests": (await self._count() - counted) / asked,
            "resident_mib": resident_mib(row.pid),
        }

    async def _count(self) -> int:
        (stub,) = [row for row in self._rows if row.name == DIRECT]
        _, counted = await ask_once(stub.count_url)
        return int(json.loads(counted)["count"])

    def _note(self, row: Contestant, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self.rounds[row.name].setdefault(name, []).append(value)


def body(row: Contestant, prompt: str) -> dict[str, Any]:
    """Return what a row is asked."""
    return {"model": row.model, "messages": [{"role": "user", "content": prompt}]}


def stream_body(row: Contestant, prompt: str) -> dict[str, Any]:
    """Return what a row is asked for a stream: of one model, so that each passes it straight on."""
    return {**body(row, prompt), "model": next(iter(MODELS)), "stream": True}


async def measure(bench: Bench, rounds: int) -> None:
    """Run every round.

    Raises
    ------
    RuntimeError
        When a request failed: figures of a server that fails are none.
    """
    await bench.warm_up()
    for _ in range(rounds):
        await bench.round()
    if bench.errors:
        raise RuntimeError(f"{bench.errors} requests failed")


def report(options: argparse.Namespace, rounds: Rounds, litellm: str | None) -> dict[str, Any]:
    """Return the figures over the rounds, and of each row of x25 its ratio to each of LiteLLM."""
    ours = [name for name in rounds if name.startswith("x25")]
    theirs = [name for name in rounds if name.startswith("litellm")]
    asked = ("rounds", "requests", "clients", "seconds", "seed", "judge")
    return {
        "machine": {"cores": os.cpu_count(), "platform": platform.platform(), "python": sys.version.split()[0]},
        "litellm": litellm,
        "options": {name: getattr(options, name) for name in asked},
        "rows": {
            row: {name: asdict(over_rounds(figures[name])) if name in figures else None for name in FIGURES}
            for row, figures in rounds.items()
        },
        "ratios": {
            f"{our} / {their}": {
                name: asdict(ratios(rounds[our][name], rounds[their][name])) for name in COMPARED
            }
            for our in ours
            for their in theirs
        },
    }  # fmt: skip


def show(found: dict[str, Any], console: Console) -> None:
    """Print the report for people: a column a row of the bench, median over the range of the rounds."""
    machine, options = found["machine"], found["options"]
    versions = f"Python {machine['python']}" + (f", litellm {found['litellm']}" if found["litellm"] else "")
    console.print(
        f"measured on this machine, {versions}, {machine['cores']} cores shared by all; median (lowest to highest) of "
        f"{options['rounds']} rounds of {options['requests']} requests and {options['seconds']} s"
    )
    table = Table("", *found["rows"])
    for name, label in FIGURES.items():
        cells = [_cell(figures, name) for figures in found["rows"].values()]
        table.add_row(label.format(clients=options["clients"]), *cells)
    console.print(table)
    if found["ratios"]:
        table = Table("ratio", *(FIGURES[name].format(clients=options["clients"]) for name in COMPARED))
        for pair, by_name in found["ratios"].items():
            table.add_row(pair, *[cell(by_name[name], 2) for name in COMPARED])
        console.print(table)


def _cell(figures: dict[str, Any], name: str) -> str:
    if figures[name] is None and (name != "cache_hit_ms" or figures["added_p50_ms"] is None):
        return ""  # nothing is added on the way that adds nothing, and nothing is kept there
    return NOT_MEASURED if figures[name] is None else cell(figures[name])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m x25.bench.side_by_side", description=__doc__)
    add = parser.add_argument
    add(
        "--litellm-python",
        metavar="PATH",
        help="a Python that has litellm[proxy]; without it x25 is measured alone",
    )
    add("--rounds", type=int, default=5)
    add("--clients", type=int, default=32, help="clients of the closed loops")
    add("--requests", type=int, default=200, help="latencies of one round")
    add("--seconds", type=float, default=6.0, help="length of each closed loop")
    add("--warmup", type=int, default=100, help="requests before the first round, of no more than --requests")
    add("--executors", default="direct,langgraph", help="values of X25_EXECUTOR, a gateway each")
    add("--judge", action="store_true", help="a further gateway for each executor, with a judge")
    add("--seed", type=int, default=7, help="of the prompts and of the order")
    add(
        "--json",
        nargs="?",
        const="-",
        metavar="OUT",
        help="write the report there, or print it in place of the table",
    )
    return parser


def _start(options: argparse.Namespace, folder: Path, stack: ExitStack) -> list[Contestant]:
    stub = start_stub(stack)
    rows = [stub]
    rows += [
        start_x25(stack, folder, stub, executor, judged=judged)
        for executor in options.executors.split(",")
        for judged in (False, True)[: 1 + options.judge]
    ]
    if options.litellm_python:
        rows += start_litellm(stack, folder, stub, options.litellm_python)
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the report."""
    options = _parser().parse_args(arguments)
    litellm = litellm_version(options.litellm_python) if options.litellm_python else None
    with (
        Console(stderr=True).status("starting") as status,
        tempfile.TemporaryDirectory(prefix="x25-bench-") as folder,
        ExitStack() as stack,
    ):
        bench = Bench(options, _start(options, Path(folder), stack), status.update)
        run(measure(bench, options.rounds))
    found = report(options, bench.rounds, litellm)
    text = json.dumps(found, indent=2) + "\n"
    if options.json == "-":
        print(text, end="")
        return
    if options.json:
        Path(options.json).write_text(text, encoding="utf-8")
    show(found, Console(width=max(WIDTH, Console().width)))


if __name__ == "__main__":
    main()
