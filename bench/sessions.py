"""What open pages cost the calls beside them: `python -m x25.bench.sessions`.

Sessions as browsers hold them: a page fetched, its websocket opened, pings answered, what is pushed read. Beside them
calls are made by a few clients, in rounds without and with the sessions, in turn, so that what else the machine does
meets both. Processor time is read where no calls are made, and memory before, with, and after the sessions.
"""

import argparse
import asyncio
import json
import re
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from .contestants import CHAT, start_stub, start_x25
from .load import connect, encode, run
from .processes import cpu_seconds, resident_mib

PAGES = ("", "observatory", "mission", "chat", "routing")
_CLIENT = re.compile(r"client_id\W+([0-9a-f-]{36})")
CLOSED_AFTER_S = 14.0
"""Until a page whose browser is gone is given up."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What sessions cost."""

    sessions: int
    alone_ms: float
    """Median of a call without a session; `beside_ms` with all of them."""
    beside_ms: float
    alone_cpu_ms: float
    """Processor time of the gateway, by calls answered meanwhile; which noise moves least."""
    beside_cpu_ms: float
    processor_share: float
    """Of one core, without any call."""
    before_mib: float
    open_mib: float
    """With all sessions of the first round open; the next once they are closed, and at the end of the last round."""
    closed_mib: float
    last_mib: float
    pushed: int
    """Messages that all of them received."""

    @property
    def ratio(self) -> float:
        """How many times as long a call takes."""
        return self.beside_ms / self.alone_ms


class Sessions:
    """Pages held open, as browsers do."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._readers: list[asyncio.Task[None]] = []
        self.pushed = 0

    async def open(self, how_many: int) -> None:
        """Open so many, of all pages in turn."""
        async with httpx.AsyncClient(base_url=f"{self._url}/terminal/", timeout=60) as client:
            for n in range(how_many):
                page = await client.get(f"./{PAGES[n % len(PAGES)]}")
                found = _CLIENT.search(page.text)
                if found is None:
                    raise RuntimeError(f"no page: {page.status_code} {page.text[:200]!r}")
                self._readers.append(asyncio.create_task(self._hold(found[1])))

    async def close(self) -> None:
        """Close all."""
        for one in self._readers:
            one.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        self._readers.clear()

    async def _hold(self, client_id: str) -> None:
        from websockets.asyncio.client import connect as join  # noqa: PLC0415 - of the extra `terminal`

        asked = urlencode({
            "EIO": 4, "transport": "websocket", "client_id": client_id, "next_message_id": 0,
            "implicit_handshake": "true", "document_id": uuid4(), "tab_id": uuid4(),
        })  # fmt: skip
        address = f"{self._url.replace('http', 'ws', 1)}/terminal/_nicegui_ws/socket.io/?{asked}"
        async with join(address, compression=None, ping_interval=None) as socket:
            async for message in socket:
                if message[:1] == "0":
                    await socket.send("40")
                elif message[:1] == "2":
                    await socket.send("3")
                elif message[:2] == "40":
                    await socket.send('42["x25_seen",true]')
                else:
                    self.pushed += 1


class Calls:
    """Calls made in several stretches: how long each took, and the processor time of the gateway."""

    def __init__(self, url: str, pid: int, clients: int) -> None:
        self._url, self._pid, self._clients = url, pid, clients
        self.taken_ms: list[float] = []
        self._cpu_s = 0.0

    @property
    def median_ms(self) -> float:
        """Of all calls."""
        return statistics.median(self.taken_ms)

    @property
    def cpu_ms(self) -> float:
        """Of one call."""
        return 1e3 * self._cpu_s / len(self.taken_ms)

    async def make(self, seconds: float, numbers: "count[int]") -> None:
        """Make calls for so long."""
        began_s = cpu_seconds(self._pid)
        self.taken_ms += await call_ms(self._url, self._clients, seconds, numbers)
        self._cpu_s += cpu_seconds(self._pid) - began_s


async def call_ms(url: str, clients: int, seconds: float, numbers: "count[int]") -> list[float]:
    """Return the milliseconds of the calls that so many clients made, one after the other each."""
    until, found = time.perf_counter() + seconds, []

    async def work() -> None:
        connection = await connect(url)
        while time.perf_counter() < until:
            body = {"model": "auto", "messages": [{"role": "user", "content": f"Is {next(numbers)} prime?"}]}
            began = time.perf_counter()
            await connection.ask(encode(url, body))
            found.append((time.perf_counter() - began) * 1e3)
        connection.close()

    await asyncio.gather(*(work() for _ in range(clients)))
    return found


async def measure(url: str, pid: int, options: argparse.Namespace) -> Cost:
    """Return what sessions cost a gateway."""
    numbers, sessions = count(), Sessions(url)
    warm, alone, beside = (Calls(f"{url}/v1{CHAT}", pid, options.clients) for _ in range(3))
    shares, opened, closed = [], [], []
    await warm.make(2.0, numbers)
    await sessions.open(1)  # loads the pages
    await sessions.close()
    await asyncio.sleep(CLOSED_AFTER_S)
    before = resident_mib(pid)
    for _ in range(options.rounds):
        await alone.make(options.seconds, numbers)
        await sessions.open(options.sessions)
        await asyncio.sleep(3.0)
        began, taken = time.perf_counter(), cpu_seconds(pid)
        await asyncio.sleep(options.seconds)
        shares.append((cpu_seconds(pid) - taken) / (time.perf_counter() - began))
        await beside.make(options.seconds, numbers)
        opened.append(resident_mib(pid))
        await sessions.close()
        await asyncio.sleep(CLOSED_AFTER_S)
        closed.append(resident_mib(pid))
    return Cost(
        options.sessions, alone.median_ms, beside.median_ms, alone.cpu_ms, beside.cpu_ms, statistics.mean(shares),
        before, opened[0], closed[0], closed[-1], sessions.pushed,
    )  # fmt: skip


def told(found: Cost, rounds: int) -> str:
    """Return a cost in words."""
    each_kib = 1024 * (found.open_mib - found.before_mib) / max(1, found.sessions)
    return (
        f"{found.sessions} sessions: a call takes {found.alone_ms:.1f} ms alone, {found.beside_ms:.1f} ms beside them "
        f"({found.ratio:.2f} times), {found.alone_cpu_ms:.2f} and {found.beside_cpu_ms:.2f} ms of processor time; "
        f"without calls the sessions take {100 * found.processor_share:.1f} % of a core; memory "
        f"{found.before_mib:.0f} MiB before, {found.open_mib:.0f} with ({each_kib:.0f} KiB a session), "
        f"{found.closed_mib:.0f} after, {found.last_mib:.0f} after {rounds} rounds; {found.pushed:,} messages pushed"
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.sessions", description=__doc__)
    add = parser.add_argument
    add("--sessions", type=int, default=200)
    add("--clients", type=int, default=4, help="that make calls")
    add("--seconds", type=float, default=10.0, help="of each part of a round")
    add("--rounds", type=int, default=3)
    add("--json", type=Path, metavar="OUT", help="write the figures there as well")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="x25-bench-") as folder, ExitStack() as stack:
        gateway = start_x25(stack, Path(folder), start_stub(stack), "auto", judged=False)
        url = gateway.url.removesuffix(f"/v1{CHAT}")
        found = run(measure(url, gateway.pid, options))
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(found), indent=2) + "\n", encoding="utf-8")
    print(told(found, options.rounds))


if __name__ == "__main__":
    main()
