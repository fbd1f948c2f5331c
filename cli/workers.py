"""Several gateway processes on one socket: started, watched, replaced when one dies, and ended together.

Each worker is `x25 serve` itself with a socket that it is given. uvicorn's own supervisor is not used: it hands the
application over by pickling it, starts all at once on a database that may have no tables yet, and asks a busy worker
for a sign of life within seconds, killing one that is late.
"""

import logging
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import IO

from ..graph.bootstrap import real_pool
from ..graph.settings import Settings, as_environment, read_environment
from ..providers.keyring import Keyring
from ..simulator.process import SimulatorProcess
from ..state.errors import ConfigError

EVERY_S = 0.1
"""How often it is looked whether a signal came or a worker ended."""
READY_WITHIN_S = 120.0
ENDS_WITHIN_S = 20.0
"""Time for closing what a worker holds, beyond that for the calls under way."""
PAUSES_S = (0.0, 1.0, 5.0, 15.0)
"""Pause before a worker is replaced that died once, twice, … without ever listening."""

_log = logging.getLogger(__name__)


class Worker:
    """One process, and the pipe on which it says that it listens; it ends when the pipe to it closes."""

    def __init__(self, number: int, listener: socket.socket, environ: Mapping[str, str]) -> None:
        self.number = number
        self.listens = False
        handle = str(listener.fileno())
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "x25", "serve", "--json", "--exit-with-parent", "--socket", handle],
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is for the parent, which tells each
        )

    def look(self) -> None:
        """Take note of its one line, once it is there."""
        if self.listens:
            return
        said: IO[bytes] | None = self.process.stdout
        assert said is not None
        if select.select([said], [], [], 0)[0]:
            self.listens = bool(said.readline())

    def has_ended(self) -> bool:
        """Return whether it is gone."""
        return self.process.poll() is not None

    def close(self) -> None:
        """Let go of its pipes."""
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


class Workers:
    """As many workers as the settings ask for."""

    def __init__(self, settings: Settings, listener: socket.socket, simulator_url: str) -> None:
        self._settings = settings
        self._listener = listener
        self._shares_simulator = bool(simulator_url)
        own = {"X25_WORKERS": "1"} | ({"X25_SIMULATOR_URL": simulator_url} if simulator_url else {})
        self._board = TemporaryDirectory(prefix="x25-metrics-")
        own["X25_METRICS_DIR"] = self._board.name
        self._environ = read_environment() | as_environment(settings) | own
        self._workers: dict[int, Worker] = {}
        self._deaths: dict[int, int] = {}
        self._due_s: dict[int, float] = {}

    def open(self, stop: list[int]) -> None:
        """Start the first, which brings the database up to date, then the others; return when all listen.

        Raises
        ------
        ConfigError
            When one ends instead, or does not listen in time; it has said why.
        """
        for numbers in (range(1), range(1, self._settings.workers)):
            for number in numbers:
                self._start(number)
            give_up_at_s = time.monotonic() + READY_WITHIN_S
            while not stop and not all(self._workers[number].listens for number in numbers):
                for number in numbers:
                    self._workers[number].look()
                    if self._workers[number].has_ended():
                        raise ConfigError(f"worker {number + 1} of {self._settings.workers} did not start")
                if time.monotonic() > give_up_at_s:
                    raise ConfigError(f"the workers did not listen within {READY_WITHIN_S:g} s")
                time.sleep(EVERY_S / 2)

    def look(self) -> None:
        """Replace those that died."""
        now_s = time.monotonic()
        for number, worker in list(self._workers.items()):
            worker.look()
            if worker.listens:
                self._deaths[number] = 0
            if not worker.has_ended():
                continue
            if number not in self._due_s:
                pause_s = PAUSES_S[min(self._deaths.get(number, 0), len(PAUSES_S) - 1)]
                self._due_s[number] = now_s + pause_s
                self._deaths[number] = self._deaths.get(number, 0) + 1
                ended = worker.process.returncode
                _log.error("worker %d (process %d) ended (%d); another takes its place", number + 1,
                           worker.process.pid, ended)  # fmt: skip
            if now_s >= self._due_s[number]:
                del self._due_s[number]
                worker.close()
                self._start(number)

    def end(self, stop: list[int]) -> None:
        """Let all finish their calls and end; a second signal, or too long a wait, ends them at once."""
        # Or the port would go on taking connections that nobody serves any more.
        self._listener.close()
        left = [worker for worker in self._workers.values() if not worker.has_ended()]
        for worker in left:
            worker.process.send_signal(signal.SIGTERM)
        patience_s = self._settings.drain_delay_s + self._settings.shutdown_timeout_s + ENDS_WITHIN_S
        give_up_at_s = time.monotonic() + patience_s
        while not all(worker.has_ended() for worker in left):
            if len(stop) > 1 or time.monotonic() > give_up_at_s:
                for worker in left:
                    worker.process.kill()
            time.sleep(EVERY_S / 2)
        for worker in self._workers.values():
            worker.close()
        self._board.cleanup()

    def _start(self, number: int) -> None:
        environ = self._environ | {"X25_WORKER": str(number)}
        if number:
            environ["X25_AUTO_TRAIN"] = "false"  # one refit at a time a gateway
            if self._shares_simulator:
                environ["X25_UPSTREAM"] = "simulator"  # the first has said so
            if self._settings.seed is not None:
                environ["X25_SEED"] = str(self._settings.seed + number)  # not the same draws in each
        self._workers[number] = Worker(number, self._listener, environ)


def serve_by_workers(settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until a signal comes; `announce` is called once every worker listens.

    Raises
    ------
    ConfigError
        When the workers cannot start.
    """
    with _signals() as stop, _shared_simulator(settings) as simulator:
        workers = Workers(settings, listener, simulator.url if simulator is not None else "")
        try:
            workers.open(stop)
            if not stop:
                announce()
            while not stop:
                time.sleep(EVERY_S)
                workers.look()
                if simulator is not None and simulator.has_ended():
                    simulator.replace_or_complain()
        finally:
            workers.end(stop)
    for number in stop[:1]:
        signal.raise_signal(number)


def _shared_simulator(settings: Settings) -> AbstractContextManager[SimulatorProcess | None]:
    """Return the simulator of all workers, not started yet; None in a context where none is needed."""
    is_wanted = settings.upstream != "real" and not settings.simulator_url
    if not is_wanted or (settings.upstream == "auto" and real_pool(settings, Keyring(read_environment()))):
        return nullcontext()
    return SimulatorProcess()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect the numbers of the signals that ask for the end, while the context is open."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
