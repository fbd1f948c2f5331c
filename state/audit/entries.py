"""What is told of an audit chain: one link of it, and the outcome of walking it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One link of an org's chain. `record_hash` = SHA-256(`prev_hash` + canonical JSON of `record`)."""

    org: str
    index: int
    """0 for the first entry."""
    prev_hash: str
    record_hash: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """Outcome of walking one chain."""

    org: str
    intact: bool
    total_records: int
    head_hash: str
    first_broken_index: int | None = None
    reason: str | None = None
    """What is wrong at that index: "edited", "out of order", "missing", "tail cut off" …"""
    calls: int = 0
    """How many of the entries are calls; the others tell of drifts and refits."""
    checked_from: int = 0
    """Index of the first entry that was checked now; those before it were found whole earlier."""
    fully_verified_at: datetime | None = None
    """When the chain was last found whole from its beginning; null before the first time."""
    erased: int = 0
    """How many of the entries checked now are tombstones: their hashes hold, and a later entry says that they went."""
