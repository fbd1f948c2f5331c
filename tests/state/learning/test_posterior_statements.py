"""What is asked of the table of posteriors; `test_posteriors` says what comes of it."""

from datetime import UTC, datetime

from x25.state.learning.posterior_statements import LOG_ONCE, POOLED, READ_ARM, READ_LEVELS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_levels_of_a_cell_are_its_rows_and_the_pooled_ones(store):
    lesson = {
        "model_id": "v/m", "tier": "mid", "success": 1.0, "failure": 0.0, "selection": None,
        "org_calls": 3, "gamma": 0.9,
    }  # fmt: skip
    for number, cell in enumerate(["qa", "code"]):
        await store.posteriors.learn("acme", f"c{number}", 0, task_cell=cell, **lesson)
    asked = {"org": "acme", "task_cell": "qa", "pooled": POOLED, "model_id": "v/m"}
    for statement in (READ_LEVELS, READ_ARM):
        rows = await store.transact(lambda connection, of=statement: of.rows(connection, asked))
        assert {row[1]: row[3] for row in rows} == {"qa": 1.0, POOLED: 2.0}
    other = await store.transact(
        lambda connection: READ_ARM.rows(connection, asked | {"model_id": "v/other"})
    )
    assert other == []


async def test_an_answer_teaches_once(store):
    row = {
        "org": "acme", "call_id": "c1", "step": 0, "task_cell": "qa", "model_id": "v/m", "success": 1.0, "failure": 0.0,
        "reward": None, "predicted": None, "org_calls": 3, "now": NOW,
    }  # fmt: skip
    assert await store.transact(lambda connection: LOG_ONCE.rows(connection, row)) == [(0,)]
    assert await store.transact(lambda connection: LOG_ONCE.rows(connection, row)) == []
