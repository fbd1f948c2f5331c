"""Equal requests at the same time: one is answered, the others wait for its answer."""

import asyncio
from dataclasses import dataclass, field

from ...state.hits import Hit

MOST_WAIT_S = 30.0
"""How long a request waits for an equal one at most; then it goes on its own."""


@dataclass(slots=True)
class _Flight:
    leader: tuple[str, str]
    landed: asyncio.Future[Hit | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Flights:
    """The requests that others may wait for, by org and key; of one process."""

    def __init__(self) -> None:
        self._flights: dict[tuple[int, str, str], _Flight] = {}
        self._leading: dict[tuple[str, str], tuple[int, str, str]] = {}

    async def join(self, org: str, key: str, call_id: str, wait_s: float) -> Hit | None:
        """Wait for the answer of an equal request under way.

        Returns
        -------
        Hit | None
            None when there is none, so that this call leads, or when it brought nothing that may be given again, so
            that this call goes on its own.
        """
        name = (id(asyncio.get_running_loop()), org, key)
        flight = self._flights.get(name)
        if flight is None:
            self._flights[name] = _Flight((org, call_id))
            self._leading[org, call_id] = name
            return None
        try:
            return await asyncio.wait_for(asyncio.shield(flight.landed), min(wait_s, MOST_WAIT_S))
        except TimeoutError:
            return None

    def land(self, org: str, call_id: str, hit: Hit | None) -> None:
        """Tell those who wait for a call what it brought; None = nothing they may have."""
        name = self._leading.pop((org, call_id), None)
        flight = None if name is None else self._flights.pop(name, None)
        if flight is not None and not flight.landed.done():
            flight.landed.set_result(hit)

    def __len__(self) -> int:
        return len(self._flights)
