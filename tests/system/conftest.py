import os
from pathlib import Path

import pytest

from x25.simulator.child import ChildServer
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


def gateway_process(data_dir: Path, simulator_url: str, **settings: str) -> ChildServer:
    """Return a gateway process that knows nothing of the machine's own settings."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("X25_") and not k.endswith("_API_KEY")}
    own = {
        "X25_DATA_DIR": str(data_dir),
        "X25_UPSTREAM": "simulator",
        "X25_SIMULATOR_URL": simulator_url,
        "X25_LOG_LEVEL": "WARNING",
        **{f"X25_{key.upper()}": value for key, value in settings.items()},
    }
    arguments = ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"]
    return ChildServer("gateway", arguments, environ=inherited | own, start_timeout_s=90)


@pytest.fixture
def make_gateway(tmp_path):
    return lambda simulator, **settings: gateway_process(tmp_path / "state", simulator.url, **settings)
