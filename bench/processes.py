"""What a process and its children take, from /proc: processor seconds and memory. And one that ends with a block."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/proc")
MIB = 2**20


def family(pid: int, parents: Mapping[int, int]) -> set[int]:
    """Return a process and all below it, given each process's parent."""
    found, new = {pid}, {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds that a process and its children took so far, those that ended included."""
    ticks = 0
    for member in family(pid, _parents()):
        fields = _stat(member)
        # utime, stime, and those of waited-for children: the 14th to 17th of proc_pid_stat(5).
        ticks += sum(int(value) for value in fields[11:15]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process and its children, MiB; what they share counts for each."""
    pages = 0
    for member in family(pid, _parents()):
        try:
            pages += int((PROC / str(member) / "statm").read_text().split()[1])
        except OSError:  # it ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _parents() -> dict[int, int]:
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return {pid: int(fields[1]) for pid in pids if (fields := _stat(pid))}


def _stat(pid: int) -> list[str]:
    """Return the fields after the program's name, which may hold spaces; none when the process has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@contextmanager
def running(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    log: Path,
    *,
    is_ready: Callable[[], bool],
    timeout_s: float,
) -> Iterator[int]:
    """Run a program in a session of its own until the block ends, and yield its process id once it is ready.

    Raises
    ------
    RuntimeError
        When it ends or is not ready in time; the message shows the end of its log.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - what the caller named, no shell
            list(arguments), env=dict(environ), cwd=log.parent, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + timeout_s
        while not is_ready():
            if process.poll() is not None or time.monotonic() > until:
                tail = log.read_text("utf-8", "replace")[-2000:]
                raise RuntimeError(f"{arguments[0]} was not ready within {timeout_s} s:\n{tail}")
            time.sleep(0.1)
        yield process.pid
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
