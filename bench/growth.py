"""How a call grows with what there is: `python -m x25.bench.growth [--quick]`.

Curves over the calls that an org has logged, the orgs that a store knows, the models of a pool and the characters of a
prompt. Each point is a process of its own with a store of its own; calls go one after the other through a cascade in
process to an upstream without delay. The exponent is the slope of log(figure) over log(size), fitted to all points; the
last is the one between the two largest, where what a call costs in any case hides least: 0 is no growth, 1 is in
proportion.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from os import getpid
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..graph.run import Cascade, open_cascade
from ..graph.settings import Settings
from ..state.types import Request
from .contestants import CHAT, MODELS, start_stub, write_models
from .figures import exponent
from .fill import copy_calls, copy_orgs
from .processes import resident_mib

ORG = "bench"
KNOWN_CALLS = 10
"""Real calls that copies are made from."""
WARM_CALLS = 20
QUESTION = "Consider the numbers {} and 17. Which of the two is prime, and why? "
FIGURES = {"latency_ms": "latency p50, ms", "cpu_ms": "processor, ms", "resident_mib": "resident, MiB"}


@dataclass(frozen=True, slots=True)
class Curve:
    """What grows, and how far."""

    name: str
    sizes: tuple[int, ...]
    quick_sizes: tuple[int, ...]


CURVES = (
    Curve("logged calls of an org", (10, 10_000, 1_000_000), (10, 10_000)),
    Curve("orgs", (1, 100, 10_000), (1, 10_000)),
    Curve("models", (3, 30, 300), (3, 300)),
    Curve("characters of a prompt", (100, 1_000, 10_000, 100_000), (100, 10_000, 100_000)),
)
LOGGED, ORGS, POOL, CHARACTERS = (curve.name for curve in CURVES)


@dataclass(frozen=True, slots=True)
class Point:
    """What one call takes at one size."""

    size: int
    latency_ms: float
    """Median."""
    cpu_ms: float
    """Mean; work after the answer included."""
    resident_mib: float
    """Of the process, after all of them."""


def pool(size: int) -> dict[str, tuple[str, float, float]]:
    """Return `size` models, a third of each tier, each at a price of its own."""
    tiers = list(MODELS.values())
    return {
        f"bench/model-{number}": (tier, dollars_in * (1 + number / size), dollars_out * (1 + number / size))
        for number in range(size)
        for tier, dollars_in, dollars_out in [tiers[number % len(tiers)]]
    }


def prompt(number: int, characters: int) -> str:
    """Return a prompt of that many characters; no two numbers share one, as far as they fit."""
    question = QUESTION.format(number)
    return (question * (characters // len(question) + 1))[:characters]


async def measure(curve: str, size: int, calls: int, folder: Path) -> Point:
    """Return one point of a curve, with a store in `folder`."""
    with ExitStack() as stack:
        upstream = start_stub(stack).url.removesuffix(CHAT)
        models = write_models(folder / "models", upstream, pool(size) if curve == POOL else MODELS)
        settings = Settings(data_dir=folder, upstream="real", judge="none", models_dir=models, seed=7)
        if curve in {LOGGED, ORGS}:
            async with open_cascade(settings) as cascade:
                await _ask(cascade, _requests(LOGGED, 0), KNOWN_CALLS)
            if curve == ORGS:
                copy_orgs(folder / "x25.db", ORG, size)
            elif size > KNOWN_CALLS:
                copy_calls(folder / "x25.db", ORG, size - KNOWN_CALLS)
        async with open_cascade(settings) as cascade:
            requests = _requests(curve, size)
            await _ask(cascade, requests, WARM_CALLS)
            began_s = time.process_time()
            latencies = await _ask(cascade, requests, calls)
            await cascade.drain()
            cpu_s = time.process_time() - began_s
            return Point(size, statistics.median(latencies), 1e3 * cpu_s / calls, resident_mib(getpid()))


def _requests(curve: str, size: int) -> Iterator[Request]:
    for number in count():
        org = f"org-{number * 7919 % size}" if curve == ORGS else ORG
        text = prompt(number, size if curve == CHARACTERS else 200)
        yield {"messages": [{"role": "user", "content": text}], "org": org}


async def _ask(cascade: Cascade, requests: Iterator[Request], calls: int) -> list[float]:
    """Make calls one after the other; return the milliseconds of each."""
    found = []
    for _ in range(calls):
        request = next(requests)
        began = time.perf_counter()
        await cascade.route(request)
        found.append((time.perf_counter() - began) * 1e3)
    return found


def in_own_process(curve: str, size: int, calls: int) -> Point:
    """Return one point, measured by a process that has done nothing else."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder, ProcessPoolExecutor(1, spawn) as one:
        return one.submit(_point, curve, size, calls, folder).result()


def _point(curve: str, size: int, calls: int, folder: str) -> Point:
    logging.disable()  # that nobody judges is meant
    return asyncio.run(measure(curve, size, calls, Path(folder)))


def grown(points: list[Point]) -> dict[str, dict[str, float]]:
    """Return of each figure the exponent over all points, and over the last two."""
    sizes = [float(point.size) for point in points]
    values = {name: [float(getattr(point, name)) for point in points] for name in FIGURES}
    return {
        name: {"all": exponent(sizes, of), "last": exponent(sizes[-2:], of[-2:])}
        for name, of in values.items()
    }  # fmt: skip


def report(calls: int, *, quick: bool, step: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure every curve; `step` is told what comes next."""
    found = []
    for curve in CURVES:
        points = []
        for size in curve.quick_sizes if quick else curve.sizes:
            step(f"{size:,} {curve.name}")
            points.append(in_own_process(curve.name, size, calls))
        found.append(
            {"curve": curve.name, "points": [asdict(point) for point in points], "exponents": grown(points)}
        )
    return found


def show(curves: list[dict[str, Any]], console: Console) -> None:
    """Print the curves for people: a line a point, and a line of exponents after each curve."""
    table = Table("curve", "size", *FIGURES.values())
    for curve in curves:
        for point in curve["points"]:
            table.add_row(curve["curve"], f"{point['size']:,}", *[f"{point[name]:,.2f}" for name in FIGURES])
        exponents = [curve["exponents"][name] for name in FIGURES]
        cells = [f"{of['all']:.2f} (last {of['last']:.2f})" for of in exponents]
        table.add_row(curve["curve"], "exponent", *cells, end_section=True, style="bold")
    console.print(table)


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the curves."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer points, and no million calls")
    parser.add_argument("--calls", type=int, default=200, help="measured at each point")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the curves there as well")
    options = parser.parse_args(arguments)
    with Console(stderr=True).status("starting") as status:
        curves = report(options.calls, quick=options.quick, step=status.update)
    if options.json is not None:
        options.json.write_text(json.dumps(curves, indent=2) + "\n", encoding="utf-8")
    show(curves, Console(width=max(110, Console().width)))


if __name__ == "__main__":
    main()
