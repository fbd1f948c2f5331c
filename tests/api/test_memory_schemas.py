import pytest
from pydantic import ValidationError

from x25.api.memory_schemas import Chosen, MemoryChange


def test_a_setting_says_whether_it_is_on_and_nothing_unknown():
    assert MemoryChange.model_validate({"enabled": True}).budget_tokens is None
    for wrong in ({}, {"enabled": 1}, {"enabled": True, "on": 1}):
        with pytest.raises(ValidationError):
            MemoryChange.model_validate(wrong)


def test_a_page_has_at_most_a_thousand_passages():
    assert (Chosen().limit, Chosen().offset) == (100, 0)
    with pytest.raises(ValidationError):
        Chosen(limit=1001)
