import pytest

from x25.demo.gateway import gateway_process
from x25.simulator.process import SimulatorProcess


@pytest.fixture
def quick_simulator():
    with SimulatorProcess(latency=False) as simulator:
        yield simulator


@pytest.fixture
def slow_simulator():
    """A simulator that takes as long as its models say, so that a crash finds requests under way."""
    with SimulatorProcess(latency=True) as simulator:
        yield simulator


@pytest.fixture
def make_gateway(tmp_path):
    return lambda simulator, **settings: gateway_process(tmp_path / "state", simulator.url, **settings)
