from datetime import UTC, datetime

import pytest

from x25.state.audit.chain import canonical_json
from x25.state.audit.tombstones import TOMBSTONE, deletion_record, erased_by

ENTRIES = [(3, "a" * 64), (9, "b" * 64)]


def written(record) -> bytes:
    return canonical_json(record).encode()


def test_an_entry_says_which_entries_went():
    record = deletion_record(datetime(2026, 1, 1, tzinfo=UTC), ENTRIES)
    assert erased_by(written(record)) == set(ENTRIES)


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "call", "entries": [[3, "a"]]},
        {"kind": "call", "inner": {"kind": "deletion", "entries": [[3, "a"]]}},
        {"kind": "call", "said": '"kind":"deletion","entries":[[3,"a"]]'},
    ],
)
def test_no_other_entry_accounts_for_a_tombstone_whatever_it_quotes(record):
    assert erased_by(written(record)) == set()


def test_a_tombstone_is_canonical_json():
    assert canonical_json({"kind": "erased"}) == TOMBSTONE
