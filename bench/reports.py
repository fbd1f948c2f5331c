"""How much longer reports and pages take with many calls than with few: `python -m x25.bench.reports`."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from ..state.audit.chain import append_entry
from ..state.audit.day_sums import add_to_days
from ..state.audit.sums import add_call
from ..state.queries.call_pages import CallFilter
from ..state.queries.periods import Period
from ..state.records import Attempt, Call
from ..state.schema import attempts, calls, values_of
from ..state.store import Store, open_store

ORG = "bench"
BATCH = 2_000
MODELS = (("v/small", "slm"), ("v/mid", "mid"), ("v/large", "frontier"))
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one report, the shortest of several rounds, with few calls and with many."""

    report: str
    few_s: float
    many_s: float

    @property
    def ratio(self) -> float:
        """How many times longer it takes with many."""
        return self.many_s / self.few_s


def logged(number: int) -> tuple[Call, Attempt]:
    """Return a call as it is logged, and the request it took."""
    model_id, tier = MODELS[number % len(MODELS)]
    at, call_id = BEGAN + timedelta(seconds=number), f"{number:024x}"
    decision = {"model_id": model_id, "tier": tier, "expected_cost_nusd": 12_000, "propensity": 0.5}
    call = Call(
        call_id=call_id, org=ORG, created_at=at, status="answered", task_type="qa", task_cell="qa", difficulty=0.1,
        model_id=model_id, provider="v", tier=tier, cost_nusd=11_400, judge_cost_nusd=900,
        reference_cost_nusd=90_000, quality_score=0.9, quality_source="judge", latency_ms=40.0, cascade_steps=1,
        escalations=0, fallbacks=0, propensity=0.5, router="auto", simulated=True, record_hash="",
        decision=decision,
    )  # fmt: skip
    attempt = Attempt(
        attempt_id=f"{call_id}-a0-0", org=ORG, call_id=call_id, step=0, kind="answer", model_id=model_id, tier=tier,
        deployment="d", status="finished", reserved_nusd=20_000, started_at=at, cost_nusd=11_400,
        cost_source="computed", prompt_tokens=90, completion_tokens=60, latency_ms=40.0, finished_at=at,
    )  # fmt: skip
    return call, attempt


async def fill(store: Store, count: int) -> None:
    """Log `count` calls, many a transaction."""

    def write(first: int, last: int, connection: Connection) -> None:
        for number in range(first, last):
            call, attempt = logged(number)
            entry, _ = append_entry(
                connection, ORG, {"kind": "call", "call_id": call.call_id}, count_call=True
            )
            connection.execute(insert(calls), values_of(call) | {"audit_idx": entry.index})
            connection.execute(insert(attempts), values_of(attempt))
            add_call(connection, call)
            add_to_days(connection, call)

    for first in range(0, count, BATCH):
        last = min(first + BATCH, count)
        await store.transact(lambda connection, first=first, last=last: write(first, last, connection))  # type: ignore[misc]


async def time_reports(store: Store, rounds: int) -> dict[str, float]:
    """Return the seconds of each report by its name; chains were verified once before."""
    await store.audit.verify(ORG)

    async def stats() -> None:
        await store.calls.stats(ORG)
        await store.estimates.costs(ORG)

    async def stats_of_all() -> None:
        await store.calls.stats(None)
        await store.estimates.costs(None)

    wanted = CallFilter(ORG, Period.ending(BEGAN.date() + timedelta(days=364), 365))

    async def observatory() -> None:
        await store.rollups.days(ORG, wanted.period.first, wanted.period.last)
        await store.call_pages.newest(wanted)

    async def decisions() -> None:
        await store.call_pages.count(wanted)
        for toward in ("older", "newer"):
            await store.call_pages.page(wanted, 25, None, toward)

    reports: dict[str, Callable[[], Awaitable[object]]] = {
        "/stats": stats, "/stats/all": stats_of_all, "/verify": lambda: store.audit.verify_new(ORG),
        "figures of the Observatory": observatory, "newest and oldest page of decisions": decisions,
    }  # fmt: skip
    return {name: await _least_s(report, rounds) for name, report in reports.items()}


async def _least_s(report: Callable[[], Awaitable[object]], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        await report()
        taken.append(time.perf_counter() - began)
    return min(taken)  # what another process on this machine takes away is no part of it


async def measure(few: int, many: int, rounds: int, folder: Path) -> list[Timing]:
    """Return how long each report takes over `few` calls and over `many`."""
    found = []
    for count in (few, many):
        url = f"sqlite+aiosqlite:///{folder / str(count)}.db"
        async with await open_store(url) as store:
            await fill(store, count)
        async with await open_store(url) as store:  # without what was just written in the way
            found.append(await time_reports(store, rounds))
    return [Timing(report, seconds, found[1][report]) for report, seconds in found[0].items()]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.reports", description=__doc__)
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--many", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder:
        timings = asyncio.run(measure(options.few, options.many, options.rounds, Path(folder)))
    for one in timings:
        print(
            f"{one.report}: {1e3 * one.few_s:.1f} ms with {options.few:,} calls, {1e3 * one.many_s:.1f} ms with "
            f"{options.many:,}: {one.ratio:.1f} times as long"
        )


if __name__ == "__main__":
    main()
