"""The simulator as a child process that cannot outlive its parent."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from .child import ChildServer


class SimulatorProcess(ChildServer):
    """A running `python -m x25.simulator`, for `with`, `async with`, or `await start()` and `await stop()`.

    Parameters
    ----------
    models_dirs
        Folders of simulated models; the bundled ones when empty.
    seed, judge_auc, latency, port
        As on the command line.
    scenario
        YAML file of fault rules.
    replay_dir, replay_sources
        Recorded outcomes to serve as `recorded/<source>/<model>`.
    start_timeout_s
        Seconds to wait until it listens.
    """

    def __init__(  # noqa: PLR0913 - one parameter for each command-line option
        self,
        *,
        models_dirs: Sequence[Path] = (),
        seed: int = 7,
        scenario: Path | None = None,
        replay_dir: Path | None = None,
        replay_sources: Sequence[str] = (),
        judge_auc: float = 0.85,
        latency: bool = True,
        port: int = 0,
        start_timeout_s: float = 20.0,
    ) -> None:
        options = ["--exit-with-parent", f"--seed={seed}", f"--judge-auc={judge_auc}", f"--port={port}"]
        options += [f"--models-dir={folder}" for folder in models_dirs]
        options += [f"--scenario={scenario}"] if scenario is not None else []
        options += [f"--replay={replay_dir}"] if replay_dir is not None else []
        options += [f"--replay-source={source}" for source in replay_sources]
        options += [] if latency else ["--no-latency"]
        super().__init__("simulator", ["-m", f"{__package__}", *options], start_timeout_s=start_timeout_s)

    def bills(self, after: int = 0) -> list[dict[str, Any]]:
        """Return what the simulator billed, less the first `after` bills."""
        response = httpx.get(f"{self._root}/simulator/bills", params={"after": after})
        found: list[dict[str, Any]] = response.raise_for_status().json()
        return found

    def set_scenario(self, rules: list[dict[str, Any]]) -> None:
        """Replace the fault rules.

        Raises
        ------
        ValueError
            If the simulator refuses them; the message is its own.
        """
        response = httpx.post(f"{self._root}/simulator/scenario", json=rules)
        if response.is_error:
            raise ValueError(response.json()["error"])

    @property
    def _root(self) -> str:
        if not self.url:
            raise RuntimeError("the simulator is not running; start it first")
        return self.url.removesuffix("/v1")
