import os
import select
import signal
import subprocess
import sys

import pytest

from x25.simulator.child import ChildServer

ANNOUNCE = "import json, os, sys; print(json.dumps({'url': os.environ.get('PLACE', f'pid:{os.getpid()}')}), flush=True)"
UNTIL_STDIN_ENDS = ["-c", f"{ANNOUNCE}; sys.stdin.read()"]


def pid_of(server):
    return int(server.url.removeprefix("pid:"))


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_server_runs_inside_the_block_and_is_gone_after_it():
    with ChildServer("thing", UNTIL_STDIN_ENDS) as server:
        pid = pid_of(server)
        assert is_alive(pid)
    assert not is_alive(pid)
    assert server.url == ""


async def test_server_runs_inside_an_async_block_and_can_start_again():
    server = ChildServer("thing", UNTIL_STDIN_ENDS)
    async with server:
        first = pid_of(server)
    async with server:
        second = pid_of(server)
    assert first != second
    assert not is_alive(first)
    assert not is_alive(second)


def test_environment_is_the_given_one():
    with ChildServer("thing", UNTIL_STDIN_ENDS, environ={"PLACE": "here"}) as server:
        assert server.url == "here"


def test_failure_to_start_shows_the_end_of_stderr_and_leaves_nothing():
    server = ChildServer("thing", ["-c", "import sys; sys.exit('no port left')"])
    with pytest.raises(RuntimeError, match=r"the thing did not listen within 60.0 s:\nno port left"), server:
        pass
    with pytest.raises(RuntimeError, match="did not listen"), server:
        pass


def test_silent_program_is_given_up_after_the_timeout():
    server = ChildServer("thing", ["-c", "import sys; sys.stdin.read()"], start_timeout_s=0.2)
    with pytest.raises(RuntimeError, match=r"within 0\.2 s"), server:
        pass


def test_second_start_of_a_running_server_is_refused():
    with (
        ChildServer("thing", UNTIL_STDIN_ENDS) as server,
        pytest.raises(RuntimeError, match="the thing already runs at pid:"),
    ):
        server.__enter__()


async def test_stopping_twice_is_harmless():
    server = ChildServer("thing", UNTIL_STDIN_ENDS)
    await server.start()
    await server.stop()
    await server.stop()
    assert server.url == ""


def test_its_process_is_known_while_it_runs():
    server = ChildServer("thing", UNTIL_STDIN_ENDS)
    with server:
        assert server.pid == pid_of(server)
    with pytest.raises(RuntimeError, match="the thing does not run"):
        _ = server.pid


def test_kill_ends_it_at_once():
    with ChildServer("thing", UNTIL_STDIN_ENDS) as server:
        pid = pid_of(server)
        server.kill()
        assert not is_alive(pid)


def test_server_does_not_outlive_a_killed_parent():
    program = (
        "from x25.simulator.child import ChildServer\n"
        f"server = ChildServer('thing', {UNTIL_STDIN_ENDS!r}).__enter__()\n"
        "print(server.url, flush=True)\n"
        "input()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as parent:
        pid = int(parent.stdout.readline().strip().removeprefix("pid:"))
        descriptor = os.pidfd_open(pid)
        parent.send_signal(signal.SIGKILL)
    try:
        ended, _, _ = select.select([descriptor], [], [], 10)
    finally:
        os.close(descriptor)
    assert ended
