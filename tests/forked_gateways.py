"""Gateways forked from one process that has imported what they need: importing takes seconds, a fork none.

As a program it is that process. On its standard input, a socket, come a JSON line `[arguments, environment, folder]`
and three descriptors for each gateway wanted, and the process id of each goes back. It ends with the socket.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

MOST_BYTES = 1_000_000


class Forked:
    """A forked process, in the words of `subprocess.Popen` that `ChildServer` uses; how it ended is not known."""

    def __init__(self, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._handle = os.pidfd_open(pid)
        self._has_ended = False

    def wait(self, timeout: float | None = None) -> int:
        if not self._has_ended:
            waiting = select.poll()  # select() knows no descriptor above 1,023
            waiting.register(self._handle, select.POLLIN)
            if not waiting.poll(None if timeout is None else timeout * 1e3):
                raise subprocess.TimeoutExpired("forked gateway", timeout or 0.0)
            self._has_ended = True
            os.close(self._handle)
        return 0

    def poll(self) -> int | None:
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class Forge:
    """Starts gateways by forking, and anything else as `subprocess` does. Takes that module's place in `child`."""

    PIPE, TimeoutExpired = subprocess.PIPE, subprocess.TimeoutExpired

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def Popen(  # noqa: N802 - as in subprocess
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None,
        cwd: Path | None,
        stderr: IO[bytes],
        **more: Any,
    ) -> Any:
        if list(command[:4]) != [sys.executable, "-m", "x25", "serve"]:
            return subprocess.Popen(command, env=env, cwd=cwd, stderr=stderr, **more)
        (their_in, our_in), (our_out, their_out) = os.pipe(), os.pipe()
        wanted = [list(command[3:]), dict(os.environ if env is None else env), str(cwd or Path.cwd())]
        asked = self._asked()
        socket.send_fds(asked, [json.dumps(wanted).encode()], [their_in, their_out, stderr.fileno()])
        os.close(their_in)
        os.close(their_out)
        return Forked(int(asked.recv(32)), os.fdopen(our_in, "wb"), os.fdopen(our_out, "rb"))

    def _asked(self) -> socket.socket:
        if self._socket is None:
            # Each message arrives as a whole.
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._process = subprocess.Popen([sys.executable, __file__], stdin=theirs, start_new_session=True)
            theirs.close()
        return self._socket

    def close(self) -> None:
        if self._socket is not None and self._process is not None:
            self._socket.close()
            self._process.wait()


def reap(*_: object) -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def fork(wanted: Any, descriptors: Sequence[int]) -> int:
    """Return the process id of a new child; the child itself returns from here with 0, its surroundings changed."""
    pid = os.fork()
    if pid:
        return pid
    arguments, environ, folder = wanted
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["x25", *arguments]
    return 0


def main() -> None:
    for name in (
        "x25.cli", "x25.terminal.mounting", "nicegui", "argon2", "langgraph.checkpoint.sqlite.aio",
        "aiosqlite", "tokenizers", "safetensors",
    ):  # fmt: skip
        try:
            __import__(name)
        except ImportError:
            continue  # the gateway does without it as well
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, reap)
    asked = socket.socket(fileno=os.dup(0))
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, MOST_BYTES, 3)
        if not message:
            return
        pid = fork(json.loads(message), descriptors)
        if not pid:
            asked.close()
            break
        for descriptor in descriptors:
            os.close(descriptor)
        asked.send(str(pid).encode())
    runpy.run_module("x25", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
