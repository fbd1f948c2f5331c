from dataclasses import FrozenInstanceError

import pytest

from x25.state.audit.entries import AuditEntry, Verification


def test_an_entry_cannot_be_changed():
    entry = AuditEntry("acme", 0, "0" * 64, "a" * 64, {"n": 1})
    with pytest.raises(FrozenInstanceError):
        entry.index = 1


def test_a_verification_tells_of_no_tombstone_unless_some_were_met():
    assert Verification("acme", intact=True, total_records=0, head_hash="0" * 64).erased == 0
