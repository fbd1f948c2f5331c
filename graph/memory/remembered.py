"""Responses given lately, in the memory of this process, where the store may keep none."""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic

from ...providers.wire.json_text import encode_json
from ...state.responses import KeptResponse

MOST_BYTES = 64_000_000
"""Of all conversations together, as JSON; those answered first are forgotten first. A longer one is not kept at all."""


class RememberedAnswers:
    """Responses by org and call id.

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
        self._unlogged: set[tuple[str, str]] = set()
        self._bytes = 0

    def remember(self, org: str, call_id: str, kept: KeptResponse, *, is_logged: bool = True) -> None:
        """Keep what the caller of a call was told, with the conversation that it answers.

        Parameters
        ----------
        is_logged
            False while the call is under way still.
        """
        if not self._kept_s:
            return
        packed = encode_json(asdict(kept))
        if len(packed) > self._most_bytes:
            return
        self.forget(org, call_id)
        if not is_logged:
            self._unlogged.add((org, call_id))
        self._kept[org, call_id] = (self._clock_s() + self._kept_s, packed)
        self._bytes += len(packed)
        self._drop_old()

    def get(self, org: str, call_id: str) -> KeptResponse | None:
        """Return what is known of a call; None where nothing is."""
        self._drop_old()
        kept = self._kept.get((org, call_id))
        return None if kept is None else KeptResponse(**json.loads(kept[1]))

    def is_logged(self, org: str, call_id: str) -> bool:
        """Return whether the call of a response had ended when it was kept."""
        return (org, call_id) not in self._unlogged

    def forget(self, org: str, call_id: str) -> bool:
        """Drop a response; return whether there was one."""
        found = self._kept.pop((org, call_id), None)
        self._unlogged.discard((org, call_id))
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
