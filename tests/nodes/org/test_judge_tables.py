import asyncio

import pytest

from x25.nodes.org.judge_tables import JudgeBook, read_labels
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.label_evidence import NO_LABELS
from x25.state.label_counts import UNJUDGED
from x25.state.learning.judge_tables import add_counts, count_label
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


async def test_an_org_whose_labels_changed_is_read_anew_at_once(store):
    book = JudgeBook(refresh_s=1e9)
    await book.refresh("acme", store, DEFAULT_TABLE, 0.0)
    await count(store, 4, 0.0, times=9)
    await book.refresh("acme", store, DEFAULT_TABLE, 1.0)
    assert book.labels("acme") is NO_LABELS
    book.forget("acme")
    assert book.labels("acme") is NO_LABELS
    await book.refresh("acme", store, DEFAULT_TABLE, 1.0)
    assert book.labels("acme").tables.keys() == {"j/one"}
    book.forget("nobody")


async def test_labels_are_held_against_a_judge_only_where_somebody_judges(store):
    key = {
        "org": "acme", "source": "feedback", "model_id": "v/m", "task_cell": "qa", "judge": "", "edges": "",
        "place": UNJUDGED, "epoch": 0,
    }  # fmt: skip
    await store.transact(
        lambda connection: add_counts(connection, key, {"right": 0.0, "wrong": 20.0, "predicted": 16.0})
    )
    for number in range(60):
        await store.posteriors.add_evidence(
            "acme", f"c{number}", 0, task_cell="qa", model_id="v/m", tier="slm", success=0.8, failure=0.2,
            selection=(0.8, 0.8), org_calls=number, gamma=1.0,
        )  # fmt: skip
    judged = await read_labels("acme", store, DEFAULT_TABLE, is_judged=True)
    alone = await read_labels("acme", store, DEFAULT_TABLE, is_judged=False)
    assert judged.weight("feedback", "v/m") == 0.0 < alone.weight("feedback", "v/m")
    assert await read_labels("acme", store, DEFAULT_TABLE) == alone, "no labelled answer was judged"
