import asyncio

from x25.state.learning.judge_tables import JudgeCounts, count_label, edges_key

EDGES = (0.2, 0.4, 0.6, 0.8)


async def count(store, judge, score_bin, right, *, org="acme", edges=EDGES):
    await store.transact(lambda connection: count_label(connection, org, judge, edges, score_bin, right))


async def test_labels_are_counted_by_judge_and_bin(store):
    for score_bin, right in ((4, 1.0), (4, 1.0), (4, 0.0), (0, 0.25)):
        await count(store, "j/one", score_bin, right)
    await count(store, "j/two", 1, 1.0)
    found = await store.judge_tables.counts("acme", EDGES)
    assert found == {
        "j/one": JudgeCounts((0.25, 0, 0, 0, 2.0), (0.75, 0, 0, 0, 1.0)),
        "j/two": JudgeCounts((0, 1.0, 0, 0, 0), (0, 0.0, 0, 0, 0)),
    }
    assert found["j/one"].labels == 4.0


async def test_counts_of_other_orgs_and_other_bin_edges_are_apart(store):
    await count(store, "j/one", 4, 1.0, org="other")
    await count(store, "j/one", 4, 1.0, edges=(0.1, 0.2, 0.3, 0.4))
    assert await store.judge_tables.counts("acme", EDGES) == {}
    assert edges_key(EDGES) != edges_key((0.1, 0.2, 0.3, 0.4))


async def test_labels_that_come_at_once_are_all_counted(store):
    await asyncio.gather(*(count(store, "j/one", number % 5, 1.0) for number in range(60)))
    assert (await store.judge_tables.counts("acme", EDGES))["j/one"].right == (12.0,) * 5
