"""Figures of what a process did since it started: counts, sums and histograms, for whoever watches it.

Labels come from closed sets alone (statuses, tiers, nodes, registered models): a label's value that strangers choose
would let them grow the process. A count costs a third of a microsecond.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of the bins of a time."""
NODE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One figure: what it is, and what its values are told apart by."""

    kind: Literal["counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = SECONDS


FAMILIES: Mapping[str, Family] = {
    "x25_http_requests": Family("counter", "HTTP requests answered.", ("path", "status")),
    "x25_calls": Family("counter", "Calls written down.", ("status", "tier")),
    "x25_call_seconds": Family("histogram", "Time of a call, from its first node to the log.", ("status",)),
    "x25_node_seconds": Family("histogram", "Time of one node of a call.", ("node",), NODE_SECONDS),
    "x25_first_token_seconds": Family("histogram", "Time to the first token of an answer sent while it is written."),
    "x25_tokens": Family("counter", "Tokens of answers paid for.", ("model", "kind")),
    "x25_cost_dollars": Family("counter", "US dollars paid for answers.", ("model",)),
    "x25_judge_cost_dollars": Family("counter", "US dollars paid for judgements.", ("model",)),
    "x25_attempts": Family("counter", "Requests to models, by outcome.", ("model", "outcome")),
    "x25_estimated_bills": Family("counter", "Requests whose tokens had to be guessed.", ("model",)),
    "x25_escalations": Family("counter", "Climbs to a dearer model: the answer was not good enough."),
    "x25_cache_hits": Family("counter", "Calls served by an answer bought before.", ("type",)),
    "x25_fallbacks": Family("counter", "Moves to another model: the first one failed."),
}  # fmt: skip


class Histogram:
    """How often a value fell into each bin, and the sum of all."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Meter:
    """The figures of one process."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, tuple[str, ...]], float] = {}
        self._histograms: dict[tuple[str, tuple[str, ...]], Histogram] = {}

    def add(self, name: str, labels: tuple[str, ...] = (), by: float = 1) -> None:
        """Count something, or add to a sum."""
        key = (name, labels)
        self._counts[key] = self._counts.get(key, 0) + by

    def observe(self, name: str, labels: tuple[str, ...], value: float) -> None:
        """Count a value into its histogram."""
        found = self._histograms.get((name, labels))
        if found is None:
            found = self._histograms[name, labels] = Histogram(FAMILIES[name].bounds)
        found.observe(value)

    def told(self) -> dict[str, Any]:
        """Return all figures as JSON: lists of name, labels and value, or bins and sum."""
        return {
            "counts": [[name, [*labels], value] for (name, labels), value in [*self._counts.items()]],
            "histograms": [
                [name, [*labels], [*one.counts], one.total]
                for (name, labels), one in [*self._histograms.items()]
            ],
        }
