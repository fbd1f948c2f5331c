import pytest
from sqlalchemy import func, select, update

from x25.state.audit.prompts import drop_unused, keep_prompt
from x25.state.schema import calls, prompts


@pytest.fixture
def texts(store):
    async def read(org=None):
        query = select(prompts.c.text).order_by(prompts.c.text)
        query = query if org is None else query.where(prompts.c.org == org)
        return await store.query(lambda connection: connection.scalars(query).all())

    return read


async def test_a_hundred_identical_prompts_are_one_text_and_read_back_with_every_call(
    store, make_call, texts
):
    for n in range(100):
        await store.calls.record(make_call(call_id=f"c{n}", prompt="the same"), {"n": n})
    assert await texts() == ["the same"]
    assert {call.prompt for call in await store.calls.list("acme", 200)} == {"the same"}
    assert await store.query(lambda one: one.scalar(select(func.count()).select_from(calls))) == 100


async def test_each_org_has_a_text_of_its_own(store, make_call, texts):
    for org in ("acme", "umbrella"):
        await store.calls.record(make_call(org=org, prompt="the same"), {"org": org})
    assert await texts() == ["the same", "the same"]
    assert await texts("umbrella") == ["the same"]


async def test_what_no_database_keeps_is_replaced_before_it_is_hashed(store, texts):
    first = await store.transact(lambda connection: keep_prompt(connection, "acme", "a\x00b"))
    second = await store.transact(lambda connection: keep_prompt(connection, "acme", "a\ufffdb"))
    assert first == second
    assert await texts() == ["a\ufffdb"]


async def test_no_prompt_is_kept_of_a_call_without_one(store, make_call, texts):
    await store.calls.record(make_call(), {"n": 1})
    assert await texts() == []


async def test_only_texts_that_nothing_refers_to_go_and_only_the_orgs(store, make_call, texts):
    for org in ("acme", "umbrella"):
        for n in range(3):
            await store.calls.record(make_call(org=org, call_id=f"c{n}", prompt=f"{org} {n}"), {"n": n})

    def forget(connection):
        connection.execute(update(calls).where(calls.c.call_id == "c1").values(prompt_sha256=None))
        return drop_unused(connection, "acme")

    assert await store.transact(forget) == 1
    assert await texts() == ["acme 0", "acme 2", "umbrella 0", "umbrella 1", "umbrella 2"]
    assert await store.transact(lambda connection: drop_unused(connection, None)) == 1
