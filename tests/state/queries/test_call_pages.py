import random
from datetime import UTC, date, datetime, timedelta

import pytest

from x25.state.queries.call_pages import CallFilter, Place
from x25.state.queries.periods import Period

FIRST = datetime(2025, 1, 30, 22, tzinfo=UTC)
ALL = Period(date(2025, 1, 1), date(2025, 3, 1))


@pytest.fixture
async def logged(store, make_call):
    """Log ninety calls of two orgs, three at each moment, over several days."""
    rng, calls = random.Random(5), []
    for n in range(90):
        model, tier = rng.choice(
            [("v/small", "slm"), ("v/small", "slm"), ("v/big", "frontier"), (None, None)]
        )
        calls.append(make_call(
            call_id=f"c{n:02}", org=rng.choice(["acme", "beta"]), created_at=FIRST + timedelta(hours=4 * (n // 3)),
            model_id=model, tier=tier, cost_nusd=rng.randrange(10**9),
        ))  # fmt: skip
        await store.calls.record(calls[-1], {"n": n})
    return calls


@pytest.mark.parametrize("org", ["acme", None])
@pytest.mark.parametrize("named", [{}, {"model_id": "v/big"}, {"tier": "slm"}, {"model_id": "none"}])
async def test_pages_cover_everything_once_in_both_directions(store, logged, org, named):
    wanted = CallFilter(org, Period(date(2025, 1, 31), date(2025, 2, 3)), **named)
    model, tier = named.get("model_id"), named.get("tier")
    mine = [
        call for call in logged
        if org in (None, call.org) and wanted.period.first <= call.created_at.date() <= wanted.period.last
        and model in (None, call.model_id or "none") and tier in (None, call.tier)
    ]  # fmt: skip
    expected = sorted(((call.created_at, call.org, call.call_id) for call in mine), reverse=True)
    if org is not None:
        assert await store.call_pages.count(wanted) == len(mine)
    seen, start = [], None
    while page := await store.call_pages.page(wanted, 7, start):
        seen += [(one.created_at, one.org, one.call_id) for one in page]
        start = Place.of(page[-1])
    assert seen == expected
    back, start = [], None
    while page := await store.call_pages.page(wanted, 7, start, "newer"):
        back = [(one.created_at, one.org, one.call_id) for one in page] + back
        start = Place.of(page[0])
    assert back == expected


async def test_the_dearest_calls_come_first(store, logged):
    found = await store.call_pages.dearest(CallFilter("acme", ALL), 3)
    costs = sorted((call.paid_nusd for call in logged if call.org == "acme"), reverse=True)
    assert [one.paid_nusd for one in found] == costs[:3]


async def test_a_call_is_found_in_the_orgs_that_may_be_seen_alone(store, logged):
    call = next(one for one in logged if one.org == "acme")
    assert (await store.call_pages.find(["acme"], call.call_id)).call_id == call.call_id
    assert (await store.call_pages.find(None, call.call_id)).call_id == call.call_id
    assert await store.call_pages.find(["beta"], call.call_id) is None
    assert await store.call_pages.find([], call.call_id) is None
    assert await store.call_pages.place_in_chain("acme", call.call_id) == 0
    assert await store.call_pages.place_in_chain("beta", call.call_id) is None


async def test_attempts_of_a_call_are_told_in_order(store, logged, make_attempt):
    for n, kind in enumerate(["answer", "judge"]):
        await store.attempts.start(
            make_attempt(attempt_id=f"a{n}", kind=kind, started_at=FIRST + timedelta(seconds=n))
        )
    assert [one.kind for one in await store.call_pages.attempts("acme", "c1")] == ["answer", "judge"]
    assert await store.call_pages.attempts("beta", "c1") == []


async def test_a_call_is_found_by_the_end_of_its_id_in_the_orgs_that_may_be_seen(store, make_call):
    for org, call_id in (("acme", "01-aaaa1234"), ("beta", "02-aaaa1234"), ("beta", "03-bb%b5678")):
        await store.calls.record(make_call(org=org, call_id=call_id), {"id": call_id})

    async def found(orgs, ending):
        return [one.call_id for one in await store.call_pages.find_ending(orgs, ending)]

    assert await found(None, "aaaa1234") == ["01-aaaa1234", "02-aaaa1234"]
    assert await found(["acme"], "aaaa1234") == ["01-aaaa1234"]
    assert await found(["acme"], "5678") == await found([], "aaaa1234") == []
    assert await found(None, "%b5678") == ["03-bb%b5678"]
    assert await found(None, "%1234") == []
