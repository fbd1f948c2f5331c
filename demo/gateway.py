"""A gateway in its own process, as the demo, the benchmarks and the system tests use it."""

import os
from pathlib import Path

from ..simulator.child import ChildServer


def gateway_process(data_dir: Path, simulator_url: str, **settings: str) -> ChildServer:
    """Return a gateway that answers from the simulator and keeps its state in `data_dir`.

    It sees none of the caller's own settings, provider keys or `.env`: what it does depends on the arguments alone.
    `settings` are named as in `graph.settings.Settings`. Nobody is refused for want of processor time, unless
    they say so: what is counted or timed is every call. Port 0 = any free one.
    """
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("X25_") and not key.endswith("_API_KEY")
    }
    own = {
        "upstream": "simulator", "simulator_url": simulator_url, "log_level": "WARNING", "max_queue_ms": "0",
        **settings,
    }  # fmt: skip
    environ = (
        inherited
        | {"X25_DATA_DIR": str(data_dir.resolve())}
        | {f"X25_{key.upper()}": value for key, value in own.items()}
    )
    data_dir.mkdir(parents=True, exist_ok=True)
    arguments = ["-m", "x25", "serve", "--port", settings.pop("port", "0"), "--json", "--exit-with-parent"]
    return ChildServer("gateway", arguments, environ=environ, folder=data_dir, start_timeout_s=90)
