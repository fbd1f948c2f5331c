from dataclasses import replace
from datetime import timedelta

import pytest

from x25.state.audit.decisions import LoggedDecision


@pytest.fixture
def log(store, make_call):
    """Return a function that logs a call or a decision of an org and a user."""

    async def write(name, *, org="acme", user_id=None, minutes=0):
        call = make_call(call_id=name, org=org, user_id=user_id)
        call = replace(call, created_at=call.created_at + timedelta(minutes=minutes))
        if name.startswith("d"):
            decision = LoggedDecision(
                name,
                org,
                call.created_at,
                "auto",
                "qa",
                "qa",
                0.5,
                1,
                2.0,
                1.0,
                {"selected": ["v/m"]},
                user_id,
            )
            await store.decisions.record(decision, {"kind": "decision", "prompt_sha256": name})
        else:
            await store.calls.record(call, {"kind": "call", "prompt_sha256": name})

    return write


def names(page):
    return [one.row.call_id for one in page.rows]


async def test_calls_and_decisions_come_newest_first_whatever_their_clocks_say(store, log):
    for n, name in enumerate(["c1", "d2", "c3", "d4"]):
        await log(name, minutes=-n)
    page = await store.history.recent("acme", limit=3)
    assert names(page) == ["d4", "c3", "d2"]
    assert [one.index for one in page.rows] == [3, 2, 1]
    assert [one.kind for one in page.rows] == ["decision", "call", "decision"]
    assert [one.prompt_sha256 for one in page.rows] == ["d4", "c3", "d2"]
    assert (page.total, page.next) == (4, 1)


async def test_pages_repeat_nothing_and_leave_nothing_out_while_rows_arrive_and_go(store, log):
    for n in range(23):
        await log(f"{'cd'[n % 2]}{n}")
    seen, before = [], None
    for arrival in range(100, 110):
        page = await store.history.recent("acme", limit=3, before=before)
        seen += names(page)
        if page.next is None:
            break
        before = page.next
        await log(f"c{arrival}")
        await store.erasure.delete("acme", seen[-1])  # one that was shown already
    assert seen == [f"{'cd'[n % 2]}{n}" for n in reversed(range(23))]


async def test_offset_passes_over_the_newest(store, log):
    for n in range(5):
        await log(f"c{n}")
    assert names(await store.history.recent("acme", limit=2, offset=3)) == ["c1", "c0"]
    last = await store.history.recent("acme", limit=2, offset=9)
    assert (names(last), last.total, last.next) == ([], 5, None)


async def test_a_user_of_an_org_sees_own_rows_and_no_org_sees_anothers(store, log):
    await log("c1", user_id="ada")
    await log("d2", user_id="ada")
    await log("c3", user_id="bob")
    await log("c4", org="umbrella", user_id="ada")
    page = await store.history.recent("acme", user_id="ada")
    assert (names(page), page.total) == (["d2", "c1"], 2)
    assert await store.history.count("acme") == 3
    assert await store.history.count("acme", user_id="bob") == 1
    assert await store.history.count("umbrella", user_id="bob") == 0
    assert await store.history.get("acme", "c3", user_id="ada") is None
    assert await store.history.get("umbrella", "c3") is None
    assert (await store.history.get("acme", "d2", user_id="ada")).row.call_id == "d2"


async def test_an_org_without_rows_has_an_empty_page(store):
    page = await store.history.recent("nobody")
    assert (page.rows, page.total, page.next) == ([], 0, None)
