import asyncio
import logging
import math
import random

import pytest

from x25.state.database import connect
from x25.state.learning.posteriors import FRESH_S, Posteriors
from x25.state.lessons import Lesson
from x25.state.records import Evidence
from x25.state.store import open_store

LESSON = {
    "task_cell": "qa", "model_id": "v/m", "tier": "mid", "success": 1.0, "failure": 0.0, "selection": None,
    "org_calls": 3, "gamma": 0.9,
}  # fmt: skip


async def learn(store, call_id: str = "c1", **changes) -> bool:
    return await store.posteriors.add_evidence("acme", call_id, 0, **(LESSON | changes))


async def damage(store, assignment: str) -> None:
    update = f"UPDATE posteriors SET {assignment}"
    if "WHERE" not in assignment:
        update += " WHERE task_cell <> '*'"
    assert await store.transact(lambda connection: connection.exec_driver_sql(update).rowcount)


async def test_answer_that_was_no_first_choice_adds_counts_only(store):
    assert await learn(store)
    assert await store.posteriors.read_all("acme") == [
        Evidence("v/m", "qa", "mid", successes=1.0, failures=0.0, calls_seen=3)
    ]


async def test_same_evidence_under_another_model_is_still_a_repetition(store):
    await learn(store)
    assert not await learn(store, model_id="v/other")
    assert list(await store.posteriors.read("acme", "qa")) == ["v/m"]


@pytest.mark.parametrize(
    "changes",
    [
        {"success": math.nan}, {"failure": -0.1}, {"selection": (math.inf, 0.5)},
        {"selection": (0.5, math.nan)}, {"gamma": 0.0}, {"gamma": 1.01}, {"gamma": math.nan},
    ],
)  # fmt: skip
async def test_evidence_out_of_range_is_refused_before_it_is_written(store, changes):
    with pytest.raises(ValueError, match="must be"):
        await learn(store, **changes)
    assert await store.posteriors.read_all("acme") == []
    assert await learn(store)


@pytest.mark.parametrize(
    "assignment",
    [
        "successes = 9e999",
        "failures = -1",
        "weight = 2e9",
        "reward_sum = 'much'",
        "tier = 'gold'",
        "calls_seen = -1",
        "reward_total = 9e999",
        "weight_total = 'many'",
        "fast_weight = -0.1",
        "drift_up = -1",
        "drift_down = 2e9",
        "drift_calls = 'x'",
        "rescues = -2",
        "drifted_at = 1e12",
    ],
)
async def test_damaged_cell_reads_as_no_evidence_and_is_logged_once(store, caplog, assignment):
    await learn(store)
    await damage(store, assignment)
    with caplog.at_level(logging.WARNING, logger="x25.state.learning.posteriors"):
        for _ in range(3):
            (evidence,) = (await store.posteriors.read("acme", "qa")).values()
    assert (evidence.successes, evidence.failures, evidence.weight, evidence.calls_seen) == (0.0, 0.0, 0.0, 0)
    assert evidence.tier in ("slm", "mid")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_damage_of_one_cell_leaves_the_others(store):
    await learn(store)
    await learn(store, "c2", task_cell="code")
    await damage(store, "successes = -5 WHERE task_cell = 'qa'")
    assert [evidence.successes for evidence in await store.posteriors.read_all("acme")] == [1.0, 0.0]


@pytest.mark.parametrize(
    "assignment", ["calls_seen = 'late'", "weight = 'x'", "drift_up = 9e999", "reward_sum = -9e999"]
)
async def test_evidence_can_be_added_to_damaged_rows(store, assignment):
    await learn(store, selection=(1.0, 0.5))
    await damage(store, f"{assignment} WHERE 1 = 1")
    assert await learn(store, "c2", selection=(1.0, 0.5))
    cells, pooled = await store.posteriors.read_levels("acme", "qa")
    assert all(math.isfinite(one.weight) for one in (cells["v/m"], pooled["v/m"]))


async def test_damaged_pool_leaves_the_cell(store, caplog):
    await learn(store, selection=(1.0, 0.5))
    await damage(store, "weight_total = -1 WHERE task_cell = '*'")
    cells, pooled = await store.posteriors.read_levels("acme", "qa")
    assert (cells["v/m"].weight, pooled["v/m"]) == (1.0, Evidence("v/m", "*", "mid"))
    assert len(caplog.records) == 1


class Clock:
    """A clock that stands until it is set."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def watched(url):
    """Yield evidence by a clock of the test's, the clock, what was read of the database, and another store on it."""
    database, clock = await connect(url), Clock()
    async with await open_store(url) as other:
        reads = []
        query = database.query

        async def counted(work):
            reads.append(work)
            return await query(work)

        database.query = counted
        yield Posteriors(database, clock), clock, reads, other
    await database.close()


def lesson(call_id: str, org: str = "acme", **changes):
    return {"org": org, "call_id": call_id, "step": 0, **LESSON, **changes}


async def successes(posteriors, org: str = "acme", cell: str = "qa") -> float:
    cells, pooled = await posteriors.read_levels(org, cell)
    assert {name: one.successes for name, one in cells.items()}.items() <= {
        name: one.successes for name, one in pooled.items()
    }.items()
    return sum(one.successes for one in pooled.values())


async def test_evidence_is_read_once_while_nothing_is_learnt(watched):
    posteriors, _, reads, _ = watched
    assert [await successes(posteriors) for _ in range(5)] == [0.0] * 5
    assert len(reads) == 1
    await successes(posteriors, cell="code")
    await successes(posteriors, org="beta")
    assert len(reads) == 3


async def test_what_this_process_learns_is_read_at_once(watched):
    posteriors, _, reads, _ = watched
    for number in range(1, 6):
        await posteriors.learn(**lesson(f"c{number}"))
        assert await successes(posteriors) == number
    await posteriors.learn(**lesson("c9", org="beta"))
    before = len(reads)
    assert await successes(posteriors) == 5
    assert len(reads) == before  # another org's lesson costs nothing


async def test_what_another_process_learns_is_read_within_the_age(watched):
    posteriors, clock, _, other = watched
    assert await successes(posteriors) == 0
    await other.posteriors.learn(**lesson("c1"))
    clock.now_s += FRESH_S - 0.01
    assert await successes(posteriors) == 0
    clock.now_s += 0.01
    assert await successes(posteriors) == 1


async def test_read_that_a_lesson_overtakes_is_not_kept(watched):
    posteriors, _, _, _ = watched
    read = asyncio.create_task(posteriors.read_levels("acme", "qa"))
    await posteriors.learn(**lesson("c1"))
    await read
    assert await successes(posteriors) == 1


async def test_lessons_and_reads_at_once_leave_nothing_stale(watched):
    posteriors, _, _, _ = watched

    async def teach(number: int) -> None:
        await posteriors.learn(**lesson(f"c{number}"))
        assert await successes(posteriors) >= 1

    async def read() -> None:
        for _ in range(20):
            await posteriors.read_levels("acme", "qa")

    await asyncio.gather(*map(teach, range(30)), *(read() for _ in range(5)))
    assert await successes(posteriors) == 30


async def test_what_a_reader_does_to_evidence_stays_its_own(watched):
    posteriors, _, _, _ = watched
    await posteriors.learn(**lesson("c1"))
    cells, pooled = await posteriors.read_levels("acme", "qa")
    cells.clear()
    pooled.clear()
    assert await successes(posteriors) == 1


async def test_orgs_longest_unseen_are_forgotten(watched, monkeypatch):
    monkeypatch.setattr("x25.state.learning.posteriors.MOST_ORGS", 3)
    posteriors, _, reads, _ = watched
    for org in ("a", "b", "c", "a", "d", "a", "b"):
        await successes(posteriors, org=org)
    assert len(reads) == 5  # a, b, c, d, and b again


async def test_what_is_remembered_is_what_the_database_holds_after_any_lessons(watched):
    posteriors, _, reads, other = watched
    chance = random.Random(25)
    for cell in ("qa", "code"):
        await posteriors.read_levels("acme", cell)
    before = len(reads)
    for number in range(60):
        model = chance.choice("abc")
        success = chance.random()
        taught = {
            "task_cell": chance.choice(["qa", "code"]), "model_id": f"v/{model}", "success": success,
            "failure": 1 - success, "selection": chance.choice([None, (success, 0.5)]), "org_calls": number,
        }  # fmt: skip
        await posteriors.learn(**lesson(f"c{number}", **taught))
    for cell in ("qa", "code"):
        assert await posteriors.read_levels("acme", cell) == await other.posteriors.read_levels("acme", cell)
    assert len(reads) == before  # nothing was read again


@pytest.mark.parametrize("company", [0, 3])
async def test_a_lesson_that_is_undone_is_not_remembered(watched, company):
    posteriors, _, _, other = watched
    await posteriors.learn(**lesson("c1"))
    assert await successes(posteriors) == 1
    taught = Lesson(step=0, **{name: LESSON[name] for name in Lesson.__slots__ if name in LESSON})

    def undone(connection):
        posteriors.add(connection, "acme", "c2", taught, org_calls=3, gamma=0.9)
        raise KeyError("undone")

    works = [posteriors._database.transact(undone)]
    works += [posteriors.learn(**lesson(f"b{number}", org="beta")) for number in range(company)]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert isinstance(results[0], KeyError)
    assert await successes(posteriors) == 1 == await successes(other.posteriors)
