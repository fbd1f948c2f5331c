"""What sending a first answer at once would win, and how often it would be wrong: `python -m x25.bench.streaming`.

Calls are routed as ever, answers kept until they stand, before simulated models that take their time. Of each is noted
how sure its first answer was to stand when it was asked for, whether it did, when its first token could have been sent,
and when the answer stood. For each bar on that probability the table then says how many first answers would have been
sent at once, how many of these wrongly (another answer was returned, which could not have been sent any more), and what
that does to the time until a caller reads the first word. A first token comes after the share of an answer's latency
that the simulator gives it.

The gateway does so where `X25_STREAM_RELEASE_PROB` is such a bar; by default it does not.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from ..graph.run import Cascade, open_cascade
from ..graph.settings import load_settings
from ..simulator.app import FIRST_TOKEN_SHARE
from ..simulator.tasks import generate
from ..state.types import Request

BARS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
ORG = "bench"


@dataclass(frozen=True, slots=True)
class Seen:
    """One call."""

    stands_prob: float
    """Probability at the decision that the first answer is right."""
    stood: bool
    """Whether it was the one returned."""
    first_ms: float
    """When its first token could have been sent."""
    whole_ms: float
    """When the answer stood."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a bar does."""

    bar: float
    sent_share: float
    wrong_share: float
    """Of the answers sent."""
    first_p50_ms: float
    """Median time to the first word, those of kept answers included."""


def curve(seen: Sequence[Seen], bars: Sequence[float] = BARS) -> list[Point]:
    """Return a point a bar, and one for a bar that nothing reaches."""
    points = []
    for bar in (*bars, float("inf")):
        sent = [one for one in seen if one.stands_prob >= bar]
        times = [one.first_ms if one.stands_prob >= bar else one.whole_ms for one in seen]
        wrong = sum(not one.stood for one in sent) / len(sent) if sent else 0.0
        points.append(Point(bar, len(sent) / len(seen), wrong, median(times)))
    return points


async def observe(cascade: Cascade, request: Request, call_id: str, turn: asyncio.Semaphore) -> Seen:
    """Route a request and return what was seen of its first answer."""
    async with turn:
        reply = await cascade.route({**request, "org": ORG, "call_id": call_id})
    explained = reply["explain"]
    first = explained["first_decision"]["model_id"]
    (mean,) = [one["posterior_mean"] for one in explained["candidates"] if one["model_id"] == first]
    made = await cascade.services.store.attempts.for_call(ORG, call_id)
    before_ms = sum(one["ms"] for one in explained["path"][:4])
    answer_ms = next(one.latency_ms or 0.0 for one in made if one.kind == "answer")
    stood = reply["model_used"] == first
    return Seen(mean, stood, before_ms + FIRST_TOKEN_SHARE * answer_ms, reply["latency_ms"])


async def measure(options: argparse.Namespace, folder: Path) -> list[Seen]:
    """Route tasks to simulated models until the org has learnt, then note what comes of the others."""
    settings = load_settings(
        {}, data_dir=folder, upstream="simulator", seed=options.seed, checkpoints="off", auto_train=False
    )
    turn = asyncio.Semaphore(options.clients)
    tasks = generate(options.seed, options.warmup + options.calls)
    requests: list[Request] = [{"prompt": task.prompt} for task in tasks]
    async with open_cascade(settings) as cascade:
        seen = [
            await asyncio.gather(*(observe(cascade, one, f"{name}{n}", turn) for n, one in enumerate(part)))
            for name, part in (("w", requests[: options.warmup]), ("m", requests[options.warmup :]))
        ]
    return list(seen[-1])


def show(points: Sequence[Point], console: Console) -> None:
    """Print the curve for people."""
    table = Table("sent at once from", "share sent", "of these wrong", "first word p50, ms")
    for one in points:
        bar = "never" if one.bar == float("inf") else f"{one.bar:.2f}"
        table.add_row(bar, f"{one.sent_share:.3f}", f"{one.wrong_share:.3f}", f"{one.first_p50_ms:,.0f}")
    console.print(table)


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the curve."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.streaming", description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--warmup", type=int, default=400, help="calls that the org learns from first")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder:
        points = curve(asyncio.run(measure(options, Path(folder))))
    if options.json:
        found: list[dict[str, Any]] = [asdict(one) for one in points[:-1]]
        print(json.dumps({"bars": found, "never": asdict(points[-1]) | {"bar": None}}))
    else:
        show(points, Console())


if __name__ == "__main__":
    main()
