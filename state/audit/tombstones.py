"""What stands in a chain for a record that was erased, and the entry that says so."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

TOMBSTONE = '{"kind":"erased"}'
"""Canonical text of an erased entry's record; its hash goes on being that of the record that went."""
DELETION = "deletion"
_MARK = f'"kind":"{DELETION}"'.encode()


def deletion_record(at: datetime, entries: Iterable[tuple[int, str]]) -> dict[str, Any]:
    """Return the record of the entry that says which entries, index and record hash, were erased."""
    return {"kind": DELETION, "at": at.isoformat(), "entries": [list(one) for one in entries]}


def erased_by(record: bytes) -> set[tuple[int, str]]:
    """Return index and hash of each entry that a record, its canonical text, says was erased; usually none."""
    if _MARK not in record:
        return set()
    said = json.loads(record)
    if said.get("kind") != DELETION:
        return set()
    return {(index, record_hash) for index, record_hash in said["entries"]}
