"""What `GET /metrics` tells: the figures of this process, and of its fellow workers, in Prometheus's text format.

Workers share one port, so a scrape reaches any of them. Each leaves its figures in a file every two seconds; whoever is
asked tells them all, with the worker's number as a label, so that sums over workers are right and a worker that was
replaced looks like a counter that began anew.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from ..graph.run import Cascade
from ..state.meter import FAMILIES
from .admission import Admission
from .pulse import Pulse
from .trouble import trouble_of

CONTENT_TYPE = CONTENT_TYPE_LATEST
EVERY_S = 2.0
GAUGES: Mapping[str, str] = {
    "x25_calls_open": "Calls at the door now.",
    "x25_calls_under_way": "Calls not written down yet, those whose clients have left included.",
    "x25_calls_allowed": "Calls that may be at the door at once; fewer in an overload.",
    "x25_store_queue": "Transactions that wait for the store.",
    "x25_checkpoint_queue": "Checkpoints that wait to be written.",
    "x25_event_loop_pause_seconds": "Longest time one piece of work held all others up, last minute or two.",
    "x25_keys_exhausted": "Provider keys that were without credit when they were last used.",
    "x25_keys_refused": "Provider keys that their providers did not know when they were last used.",
    "x25_draining": "1 while the gateway ends: it finishes calls and takes no more.",
}
COUNTERS: Mapping[str, str] = {
    "x25_calls_refused": "Calls turned away at the door in an overload.",
    "x25_checkpoints_lost": "Checkpoints that could not be written.",
}
Figures = dict[str, Any]


def figures_of(cascade: Cascade, admission: Admission, pulse: Pulse, *, is_draining: bool) -> Figures:
    """Return the figures of this process as JSON."""
    states = {
        "x25_calls_open": admission.in_flight,
        "x25_calls_under_way": cascade.under_way,
        "x25_calls_allowed": admission.limit,
        "x25_store_queue": cascade.services.store.waiting,
        "x25_checkpoint_queue": cascade.checkpoints_waiting,
        "x25_event_loop_pause_seconds": pulse.longest_ms / 1e3,
        "x25_draining": int(is_draining),
        "x25_calls_refused": admission.refused,
        "x25_checkpoints_lost": cascade.checkpoint_writes.lost,
    }
    trouble = trouble_of(cascade.services)
    states["x25_keys_exhausted"], states["x25_keys_refused"] = len(trouble.keys), len(trouble.refused_keys)
    return {**cascade.services.meter.told(), "states": states, "breakers": trouble.levels}


class Told(Collector):
    """Turns the figures of workers into Prometheus's families; names that are not known are passed over."""

    def __init__(self, by_worker: Mapping[str, Figures]) -> None:
        self._by_worker = by_worker

    def collect(self) -> Iterator[Metric]:
        """Yield every family, also one without a value yet."""
        for name, family in FAMILIES.items():
            labels = ["worker", *family.labels]
            if family.kind == "counter":
                counter = CounterMetricFamily(name, family.help, labels=labels)
                for worker, values, value in self._values("counts", name, len(family.labels)):
                    counter.add_metric([worker, *values], value[0])
                yield counter
                continue
            histogram = HistogramMetricFamily(name, family.help, labels=labels)
            for worker, values, (counts, total) in self._values("histograms", name, len(family.labels)):
                histogram.add_metric([worker, *values], _cumulated(family.bounds, counts), total)
            yield histogram
        for names, kind in ((GAUGES, GaugeMetricFamily), (COUNTERS, CounterMetricFamily)):
            for name, sentence in names.items():
                state = kind(name, sentence, labels=["worker"])
                for worker, figures in self._by_worker.items():
                    state.add_metric([worker], figures["states"].get(name, 0))
                yield state

        breakers = GaugeMetricFamily(
            "x25_breaker_state", "Circuit breakers: 0 closed, 1 half-open, 2 open.",
            labels=["worker", "model", "deployment", "key"],
        )  # fmt: skip
        for worker, figures in self._by_worker.items():
            for *labels, level in figures.get("breakers", ()):
                breakers.add_metric([worker, *labels], level)
        yield breakers

    def _values(self, kind: str, name: str, width: int) -> Iterator[tuple[str, list[str], list[Any]]]:
        for worker, figures in self._by_worker.items():
            for found, labels, *value in figures[kind]:
                if found == name and len(labels) == width:
                    yield worker, labels, value


def _cumulated(bounds: tuple[float, ...], counts: list[int]) -> list[tuple[str, float]]:
    """Return how many values were at most each bound."""
    seen, found = 0, []
    for bound, count in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        seen += count
        found.append((bound, float(seen)))
    return found


def exposition(by_worker: Mapping[str, Figures]) -> bytes:
    """Return figures in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Told(by_worker))
    return generate_latest(registry)


class Board:
    """The folder in which the workers of one gateway leave their figures; None for a gateway of one process."""

    def __init__(self, folder: Path | None, worker: int) -> None:
        self._folder = folder
        self._worker = str(worker)

    def leave(self, own: Figures) -> None:
        """Leave this process's figures for the others."""
        if self._folder is None:
            return
        part = self._folder / f"{self._worker}.{os.getpid()}.part"
        part.write_text(json.dumps(own), encoding="ascii")
        part.replace(self._folder / f"{self._worker}.json")

    def all(self, own: Figures) -> dict[str, Figures]:
        """Return the figures of all workers, this one's as they are now."""
        found = {}
        for path in sorted(self._folder.glob("*.json")) if self._folder is not None else ():
            try:
                found[path.stem] = json.loads(path.read_text(encoding="ascii"))
            except (OSError, ValueError):  # the gateway is ending
                continue
        return {**found, self._worker: own}

    async def leave_for_ever(self, tell: Callable[[], Figures]) -> None:
        """Leave what `tell` returns every two seconds, until cancelled."""
        while self._folder is not None:
            await asyncio.to_thread(self.leave, tell())
            await asyncio.sleep(EVERY_S)
