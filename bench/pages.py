"""How long each page's figures take over a long log: `python -m x25.bench.pages [--calls 1000000]`.

A store of a year's calls, copied from a few that were really made, with the sums by day that they would have left. What
each page reads is timed in process, without the page around it, for one org and for all.
"""

import argparse
import asyncio
import json
import logging
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..graph.run import Cascade, open_cascade
from ..graph.settings import Settings
from ..state.audit.day_sums import DAY_FIGURES, DAY_KEYS, LATENCY_KEYS, figures_of
from ..state.queries.call_pages import CallFilter, Place
from ..state.queries.periods import Period
from ..state.records import Call
from ..terminal.alerts import alerts_of
from ..terminal.figures import read_home, read_observed, stage_now
from ..terminal.kept import receipt_of
from .contestants import CHAT, MODELS, start_stub, write_models
from .fill import copy_calls

ORG = "bench"
REAL_CALLS = 40
DAYS = 365
ROUNDS = 5
Figures = dict[str, float]
"""Seconds by what is read."""


async def prepare(settings: Settings, calls: int) -> None:
    """Make a few calls, then the store as full as after `calls`, spread over a year that ends now."""
    async with open_cascade(settings) as cascade:
        for n in range(REAL_CALLS):
            await cascade.route({"prompt": f"Is {n} prime? And why?", "org": ORG})
        await cascade.drain()
        templates = await cascade.services.store.calls.list(ORG, REAL_CALLS)
    path = settings.data_dir / "x25.db"
    copy_calls(path, ORG, calls - REAL_CALLS)
    spread(path, {one.call_id: one for one in templates}, calls)


def spread(path: Path, templates: dict[str, Call], calls: int) -> None:
    """Date the calls evenly over a year, and write the sums that they leave, as logging them would have."""
    now = datetime.now(UTC)
    first_us, step_us = int((now - timedelta(days=DAYS)).timestamp() * 1e6), int(DAYS * 86_400e6 / calls)
    figures = {(one.model_id, one.latency_ms): figures_of(one) for one in templates.values()}
    with closing(sqlite3.connect(path)) as connection, connection:
        dated = "UPDATE calls SET created_at = ? + ? * audit_idx WHERE org = ?"
        connection.execute(dated, (first_us, step_us, ORG))
        seen = Counter(
            ((first_us + step_us * idx) // 86_400_000_000, (model_id, latency_ms))
            for idx, model_id, latency_ms in connection.execute(
                "SELECT audit_idx, model_id, latency_ms FROM calls"
            )
        )
        days: dict[tuple[Any, ...], Counter[str]] = {}
        buckets: Counter[tuple[Any, ...]] = Counter()
        for (day, kind), count in seen.items():
            one = figures[kind] | {"day": datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()}
            sums = days.setdefault(tuple(one[name] for name in DAY_KEYS), Counter())
            sums.update({name: one[name] * count for name in DAY_FIGURES})
            buckets[tuple(one[name] for name in LATENCY_KEYS)] += count
        _replace(connection, "day_sums", (*DAY_KEYS, *DAY_FIGURES), [
            (*key, *(sums[name] for name in DAY_FIGURES)) for key, sums in days.items()
        ])  # fmt: skip
        counts = [(*key, count) for key, count in buckets.items()]
        _replace(connection, "day_latencies", (*LATENCY_KEYS, "total_calls"), counts)


def _replace(
    connection: sqlite3.Connection, table: str, names: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this file
    marks = ", ".join("?" for _ in names)
    connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608


def readings(cascade: Cascade, org: str | None) -> dict[str, Callable[[], Awaitable[object]]]:
    """Return what each page reads, by the page's name."""
    services = cascade.services
    store, today = services.store, services.now().date()
    year, month = Period.ending(today, DAYS), Period.ending(today, 30)
    narrowed = CallFilter(org, year, tier="frontier")

    async def home() -> None:
        await alerts_of(cascade, org, await read_home(services, org, today))

    async def decisions() -> None:
        await store.call_pages.count(narrowed)
        for toward in ("older", "newer"):
            await store.call_pages.page(narrowed, 25, None, toward)

    async def receipt() -> None:
        line = (await store.call_pages.page(CallFilter(org, year), 1, None, "newer"))[0]
        call = await store.call_pages.find(None if org is None else [org], line.call_id)
        assert call is not None
        await receipt_of(cascade, call)

    async def export() -> None:
        lines = await store.call_pages.page(CallFilter(org, year), 1_000)
        await store.call_pages.page(CallFilter(org, year), 1_000, Place.of(lines[-1]))

    found: dict[str, Callable[[], Awaitable[object]]] = {
        "Home": home,
        "Observatory, 30 days": lambda: read_observed(services, CallFilter(org, month)),
        "Observatory, 365 days": lambda: read_observed(services, CallFilter(org, year)),
        "decisions of a tier, newest and oldest page": decisions,
        "receipt of the oldest call": receipt,
        "mission control's feed": lambda: store.call_pages.page(
            CallFilter(org, Period.ending(today, 60)), 12
        ),
        "2,000 rows of the export": export,
    }
    if org is not None:
        found["stage"] = lambda: stage_now(services, org)
        found["history of the routing page"] = lambda: store.history.recent(org, limit=12)
    return found


async def measure(settings: Settings, rounds: int) -> dict[str, Figures]:
    """Return the seconds of each reading, the median of some rounds after one that warms up, by org and for all."""
    async with open_cascade(settings, does_chores=False) as cascade:
        return {
            name: {page: await _median_s(read, rounds) for page, read in readings(cascade, org).items()}
            for name, org in (("one org", ORG), ("all orgs", None))
        }


async def _median_s(read: Callable[[], Awaitable[object]], rounds: int) -> float:
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        await read()
        taken.append(time.perf_counter() - began)
    return sorted(taken[1:])[rounds // 2]


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing for a while: that nobody judges is meant."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(before)


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.pages", description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the seconds there as well")
    options = parser.parse_args(arguments)
    with quiet(), tempfile.TemporaryDirectory(prefix="x25-bench-") as folder, ExitStack() as stack:
        models = write_models(Path(folder) / "models", start_stub(stack).url.removesuffix(CHAT), MODELS)
        settings = Settings(data_dir=Path(folder), upstream="real", judge="none", models_dir=models, seed=7)
        asyncio.run(prepare(settings, options.calls))
        found = asyncio.run(measure(settings, options.rounds))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for name, pages in found.items():
        for page, seconds in pages.items():
            print(f"{name}, {options.calls:,} calls: {page}: {1e3 * seconds:,.0f} ms")


if __name__ == "__main__":
    main()
