"""The simulator as a child process that cannot outlive its parent."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import httpx

from .child import ChildServer

_log = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """Options of the simulator's command line; what is left out is as there."""

    models_dirs: Sequence[Path]
    """Folders of simulated models; the bundled ones when empty."""
    seed: int
    judge_auc: float
    latency: bool
    scenario: Path
    """YAML file of fault rules."""
    replay_dir: Path
    """Recorded outcomes to serve as `recorded/<source>/<model>`."""
    replay_sources: Sequence[str]
    port: int


class SimulatorProcess(ChildServer):
    """A running `python -m x25.simulator`, for `with`, `async with`, or `await start()` and `await stop()`.

    Parameters
    ----------
    start_timeout_s
        Seconds to wait until it listens.
    """

    def __init__(self, *, start_timeout_s: float = 20.0, **options: Unpack[Options]) -> None:
        arguments = ["-m", f"{__package__}", "--exit-with-parent", *_arguments(options)]
        super().__init__("simulator", arguments, start_timeout_s=start_timeout_s)

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

    async def replace_when_it_ends(self, every_s: float = 1.0) -> None:
        """Look now and then, for as long as this runs, whether it ended, and start another in its place."""
        while True:
            await asyncio.sleep(every_s)
            if self.has_ended():
                await asyncio.to_thread(self.replace_or_complain)

    def replace_or_complain(self) -> None:
        """Start another in place of one that ended; one that does not start is logged, and tried again."""
        _log.error("the simulator ended; another takes its place")
        try:
            self.replace()
        except RuntimeError as error:
            _log.error("%s", error)

    @property
    def _root(self) -> str:
        if not self.url:
            raise RuntimeError("the simulator is not running; start it first")
        return self.url.removesuffix("/v1")


def _arguments(options: Options) -> Iterator[str]:
    """Yield the options as the command line takes them."""
    flags = {
        "scenario": "scenario",
        "replay_dir": "replay",
        "seed": "seed",
        "judge_auc": "judge-auc",
        "port": "port",
    }
    yield from (f"--{flag}={options[name]}" for name, flag in flags.items() if name in options)  # type: ignore[literal-required]
    yield from (f"--models-dir={folder}" for folder in options.get("models_dirs", ()))
    yield from (f"--replay-source={source}" for source in options.get("replay_sources", ()))
    if not options.get("latency", True):
        yield "--no-latency"
