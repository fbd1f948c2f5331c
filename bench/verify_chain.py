"""How long an audit chain takes to verify: `python -m x25.bench.verify_chain [--records 100000]`."""

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection

from ..state.audit.chain import append_entry
from ..state.store import Store, open_store

BATCH = 2_000


def entry(number: int) -> dict[str, object]:
    """Return a record of the size and shape of a routed call's."""
    return {
        "kind": "call", "call_id": f"{number:024x}", "status": "answered", "router": "auto", "policy": {},
        "task": {"type": "reasoning", "cell": "reasoning", "source": "classifier"},
        "decision": {"model_id": "sim/small-2", "tier": "slm", "propensity": 0.53, "judge_prob": 1.0},
        "attempts": [{"attempt_id": f"{number:024x}-a0-0", "model_id": "sim/small-2", "spent_nusd": 11_400}] * 2,
        "prompt_sha256": f"{number:064x}", "cost_nusd": 11_400,
    }  # fmt: skip


async def fill(store: Store, org: str, records: int) -> None:
    """Append `records` entries to the org's chain, many a transaction."""

    def append(first: int, last: int, connection: Connection) -> None:
        for number in range(first, last):
            append_entry(connection, org, entry(number), count_call=True)

    for first in range(0, records, BATCH):
        last = min(first + BATCH, records)
        await store.transact(lambda connection, first=first, last=last: append(first, last, connection))  # type: ignore[misc]


async def measure(records: int, rounds: int, folder: Path) -> dict[str, float]:
    """Return the median seconds of a verification and the peak memory it added, MiB."""
    async with await open_store(f"sqlite+aiosqlite:///{folder / 'chain.db'}") as store:
        await fill(store, "bench", records)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            verification = await store.audit.verify("bench")
            seconds.append(time.perf_counter() - began)
            if not verification.intact or verification.total_records != records:
                sys.exit(f"expected {records} intact records, got {verification}")
        after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "records": records,
        "seconds": statistics.median(seconds),
        "added_mib": (after_kib - before_kib) / 1024,
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.verify_chain", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder:
        figures = asyncio.run(measure(options.records, options.rounds, Path(folder)))
    print(
        f"{figures['records']:,} records verified in {figures['seconds']:.2f} s (median of {options.rounds}), "
        f"{figures['added_mib']:.0f} MiB more at the peak"
    )


if __name__ == "__main__":
    main()
