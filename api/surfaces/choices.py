"""Several answers to one request: each is a call of its own, decided, reserved, billed and audited like any other.

No vendor need know `n`, every answer has its receipt, and what all of them cost is told in one sum.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ...state.errors import InvalidRequest
from ...state.types import JSONObject, Reply
from ..receipts import receipt

MOST_CHOICES = 8
SUMMED = ("cost_usd", "judge_cost_usd", "cost_saved_usd")
"""What a receipt tells of all answers together."""
_CAP = "max_cost_per_call_usd"
_CACHING = ("cache", "full")
"""Modes that switch caches on."""


def choices_wanted(options: dict[str, Any]) -> int:
    """Take `n` out of the options and return it.

    Raises
    ------
    InvalidRequest
        Unless it is a whole number from 1 to `MOST_CHOICES`, or absent.
    """
    wanted = options.pop("n", None)
    if wanted is None:
        return 1
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= MOST_CHOICES:
        raise InvalidRequest(f"n must be a whole number from 1 to {MOST_CHOICES}, got {wanted!r}", field="n")
    return wanted


def options_of_choice(options: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Return the options of one of several answers; with a seed each has the next one, or all would be the same."""
    seed = options.get("seed")
    if not place or isinstance(seed, bool) or not isinstance(seed, int):
        return dict(options)
    return {**options, "seed": seed + place}


def shared(steering: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the steering of one of several answers: they share the cost cap, and none is given from a cache.

    Raises
    ------
    InvalidRequest
        When a call id, a cache, a mode that switches one on or the bound of a chain is named, which are one call's.
    """
    if steering.get("call_id") is not None:
        raise InvalidRequest(
            "x25.call_id names one call, and several answers are several", field="x25.call_id"
        )
    cache = steering.get("cache")
    if (cache.get("use") if isinstance(cache, Mapping) else cache) not in (None, "off"):
        raise InvalidRequest("x25.cache: of several answers none is given from a cache", field="x25.cache")
    if steering.get("mode") in _CACHING:
        said = (
            f"x25.mode {steering['mode']!r} switches caches on, and of several answers none is given from one"
        )
        raise InvalidRequest(said, field="x25.mode")
    hints = steering.get("routing_hints")
    for bound in ("max_chain_steps", "chain_timeout_s"):
        if isinstance(hints, Mapping) and hints.get(bound) is not None:
            field = f"routing_hints.{bound}"
            raise InvalidRequest(f"{field} bounds steps of one answer; ask for one", field=field)
    policy, changed = steering.get("policy"), {**steering, "cache": "off"}
    if isinstance(policy, Mapping):
        cap = policy.get(_CAP)
        if isinstance(cap, int | float) and not isinstance(cap, bool):
            changed["policy"] = {**policy, _CAP: cap / count}
    return changed


class Calls(list["asyncio.Task[Reply]"]):
    """The calls of one request, in the order of their answers, and which of them failed first.

    Under a budget the others fail because of that one: none is bought without it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._failed: asyncio.Task[Reply] | None = None

    def add(self, call: "asyncio.Task[Reply]") -> None:
        """Take one more."""
        self.append(call)
        call.add_done_callback(self._ended)

    def check(self) -> None:
        """Raise what the first met that failed, in time; nothing where none did so far."""
        if self._failed is not None:
            self._failed.result()

    def _ended(self, call: "asyncio.Task[Reply]") -> None:
        if self._failed is None and (call.cancelled() or call.exception() is not None):
            self._failed = call


async def all_replies(calls: Calls) -> list[Reply]:
    """Return the replies once all calls have ended; the first failure, where one of them failed."""
    await asyncio.wait(calls)
    calls.check()
    return [call.result() for call in calls]


def summed(replies: Sequence[Reply]) -> Reply:
    """Return the first reply with the costs of all in its place: what a head tells of several answers."""
    first: dict[str, Any] = dict(replies[0])
    first |= {name: sum(_number(reply, name) for reply in replies) for name in SUMMED}
    first["latency_ms"] = max(reply["latency_ms"] for reply in replies)
    first["usage"] = summed_usage([reply["usage"] for reply in replies]) or {}
    return first  # type: ignore[return-value]


def _number(reply: Mapping[str, Any], name: str) -> float:
    return float(reply[name] or 0.0)


def receipt_of_all(replies: Sequence[Reply]) -> JSONObject:
    """Return the `x25` object of several answers: one receipt each, and what all of them cost."""
    whole = summed(replies)
    told = {name: whole[name] for name in (*SUMMED, "latency_ms")}  # type: ignore[literal-required]
    return {**told, "choices": [receipt(reply) for reply in replies]}


def summed_usage(usages: Sequence[JSONObject | None]) -> JSONObject | None:
    """Return the tokens of several answers: each read the prompt anew. None where the vendor counted none of one."""
    known = [usage for usage in usages if usage]
    return _added(known) if len(known) == len(usages) else None


def _added(usages: Sequence[JSONObject]) -> JSONObject:
    total: JSONObject = {}
    for usage in usages:
        for name, value in usage.items():
            if isinstance(value, Mapping):
                total[name] = _added([total.get(name) or {}, dict(value)])
            elif isinstance(value, bool) or not isinstance(value, int | float):
                total[name] = value
            else:
                total[name] = (total.get(name) or 0) + value
    return total
