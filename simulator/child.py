"""A server in a child process that announces its address as one JSON line and cannot outlive its parent."""

import asyncio
import json
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import urlsplit

_TAIL_BYTES = 2000


class ChildServer:
    """A running `python <arguments>`, for `with`, `async with`, or `await start()` and `await stop()`.

    Parameters
    ----------
    name
        What it is, for messages.
    arguments
        After the interpreter. The program prints `{"url": …}` once it listens and stops when its stdin ends.
    environ
        Its whole environment; None = the parent's.
    folder
        Its working directory; None = the parent's.
    start_timeout_s
        Seconds to wait until it listens.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        start_timeout_s: float = 60.0,
    ) -> None:
        self._name = name
        self._arguments = list(arguments)
        self._environ = environ
        self._folder = folder
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self.url = ""
        """What it announced; "" until it listens."""

    def __enter__(self) -> Self:
        """Start and wait until it listens."""
        self._launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop and wait until it is gone."""
        self._end()

    async def __aenter__(self) -> Self:
        """Start without blocking the event loop."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop without blocking the event loop."""
        await self.stop()

    async def start(self) -> None:
        """Start and wait until it listens, in a thread.

        Raises
        ------
        RuntimeError
            If it does not listen in time; the message shows the end of its stderr.
        """
        await asyncio.to_thread(self._launch)

    async def stop(self) -> None:
        """Stop and wait until it is gone, in a thread; harmless when it does not run."""
        await asyncio.to_thread(self._end)

    def _launch(self) -> None:
        if self._process is not None:
            raise RuntimeError(f"the {self._name} already runs at {self.url}")
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, *self._arguments],
            cwd=self._folder,
            env=None if self._environ is None else dict(self._environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,  # Ctrl-C is for the parent; the closed stdin ends this one
        )
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as waiting:  # select() knows no descriptor above 1,023
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            ready = waiting.select(self._start_timeout_s)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            tail = self._stderr_tail()
            self._end()
            raise RuntimeError(f"the {self._name} did not listen within {self._start_timeout_s} s:\n{tail}")
        self.url = json.loads(line)["url"]

    def has_ended(self) -> bool:
        """Return whether it was started and ended by itself."""
        return bool(self.url) and (self._process is None or self._process.poll() is not None)

    def replace(self) -> None:
        """Start another one at the address of one that ended; it has forgotten what that one knew.

        Raises
        ------
        RuntimeError
            When it does not listen in time, say because another program took the port.
        """
        url = self.url
        self._end()
        self._arguments = [one for one in self._arguments if not one.startswith("--port=")]
        self._arguments.append(f"--port={urlsplit(url).port}")
        try:
            self._launch()
        finally:
            self.url = url

    @property
    def pid(self) -> int:
        """Its process id.

        Raises
        ------
        RuntimeError
            When it does not run.
        """
        if self._process is None:
            raise RuntimeError(f"the {self._name} does not run")
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._end()

    def _end(self) -> None:
        """Stop it; what it announced is forgotten."""
        if self._process is None or self._stderr is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()
        self._process, self.url = None, ""

    def _stderr_tail(self) -> str:
        assert self._stderr is not None
        size = self._stderr.seek(0, 2)
        self._stderr.seek(max(0, size - _TAIL_BYTES))
        return self._stderr.read().decode("utf-8", "replace").strip()
