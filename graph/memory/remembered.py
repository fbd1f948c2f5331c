"""Conversations that were answered lately, in this process: what a caller may go on from by the id of an answer."""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic

from ...providers.wire.json_text import encode_json
from ...state.types import JSONObject

MOST_BYTES = 64_000_000
"""Of all conversations together, as JSON; those answered first are forgotten first. A longer one is not kept at all."""


class RememberedAnswers:
    """Messages of calls, each with its answer as the last one, by org and call id; and how the answer was told.

    Parameters
    ----------
    kept_s
        How long one is remembered, seconds; 0 = not at all.
    """

    def __init__(
        self, kept_s: float, *, most_bytes: int = MOST_BYTES, clock_s: Callable[[], float] = monotonic
    ) -> None:
        self._kept_s = kept_s
        self._most_bytes = most_bytes
        self._clock_s = clock_s
        self._kept: OrderedDict[tuple[str, str], tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def remember(
        self, org: str, call_id: str, messages: Sequence[JSONObject], told: JSONObject | None = None
    ) -> None:
        """Keep a conversation that ends with the answer of a call, and the reply in which a caller was told that."""
        if not self._kept_s:
            return
        packed = encode_json({"messages": list(messages), "told": told})
        if len(packed) > self._most_bytes:
            return
        self.forget(org, call_id)
        self._kept[org, call_id] = (self._clock_s() + self._kept_s, packed)
        self._bytes += len(packed)
        self._drop_old()

    def conversation(self, org: str, call_id: str) -> list[JSONObject] | None:
        """Return the conversation that ends with a call's answer; None where it is not known."""
        found = self._found(org, call_id)
        return None if found is None else list(found["messages"])

    def knows(self, org: str, call_id: str) -> bool:
        """Return whether the answer of a call is kept."""
        self._drop_old()
        return (org, call_id) in self._kept

    def told(self, org: str, call_id: str) -> JSONObject | None:
        """Return the reply that a call's caller was told; None where it is not known."""
        found = self._found(org, call_id)
        return None if found is None else found["told"]

    def _found(self, org: str, call_id: str) -> JSONObject | None:
        self._drop_old()
        kept = self._kept.get((org, call_id))
        if kept is None:
            return None
        found: JSONObject = json.loads(kept[1])
        return found

    def forget(self, org: str, call_id: str) -> bool:
        """Drop a conversation; return whether there was one."""
        found = self._kept.pop((org, call_id), None)
        self._bytes -= 0 if found is None else len(found[1])
        return found is not None

    def forget_org(self, org: str) -> None:
        """Drop all that an org said."""
        for name in [one for one in self._kept if one[0] == org]:
            self.forget(*name)

    def _drop_old(self) -> None:
        now_s = self._clock_s()
        while self._kept:
            name, (until_s, _) = next(iter(self._kept.items()))
            if until_s > now_s and self._bytes <= self._most_bytes:
                return
            self.forget(*name)
