import os
import subprocess
import sys
import time

import pytest

from x25.bench.processes import cpu_seconds, family, resident_mib, running

BUSY = "import time\nbegan = time.process_time()\nwhile time.process_time() - began < 0.3: pass\n"


def test_a_family_is_a_process_and_all_below_it():
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 5}
    assert family(2, parents) == {2, 3, 4}
    assert family(4, parents) == {4}


def test_processor_time_counts_children_that_run_and_that_ended():
    before = cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert cpu_seconds(os.getpid()) - before >= 0.25
    with subprocess.Popen(
        [sys.executable, "-c", f"{BUSY}print(1, flush=True)\ninput()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        child.stdout.readline()
        assert cpu_seconds(child.pid) >= 0.25
        assert cpu_seconds(os.getpid()) - before >= 0.5
        child.stdin.close()


def test_memory_counts_what_is_touched():
    before = resident_mib(os.getpid())
    held = bytearray(os.urandom(1) * (64 * 2**20))
    assert resident_mib(os.getpid()) - before > 50
    del held


def test_a_process_that_ended_takes_nothing():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert cpu_seconds(child.pid) == 0
    assert resident_mib(child.pid) == 0


def test_a_program_runs_until_the_block_ends(tmp_path):
    ready = tmp_path / "ready"
    program = f"import pathlib, time\npathlib.Path({str(ready)!r}).touch()\ntime.sleep(600)"
    arguments = [sys.executable, "-c", program]
    with running(arguments, os.environ, tmp_path / "log", is_ready=ready.exists, timeout_s=60) as pid:
        assert os.getpgid(pid) == pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_program_that_ends_before_it_is_ready_shows_its_log(tmp_path):
    arguments = [sys.executable, "-c", "raise SystemExit('no port is free')"]
    began = time.monotonic()
    with (
        pytest.raises(RuntimeError, match="no port is free"),
        running(arguments, os.environ, tmp_path / "log", is_ready=lambda: False, timeout_s=60),
    ):
        pass
    assert time.monotonic() - began < 50
