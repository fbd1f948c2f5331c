from collections.abc import Iterator

import httpx
import pytest

from x25.simulator.process import SimulatorProcess


@pytest.fixture(scope="session")
def running() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(latency=False) as process:
        yield process


@pytest.fixture
def sim(running: SimulatorProcess) -> SimulatorProcess:
    httpx.post(f"{running.url.removesuffix('/v1')}/simulator/reset").raise_for_status()
    return running


@pytest.fixture
def http(sim: SimulatorProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sim.url, timeout=5) as client:
        yield client
