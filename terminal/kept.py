"""What is kept of one call beside its log row: its checkpoint, with draws, steps and the time each node took."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..graph.checkpoints import thread_config
from ..graph.run import Cascade
from ..state.errors import StoreError
from ..state.logged_arms import LoggedArm, logged_arms
from ..state.records import Attempt, Call


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the cascade."""

    kind: str
    """"start", "escalate", "fallback", "accept" …"""
    reason: str


@dataclass(frozen=True, slots=True)
class NodeTime:
    """How long a node took, in the order of the walk."""

    node: str
    ms: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything that is known of one call."""

    call: Call
    index: int | None
    """Place of its entry in the org's audit chain."""
    arms: tuple[LoggedArm, ...]
    attempts: list[Attempt]
    draws: Mapping[str, float] = field(default_factory=dict)
    """What was drawn for each model; empty where no checkpoint is kept."""
    removed: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    times: tuple[NodeTime, ...] = ()


async def receipt_of(cascade: Cascade, call: Call) -> Receipt:
    """Return what is known of a call."""
    pages = cascade.services.store.call_pages
    values = await _checkpoint(cascade, call)
    selection = values.get("selection") or {}
    return Receipt(
        call=call,
        index=await pages.place_in_chain(call.org, call.call_id),
        arms=logged_arms(call.decision),
        attempts=await pages.attempts(call.org, call.call_id),
        draws={name: float(one["theta"]) for name, one in (selection.get("beliefs") or {}).items()},
        removed=dict(selection.get("removed") or {}),
        steps=tuple(Step(one["kind"], one["reason"]) for one in values.get("transitions") or ()),
        times=tuple(NodeTime(one["node"], float(one["ms"])) for one in values.get("timings") or ()),
    )


async def _checkpoint(cascade: Cascade, call: Call) -> Mapping[str, Any]:
    if cascade.saver is None:
        return {}
    try:
        state = await cascade.graph.aget_state(thread_config(call.org, call.call_id))
    except StoreError:
        return {}
    return dict(state.values)
