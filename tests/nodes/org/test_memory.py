import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.graph.retention import drop_old_memories
from x25.nodes.org.memory import (
    LOOK_EVERY_S,
    MOST_QUESTION_CHARS,
    NOBODY,
    MemorySettings,
    kept_days,
    question_of,
    scope_of,
    user_of,
)
from x25.routing.plan.memory import MemorySetting
from x25.state.memories import OrgMemory
from x25.state.recalled import Memory
from x25.state.store import open_store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ON = {"enabled": True}


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


def test_scopes_of_users_are_of_one_length_and_none_is_nobodys():
    scopes = {scope_of(user) for user in ("ann", "bob", "org", "user-", "a.b", "\ud800", "x" * 500)}
    assert len(scopes) == 7
    assert len({len(scope) for scope in scopes}) == 1
    assert scope_of(None) == NOBODY not in scopes
    assert [user_of(options, None) for options in ({}, {"user": ""}, {"user": "ann"}, {"user": 3})] == [
        None,
        None,
        "ann",
        None,
    ]
    assert user_of({"user": "ann"}, "ada") == user_of({}, "ada") == "ada"


@pytest.mark.parametrize(
    ("org_days", "gateway_days", "days"),
    [(None, 30.0, 30.0), (2.0, 30.0, 2.0), (90.0, 30.0, 30.0), (None, 0, 36_500.0)],
)
def test_the_shorter_term_counts(org_days, gateway_days, days):
    assert kept_days(MemorySetting(keep_days=org_days), gateway_days) == days


def test_a_question_is_the_newest_words_of_the_user():
    messages = [
        {"role": "user", "content": "old"},
        {"role": "user", "content": "new"},
        {"role": "tool", "content": "x"},
    ]
    assert question_of(messages) == "new"
    assert question_of([{"role": "system", "content": "x"}]) == ""
    long = question_of([{"role": "user", "content": "a" * 5000 + "b" * 5000}])
    assert len(long) == MOST_QUESTION_CHARS + 1
    assert long.startswith("a")
    assert long.endswith("b")


async def test_settings_are_read_once_and_then_behind_the_calls(store):
    settings, reads = MemorySettings(), 0
    read = store.memories.settings

    async def counting():
        nonlocal reads
        reads += 1
        return await read()

    store.memories.settings = counting
    for second in (0.0, 1.0, 2.0):
        assert not (await settings.of("acme", store, second)).enabled
    assert reads == 1
    await store.memories.settle(OrgMemory("acme", True, 9, None), NOON)
    assert not (await settings.of("acme", store, LOOK_EVERY_S)).enabled
    while reads < 2 or not (await settings.of("acme", store, LOOK_EVERY_S)).enabled:
        await asyncio.sleep(0)
    assert (await settings.of("acme", store, LOOK_EVERY_S)).budget_tokens == 9
    assert reads == 2


async def test_what_an_answer_says_is_kept_with_a_short_question_and_questions_are_not(services, walk):
    call = await walk("audit", prompt="My dog is Rex. What is 2 plus 2?", memory=ON)
    passages, _ = await services.store.memories.page(call.org)
    texts = {one.role: one.text for _, one in passages}
    assert texts["user"] == "My dog is Rex."
    assert texts["assistant"].startswith("Asked: My dog is Rex. What is 2 plus 2? Answered: ")


async def test_what_is_old_is_dropped_by_the_orgs_term_and_the_gateways(services):
    memories, now = services.store.memories, services.now()
    for org, days in (("short", 5.0), ("long", None)):
        await memories.settle(OrgMemory(org, True, 100, days), now)
        for age in (1, 10, 40):
            said = Memory(f"m{age}", "talk", "c", "user", "x", now - timedelta(days=age))
            await memories.keep(org, NOBODY, [said], None, "")
    assert await drop_old_memories(services) == 3
    assert [(await memories.page(org))[1] for org in ("short", "long")] == [1, 2]
