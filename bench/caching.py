"""What caches save an agent, and what each mode adds to a call: `python -m x25.bench.caching [--runs 60]`.

The workload is a support agent's, simulated: each run takes one ticket through the same four steps (plan, classify,
look a fact up, write to the customer), with one system prompt and the same tools. Tickets repeat as they do in a help
desk: the kind of each run's ticket is drawn with a probability that falls with its rank, and one run in five has words
of its own. It is sent twice, in mode proxy and in mode cache, to gateways with stores of their own; a hit counts as
false where its call's body and that of the call whose answer it is differ in a byte. Models, prices and answers are
simulated.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from ..graph.run import Cascade, open_cascade
from ..graph.settings import load_settings
from ..routing.plan.caching import MODES
from ..simulator.process import SimulatorProcess
from ..state.savings import saved_share
from ..state.types import Reply, Request

SYSTEM = "You are the support agent of a shop. Work step by step; use the tools for facts about orders."
TICKETS = (
    "Where is my parcel?", "I want my money back.", "The size is wrong.", "My discount code fails.",
    "I was charged twice.", "The lamp arrived broken.", "Change my delivery address.", "I forgot my password.",
    "Do you ship to Norway?", "Cancel my order.", "The invoice is missing.", "How do I clean the rug?",
)  # fmt: skip
STEPS = (
    "Plan how to answer this ticket in three steps: {}",
    "Classify this ticket as delivery, payment, product or account: {}",
    "Which policy of the shop applies to this ticket? {}",
    "Write the reply to the customer: {}",
)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_order",
            "description": "Find an order by its number.",
            "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
        },
    }
]
OWN_WORDS_SHARE = 0.2
ORG = "bench"


@dataclass(frozen=True, slots=True)
class Saving:
    """What caches did to one workload."""

    calls: int
    repeated: int
    """Calls whose very body was sent before."""
    hits: int
    false_hits: int
    cost_usd: float
    """Without caches."""
    cached_cost_usd: float

    @property
    def saved_share(self) -> float:
        """Of what the workload costs without caches."""
        return saved_share(self.cost_usd, self.cached_cost_usd)


@dataclass(frozen=True, slots=True)
class Added:
    """What a mode adds to a call beside its models, milliseconds, medians."""

    mode: str
    bought_ms: float
    """To a call that buys its answer."""
    hit_ms: float | None
    """The whole of a call that is given one; None where the mode gives none."""


def workload(runs: int, seed: int) -> list[Request]:
    """Return the requests of some runs of the agent, in order."""
    rng = random.Random(seed)  # noqa: S311 - a workload, not a secret
    weights = [1 / (1 + rank) for rank in range(len(TICKETS))]
    requests: list[Request] = []
    for run in range(runs):
        (ticket,) = rng.choices(TICKETS, weights)
        if rng.random() < OWN_WORDS_SHARE:
            ticket = f"{ticket} My order is number {1_000 + run}."
        for step in STEPS:
            messages = [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": step.format(ticket)},
            ]
            requests.append({"messages": messages, "org": ORG, "options": {"temperature": 0, "tools": TOOLS}})
    return requests


async def ask_all(cascade: Cascade, requests: Sequence[Request], mode: str) -> list[Reply]:
    """Send the requests one after the other; return the replies."""
    return [await cascade.route({**request, "mode": mode}) for request in requests]


def saving(requests: Sequence[Request], bought: Sequence[Reply], cached: Sequence[Reply]) -> Saving:
    """Return what the cached replies saved beside the others."""
    bodies = [json.dumps(request, sort_keys=True) for request in requests]
    call_to_body = {reply["call_id"]: body for reply, body in zip(cached, bodies, strict=True)}
    hits = [
        (body, hit)
        for reply, body in zip(cached, bodies, strict=True)
        if (hit := reply["cached"]) and hit["hit"]
    ]
    return Saving(
        calls=len(requests),
        repeated=len(bodies) - len(set(bodies)),
        hits=len(hits),
        false_hits=sum(call_to_body[hit["call_id"]] != body for body, hit in hits),
        cost_usd=sum(reply["cost_usd"] for reply in bought),
        cached_cost_usd=sum(reply["cost_usd"] for reply in cached),
    )


async def added_of(cascade: Cascade, calls: int, modes: Sequence[str] = MODES) -> list[Added]:
    """Return what each mode adds to calls that buy their answers, and what a call takes that does not; in turn."""
    bought: dict[str, list[float]] = {mode: [] for mode in modes}
    hits: dict[str, list[float]] = {mode: [] for mode in modes}
    for number in range(calls):
        for mode in modes:
            request: Request = {"prompt": f"What is {number} plus 4?", "org": f"{ORG}-{mode}", "mode": mode}
            reply = await cascade.route(request)
            at_models_ms = sum(one["latency_ms"] or 0.0 for one in reply["explain"]["attempts"])
            bought[mode].append(reply["latency_ms"] - at_models_ms)
            again = await cascade.route(request)
            if (cached := again["cached"]) and cached["hit"]:
                hits[mode].append(again["latency_ms"])
    return [Added(mode, median(bought[mode]), median(hits[mode]) if hits[mode] else None) for mode in modes]


async def measure(options: argparse.Namespace, simulator: SimulatorProcess, folder: Path) -> dict[str, Any]:
    """Run everything; return the report."""
    async with AsyncExitStack() as stack:

        async def opened(name: str) -> Cascade:
            settings = load_settings(
                {}, data_dir=folder / name, upstream="simulator", simulator_url=simulator.url, judge="none",
                seed=options.seed, log_level="ERROR",
            )  # fmt: skip
            return await stack.enter_async_context(open_cascade(settings))

        requests = workload(options.runs, options.seed)
        bought = await ask_all(await opened("proxy"), requests, "proxy")
        cached = await ask_all(await opened("cache"), requests, "cache")
        modes = await opened("modes")
        added = await added_of(modes, options.calls)
    found = saving(requests, bought, cached)
    return {
        "simulated": True,
        "saving": {**asdict(found), "saved_share": found.saved_share},
        "modes": [asdict(one) for one in added],
    }


def show(report: dict[str, Any], console: Console) -> None:
    """Print the report for people."""
    found = report["saving"]
    console.print(
        f"{found['calls']} calls, {found['repeated']} of them repeated: {found['hits']} hits, "
        f"{found['false_hits']} false; ${found['cost_usd']:.6f} without caches, ${found['cached_cost_usd']:.6f} with: "
        f"{found['saved_share']:.1%} saved (simulated)"
    )
    table = Table("mode", "added to a call that buys, p50 ms", "a hit, p50 ms")
    for one in report["modes"]:
        hit = "-" if one["hit_ms"] is None else f"{one['hit_ms']:.2f}"
        table.add_row(one["mode"], f"{one['bought_ms']:.2f}", hit)
    console.print(table)


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.caching", description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="tickets that the agent works on")
    parser.add_argument("--calls", type=int, default=100, help="calls of each mode")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    with (
        SimulatorProcess(latency=False) as simulator,
        tempfile.TemporaryDirectory(prefix="x25-bench-") as folder,
    ):
        report = asyncio.run(measure(options, simulator, Path(folder)))
    if options.json:
        print(json.dumps(report, indent=2))
        return
    show(report, Console())


if __name__ == "__main__":
    main()
