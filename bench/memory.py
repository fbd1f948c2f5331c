"""What a gateway keeps of calls, in memory and on disk: `python -m x25.bench.memory`.

Resident memory of a serving process after a warm-up and after every so many calls more, of one org and then of
callers without a key who each name an org of their own; and bytes a call in x25.db and checkpoints.db, as large as they
are once their write-ahead logs are in them.
"""

import argparse
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .contestants import CHAT, Contestant, start_stub, start_x25
from .figures import slope
from .load import encode, run, send_all
from .processes import resident_mib

PROMPT = (
    "Which of the numbers {} and 17 is prime? Say in one sentence why, then name the next prime after it."
)
DATABASES = ("x25.db", "checkpoints.db")
PER = 10_000
"""Calls that a slope is stated for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Memory and disk after so many calls."""

    calls: int
    resident_mib: float
    disk_bytes: dict[str, int]


def size_bytes(path: Path) -> int:
    """Return how large a database is with what its write-ahead log holds; 0 where there is none."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        (pages,), (page_bytes,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
    return int(pages) * int(page_bytes)


def summary(readings: list[Reading]) -> dict[str, Any]:
    """Return the slope of memory over all readings and over the later half, and bytes a call between first and last."""
    calls = [float(reading.calls) for reading in readings]
    memory = [reading.resident_mib for reading in readings]
    later = max(0, min(len(readings) // 2, len(readings) - 2))
    more = max(1.0, calls[-1] - calls[0])
    first, last = readings[0].disk_bytes, readings[-1].disk_bytes
    return {
        "mib_per_10000": PER * slope(calls, memory),
        "mib_per_10000_later_half": PER * slope(calls[later:], memory[later:]),
        "bytes_per_call": {name: (last[name] - first[name]) / more for name in last},
        "readings": [asdict(reading) for reading in readings],
    }


class Serving:
    """A gateway under load."""

    def __init__(self, gateway: Contestant, data_dir: Path, clients: int) -> None:
        self._gateway = gateway
        self._data_dir = data_dir
        self._clients = clients
        self._route = gateway.url.removesuffix(f"/v1{CHAT}") + "/route"
        self._number = count()
        self._made = 0

    async def make(self, calls: int, *, orgs: bool) -> None:
        """Make calls, each of an org of its own where `orgs` says so.

        Raises
        ------
        RuntimeError
            When one fails.
        """
        requests = islice(self._requests(orgs=orgs), calls)
        loop = await send_all(self._route, requests, clients=self._clients)
        if loop.errors:
            raise RuntimeError(f"{loop.errors} of {calls} requests failed")
        self._made += calls

    def read(self) -> Reading:
        """Return memory and disk now."""
        disk = {name: size_bytes(self._data_dir / name) for name in DATABASES}
        return Reading(self._made, resident_mib(self._gateway.pid), disk)

    def _requests(self, *, orgs: bool) -> Iterator[bytes]:
        for number in self._number:
            org = {"org": f"caller-{number}"} if orgs else {}
            yield encode(self._route, {"prompt": PROMPT.format(number)} | org)


async def watch(
    serving: Serving, calls: int, every: int, *, orgs: bool, step: Callable[[str], None]
) -> list[Reading]:
    """Make calls and read memory and disk after every `every`, the state before them first."""
    readings = [serving.read()]
    for done in range(0, calls, every):
        await serving.make(min(every, calls - done), orgs=orgs)
        readings.append(serving.read())
        step(f"{readings[-1].calls:,} calls, {readings[-1].resident_mib:.0f} MiB")
    return readings


async def measure(
    serving: Serving, options: argparse.Namespace, step: Callable[[str], None]
) -> dict[str, Any]:
    """Warm up, then watch one org and then many."""
    await serving.make(options.warmup, orgs=False)
    one = await watch(serving, options.calls, options.every, orgs=False, step=step)
    many = await watch(serving, options.orgs, options.every, orgs=True, step=step)
    return {"one org": summary(one), "an org a call": summary(many)}


def show(found: dict[str, Any], console: Console) -> None:
    """Print readings and slopes for people."""
    table = Table("calls of", "calls so far", "resident, MiB", *(f"{name}, MiB" for name in DATABASES))
    for name, part in found.items():
        for reading in part["readings"]:
            disk = [f"{reading['disk_bytes'][database] / 2**20:,.1f}" for database in DATABASES]
            table.add_row(name, f"{reading['calls']:,}", f"{reading['resident_mib']:,.1f}", *disk)
    console.print(table)
    for name, part in found.items():
        on_disk = ", ".join(f"{value:,.0f} in {base}" for base, value in part["bytes_per_call"].items())
        console.print(
            f"{name}: {part['mib_per_10000']:+.2f} MiB in memory every {PER:,} calls "
            f"({part['mib_per_10000_later_half']:+.2f} over the later half); bytes a call: {on_disk}"
        )


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.memory", description=__doc__)
    add = parser.add_argument
    add("--calls", type=int, default=20_000, help="of one org")
    add("--orgs", type=int, default=50_000, help="calls that name an org of their own")
    add("--every", type=int, default=10_000, help="calls between two readings")
    add("--warmup", type=int, default=1_000)
    add("--clients", type=int, default=16)
    add("--executor", default="auto", help="value of X25_EXECUTOR")
    add("--json", type=Path, metavar="OUT", help="write the readings there as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder, ExitStack() as stack:
        place = Path(folder)
        gateway = start_x25(stack, place, start_stub(stack), options.executor, judged=False)
        serving = Serving(gateway, place / gateway.name.replace(" ", "-"), options.clients)
        with Console(stderr=True).status("warming up") as status:
            found = run(measure(serving, options, status.update))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    show(found, Console())


if __name__ == "__main__":
    main()
