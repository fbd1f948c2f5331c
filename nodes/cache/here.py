"""Answers kept in this process alone, for orgs whose words are not written down; by org, with a bound on their size."""

from collections import OrderedDict
from datetime import datetime

from ...state.cached_answers import MOST_CANDIDATES, Candidates, Entry, candidates_of


class AnswersHere:
    """Keeps entries by org and key; those not used for the longest time go first.

    Parameters
    ----------
    most_org_bytes, most_bytes
        Bounds on the answers of one org, and of all.
    """

    def __init__(self, *, most_org_bytes: int, most_bytes: int) -> None:
        self._most_org_bytes, self._most_bytes = most_org_bytes, most_bytes
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        self._orgs: dict[str, OrderedDict[str, None]] = {}
        self._org_bytes: dict[str, int] = {}
        self._bytes = 0

    def get(self, org: str, key: str) -> Entry | None:
        """Return the entry of an org, now the last to go."""
        entry = self._entries.get((org, key))
        if entry is not None:
            self._entries.move_to_end((org, key))
            self._orgs[org].move_to_end(key)
        return entry

    def near(self, org: str, context: str, encoder: str, since: datetime) -> Candidates:
        """Return questions asked in a context since then, those used last first."""
        rows: list[tuple[str, str, bytes]] = []
        for key in reversed(self._orgs.get(org, ())):
            entry = self._entries[org, key]
            near = entry.near
            if near is None or entry.created_at < since or (near.context, near.encoder) != (context, encoder):
                continue
            rows.append((key, near.text, near.vector))
            if len(rows) == MOST_CANDIDATES:
                break
        return candidates_of(rows)

    def keep(self, entry: Entry) -> None:
        """Keep an entry in the place of what its key had."""
        self.drop(entry.org, entry.key)
        self._entries[entry.org, entry.key] = entry
        self._orgs.setdefault(entry.org, OrderedDict())[entry.key] = None
        self._org_bytes[entry.org] = self._org_bytes.get(entry.org, 0) + entry.size_bytes
        self._bytes += entry.size_bytes
        while self._org_bytes.get(entry.org, 0) > self._most_org_bytes:
            self.drop(entry.org, next(iter(self._orgs[entry.org])))
        while self._bytes > self._most_bytes:
            self.drop(*next(iter(self._entries)))

    def drop(self, org: str, key: str) -> None:
        """Forget an entry, where it is there."""
        entry = self._entries.pop((org, key), None)
        if entry is None:
            return
        del self._orgs[org][key]
        self._bytes -= entry.size_bytes
        self._org_bytes[org] -= entry.size_bytes
        if not self._orgs[org]:
            del self._orgs[org], self._org_bytes[org]

    def drop_call(self, org: str, call_id: str) -> int:
        """Forget what a call bought; return how many entries went."""
        doomed = [key for key in self._orgs.get(org, ()) if self._entries[org, key].call_id == call_id]
        for key in doomed:
            self.drop(org, key)
        return len(doomed)

    def drop_org(self, org: str) -> int:
        """Forget all that an org's calls bought; return how many entries went."""
        doomed = list(self._orgs.get(org, ()))
        for key in doomed:
            self.drop(org, key)
        return len(doomed)

    @property
    def size_bytes(self) -> int:
        """What all entries take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)
