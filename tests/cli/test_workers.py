import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from x25.cli.workers import Workers
from x25.graph.settings import load_settings

PROMPT = {"prompt": "What is 17 * 23?", "org": "a"}


def workers_in(tmp_path: Path, **changes: object) -> Workers:
    settings = load_settings({}, data_dir=tmp_path, workers=3, **changes)
    return Workers(settings, None, "http://127.0.0.1:9")


def test_a_worker_is_told_the_settings_and_the_one_simulator(tmp_path: Path, monkeypatch) -> None:
    started = []
    monkeypatch.setattr(
        "x25.cli.workers.Worker", lambda number, _, environ: started.append((number, environ))
    )
    workers = workers_in(tmp_path, seed=7, judge="none")
    for number in range(2):
        workers._start(number)
    (_, first), (_, second) = started
    for environ in (first, second):
        read = load_settings({name: value for name, value in environ.items() if name.startswith("X25_")})
        assert (read.workers, read.judge, read.data_dir) == (1, "none", tmp_path)
        assert read.simulator_url == "http://127.0.0.1:9"
    assert (first["X25_SEED"], second["X25_SEED"]) == ("7", "8")
    assert (first["X25_AUTO_TRAIN"], second["X25_AUTO_TRAIN"]) == ("True", "false")


class Dead:
    def __init__(self, number, *_):
        self.number, self.listens, self.process = number, False, self
        self.pid, self.returncode = 1, -9

    def look(self): ...
    def close(self): ...
    def has_ended(self):
        return True


def test_one_that_dies_is_replaced_at_once_and_later_when_it_keeps_dying(
    tmp_path, monkeypatch, caplog
) -> None:
    now, made = [0.0], []
    monkeypatch.setattr("x25.cli.workers.time.monotonic", lambda: now[0])
    monkeypatch.setattr("x25.cli.workers.Worker", lambda *given: made.append(Dead(*given)) or made[-1])
    workers = workers_in(tmp_path)
    workers._start(1)
    counts = []
    for at_s in (0.0, 0.5, 1.0, 1.1, 3.0, 6.1, 6.2, 21.0, 21.3):
        now[0] = at_s
        workers.look()
        counts.append(len(made))
    assert counts == [2, 2, 2, 2, 3, 3, 3, 4, 4]
    assert "worker 2 (process 1) ended (-9)" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_workers_share_port_store_and_simulator_and_end_together(start, number: int, code: int) -> None:
    child = start("serve", "--port", "0", "--json", "--workers", "2", X25_LOG_LEVEL="INFO")
    url = child.url()
    assert httpx.post(f"{url}/route", json=PROMPT, timeout=30).json()["simulated"] is True
    assert len(child.family()) == 4, "the parent, two workers and one simulator"
    assert child.stop(number) == code
    assert child.survivors() == []
    said = child.stderr.read_text()
    assert said.count("simulated models") == 1
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_simulator_that_dies_is_replaced_for_all_workers(start) -> None:
    child = start("serve", "--port", "0", "--json", "--workers", "2")
    url = child.url()
    simulators = [
        pid for pid in child.family() if b"x25.simulator" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(simulators) == 1
    os.kill(simulators[0], signal.SIGKILL)
    answers = [
        httpx.post(f"{url}/route", json=PROMPT, timeout=60) for _ in range(8) if time.sleep(0.5) is None
    ]
    assert [answer.status_code for answer in answers[-4:]] == [200] * 4
    child.stop(signal.SIGTERM)
    assert child.survivors() == []


@pytest.mark.slow
def test_nothing_outlives_a_parent_that_is_killed(start) -> None:
    child = start("serve", "--port", "0", "--json", "--workers", "2")
    child.url()
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    assert child.survivors() == []


@pytest.mark.slow
def test_a_wrong_file_ends_all_of_them(start) -> None:
    child = start("serve", "--port", "0", "--workers", "2", "--model", "nowhere")
    assert child.process.wait(timeout=60) == 1
    said = child.stderr.read_text()
    assert "nowhere: not a difficulty artifact" in said
    assert "worker 1 of 2 did not start" in said
    assert "Traceback" not in said
    assert "Fatal" not in said  # a thread that waits for input must not hold a lock that the end needs
