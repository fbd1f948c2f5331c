"""What the beliefs of many orgs cost: `python -m x25.bench.posteriors [--orgs 10000]`.

Beliefs live in the store; the process holds none of them between calls. Printed are the memory the process added
while it learnt for every org and read every org back, the size of the store, and the time of one read and one update.
"""

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path

from ..state.store import Store, open_store

CELLS = ("code", "qa")
MODELS = {"sim/tiny-1": "slm", "sim/medium-3": "mid", "sim/xlarge-6": "frontier"}


async def learn(store: Store, org: str, call: int, cell: str, model_id: str) -> None:
    """Add one observation."""
    await store.posteriors.learn(
        org, f"call-{call}", 0, task_cell=cell, model_id=model_id, tier=MODELS[model_id], success=0.8, failure=0.2,
        selection=(0.9, 0.7), org_calls=call, gamma=0.995,
    )  # fmt: skip


async def measure(orgs: int, folder: Path) -> dict[str, float]:
    """Return megabytes in memory and in the store, and median milliseconds of a read and of an update."""
    path = folder / "beliefs.db"
    reads, updates = [], []
    async with await open_store(f"sqlite+aiosqlite:///{path}") as store:
        await learn(store, "warm-up", 1, "qa", "sim/tiny-1")
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(orgs):
            for call, (cell, model_id) in enumerate((cell, model) for cell in CELLS for model in MODELS):
                began = time.perf_counter()
                await learn(store, f"org-{number}", call, cell, model_id)
                updates.append(time.perf_counter() - began)
        for number in range(orgs):
            began = time.perf_counter()
            await store.posteriors.read_levels(f"org-{number}", "qa")
            reads.append(time.perf_counter() - began)
        after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "orgs": orgs,
        "added_mib": (after_kib - before_kib) / 1024,
        "store_mib": path.stat().st_size / 2**20,
        "read_ms": 1e3 * statistics.median(reads),
        "update_ms": 1e3 * statistics.median(updates),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.posteriors", description=__doc__)
    parser.add_argument("--orgs", type=int, default=10_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder:
        figures = asyncio.run(measure(options.orgs, Path(folder)))
    print(
        f"{figures['orgs']:,} orgs x {len(CELLS)} cells x {len(MODELS)} models: {figures['added_mib']:.1f} MiB more "
        f"in memory, {figures['store_mib']:.0f} MiB in the store with its log; read {figures['read_ms']:.2f} ms, "
        f"update {figures['update_ms']:.2f} ms (medians)"
    )


if __name__ == "__main__":
    main()
