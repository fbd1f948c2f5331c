import asyncio

import pytest

from x25.nodes.org.judge_tables import JudgeBook
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.learning.judge_tables import count_label
from x25.state.store import open_store


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def count(store, score_bin, right, times=1, *, org="acme"):
    def add(connection):
        for _ in range(times):
            count_label(connection, org, "j/one", DEFAULT_TABLE.edges, score_bin, right)

    await store.transact(add)


async def test_without_labels_the_default_table_is_served(store):
    book = JudgeBook()
    assert book.table("acme", "j/one", DEFAULT_TABLE) is DEFAULT_TABLE
    await book.refresh("acme", store, DEFAULT_TABLE, 0.0)
    assert book.table("acme", "j/one", DEFAULT_TABLE) is DEFAULT_TABLE


async def test_labels_change_the_table_of_their_org_and_judge_alone(store):
    await count(store, 4, 0.0, times=200)
    book = JudgeBook()
    for org in ("acme", "other"):
        await book.refresh(org, store, DEFAULT_TABLE, 0.0)
    assert book.table("acme", "j/one", DEFAULT_TABLE).wrong[4] > 0.8
    assert not book.table("acme", "j/one", DEFAULT_TABLE).is_trusted
    assert book.table("acme", "j/two", DEFAULT_TABLE) is DEFAULT_TABLE
    assert book.table("other", "j/one", DEFAULT_TABLE) is DEFAULT_TABLE


async def test_a_label_counts_once_the_page_is_old_and_not_before(store):
    book = JudgeBook(refresh_s=5.0)
    await book.refresh("acme", store, DEFAULT_TABLE, 0.0)
    await count(store, 4, 0.0, times=200)
    await book.refresh("acme", store, DEFAULT_TABLE, 4.9)
    assert book.table("acme", "j/one", DEFAULT_TABLE) is DEFAULT_TABLE
    await book.refresh("acme", store, DEFAULT_TABLE, 5.1)
    assert book.table("acme", "j/one", DEFAULT_TABLE) is not DEFAULT_TABLE


async def test_only_the_orgs_seen_lately_are_remembered(store):
    book = JudgeBook(most_orgs=2)
    for org in ("a", "b", "c"):
        await count(store, 4, 0.0, times=9, org=org)
    for org in ("a", "b", "a", "c"):
        await book.refresh(org, store, DEFAULT_TABLE, 0.0)
    known = [book.table(org, "j/one", DEFAULT_TABLE) is not DEFAULT_TABLE for org in ("a", "b", "c")]
    assert known == [True, False, True]


async def test_calls_that_meet_an_unread_page_wait_for_it(store):
    await count(store, 4, 0.0, times=200)
    book = JudgeBook()

    async def served():
        await book.refresh("acme", store, DEFAULT_TABLE, 0.0)
        return book.table("acme", "j/one", DEFAULT_TABLE)

    tables = await asyncio.gather(*(served() for _ in range(5)))
    assert all(table is not DEFAULT_TABLE for table in tables)
