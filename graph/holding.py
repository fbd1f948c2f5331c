"""What a request takes hold of before its call begins: the call id it names, and a step of the chain it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..nodes.services import Services
from ..routing.plan.hints import parse_hints
from ..state.chains import ChainBounds
from ..state.errors import InvalidRequest
from ..state.names import check_call_id
from ..state.store import Store


@dataclass(frozen=True, slots=True)
class Held:
    """What to give back where the call is refused before anything is bought."""

    store: Store
    org: str
    call_id: str | None = None
    chain_id: str | None = None

    async def give_back(self) -> None:
        """Let another request have it: one that was refused may be put right."""
        if self.call_id is not None:
            await self.store.claims.release(self.org, self.call_id)
        if self.chain_id is not None:
            await self.store.chains.step_back(self.org, self.chain_id)


async def hold(services: Services, org: str, request: Mapping[str, Any], deadline_s: float) -> Held:
    """Take what a request names.

    Parameters
    ----------
    deadline_s
        Seconds after which a claim under which nothing was bought belongs to a process that died.

    Raises
    ------
    InvalidRequest
        When another request has the call id, or had it and bought something; `ChainEnded` when the chain is at its end.
    """
    store, now = services.store, services.now()
    call_id, said = request.get("call_id"), request.get("routing_hints")
    hints = None if said is None else parse_hints(said)
    if call_id is not None and not await store.claims.claim(
        org, check_call_id(call_id), now, now - timedelta(seconds=deadline_s)
    ):
        logged = await store.calls.get(org, call_id)
        state = "begun" if logged is None else logged.status
        raise InvalidRequest(
            f"call_id {call_id!r} was used before ({state}); one is good for one call", field="call_id"
        )
    held = Held(store, org, call_id)
    if hints is None or hints.chain_id is None:
        return held
    bounds = ChainBounds(hints.max_chain_steps, hints.chain_timeout_s)
    try:
        await store.chains.step(org, hints.chain_id, bounds, now)
    except InvalidRequest:
        await held.give_back()
        raise
    return Held(store, org, call_id, hints.chain_id)
