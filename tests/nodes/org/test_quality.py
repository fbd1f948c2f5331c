import pytest

from x25.nodes.org.quality import bounds_of, quality_of
from x25.routing.belief.quality_bound import LEAST_LABELS
from x25.state.records import Attempt, Call
from x25.state.store import open_store

EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


@pytest.fixture
def log(store):
    """Return a function that logs answered calls of score .5."""
    from datetime import UTC, datetime, timedelta

    start = datetime(2026, 1, 1, tzinfo=UTC)

    async def many(calls):
        for n in range(calls):
            at = start + timedelta(minutes=n)
            attempt = Attempt(f"a{n}", "acme", f"c{n}", 0, "answer", "v/m", "mid", "d", "started", 7, at)
            await store.attempts.start(attempt)
            await store.attempts.finish(
                Attempt(
                    f"a{n}", "acme", f"c{n}", 0, "answer", "v/m", "mid", "d", "finished", 7, at, cost_nusd=5
                )
            )
            await store.calls.record(
                Call(f"c{n}", "acme", at, "answered", "qa", "qa", 0.0, "v/m", "v", "mid", 5, 0, 9, 0.5, "judge", 1.0, 1,
                     0, 0, 1.0, "auto", False, ""), {"kind": "call"},
            )  # fmt: skip

    return many


async def label(store, n, right, **more):
    await store.labels.add("acme", f"c{n}", right=right, source="audit", edges=EDGES, **more)


async def quality(store, org="acme"):
    return await quality_of(store, org, await store.calls.stats(org))


async def test_labels_correct_the_scores_and_state_a_bound(store, log):
    await log(60)
    assert (await quality(store)).measured_by == "scores"
    assert await bounds_of(store, "acme") == {}
    for n in range(LEAST_LABELS):
        await label(store, n, float(n % 10 > 0))
    found = await quality(store)
    assert (found.measured_by, found.labels, found.answers) == ("labels and scores", LEAST_LABELS, 60)
    assert found.value == pytest.approx(0.9)
    bound = (await bounds_of(store, "acme"))["qa"]
    assert bound.status == "stated"
    assert 0.6 < bound.level < 0.9


async def test_where_some_labels_say_how_they_were_picked_the_others_are_left_out(store, log):
    await log(LEAST_LABELS + 5)
    for n in range(LEAST_LABELS):
        await label(store, n, 1.0, sampled_prob=0.2)
    for n in range(LEAST_LABELS, LEAST_LABELS + 5):
        await label(store, n, 0.0)
    assert (await bounds_of(store, "acme"))["qa"].labels == LEAST_LABELS


async def test_an_org_without_calls_has_no_quality(store):
    assert await quality(store, "nobody") is None
    assert await bounds_of(store, "nobody") == {}
