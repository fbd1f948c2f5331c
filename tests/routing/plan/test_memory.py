import pytest

from x25.routing.plan.memory import (
    DEFAULT_BUDGET_TOKENS,
    MemorySetting,
    MemoryWish,
    budget_of,
    check_memory,
)
from x25.state.errors import InvalidRequest

ON = MemorySetting(enabled=True, budget_tokens=100)


@pytest.mark.parametrize(
    ("wish", "setting", "budget"),
    [
        (None, MemorySetting(), None),
        (None, ON, 100),
        (MemoryWish(enabled=False), ON, None),
        (MemoryWish(enabled=True), MemorySetting(), DEFAULT_BUDGET_TOKENS),
        (MemoryWish(budget_tokens=7), ON, 7),
        (MemoryWish(budget_tokens=7), MemorySetting(), None),
        (MemoryWish(enabled=True, budget_tokens=0), ON, 0),
    ],
)
def test_a_request_wins_over_its_org_and_memory_is_off_where_nobody_asks(wish, setting, budget):
    assert budget_of(wish, setting) == budget


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ("yes", "memory"), ([], "memory"), ({"enabled": 1}, "memory.enabled"), ({"on": True}, "memory.on"),
        ({"budget_tokens": -1}, "memory.budget_tokens"), ({"budget_tokens": 1e9}, "memory.budget_tokens"),
        ({"budget_tokens": True}, "memory.budget_tokens"), ({"budget_tokens": 16_385}, "memory.budget_tokens"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(wish, field):
    with pytest.raises(InvalidRequest) as refused:
        check_memory(wish)
    assert refused.value.field == field


def test_nothing_said_is_nothing_wished():
    assert check_memory(None) is None
    assert check_memory({}) == MemoryWish()
