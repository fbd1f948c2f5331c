"""When a request is late, longer out than 95 in 100 of its deployment's were, and what two racing ones bring."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .specs import Deployment

_Outcome = TypeVar("_Outcome")

REMEMBERED = 100
"""Latencies that are remembered of a deployment."""
LEAST = 20
"""Latencies from which on a quantile is said: the 95th percentile of twenty is the second longest."""
LATE_QUANTILE = 0.95


class Lateness:
    """How long each deployment's latest answers took; one process, nothing stored."""

    def __init__(self) -> None:
        self._latencies_ms: dict[tuple[str, str], deque[float]] = {}

    def note(self, deployment: Deployment, latency_ms: float) -> None:
        """Remember how long an answer took."""
        place = deployment.base_url, deployment.upstream_model
        kept = self._latencies_ms.get(place)
        if kept is None:
            kept = self._latencies_ms[place] = deque(maxlen=REMEMBERED)
        kept.append(latency_ms)

    def late_after_s(self, deployment: Deployment) -> float | None:
        """Return the seconds after which a request is late; None where too few answers were timed to say."""
        kept = self._latencies_ms.get((deployment.base_url, deployment.upstream_model), ())
        if len(kept) < LEAST:
            return None
        return sorted(kept)[int(LATE_QUANTILE * (len(kept) - 1))] / 1e3


async def first_good(
    first: Callable[[], Awaitable[_Outcome]],
    second: Callable[[], Awaitable[_Outcome]],
    late_s: float,
    is_good: Callable[[_Outcome], bool],
) -> _Outcome:
    """Return what `first` brings or, where that takes longer than `late_s`, the first good outcome of both.

    Where neither is good, the first one's. The slower one is cancelled, and has ended when this returns.
    """
    tasks = [asyncio.ensure_future(first())]
    try:
        if (await asyncio.wait(tasks, timeout=late_s))[0]:
            return tasks[0].result()
        tasks.append(asyncio.ensure_future(second()))
        waiting = set(tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=tasks.index):
                if is_good(task.result()):
                    return task.result()
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
