"""What jobs and own models promise on every database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from x25.state.errors import InvalidRequest
from x25.state.improvements import ABANDONED_AFTER
from x25.state.own_models import OwnModel
from x25.state.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_an_org_has_one_open_job_however_many_ask_and_it_is_worked_on_once(store: Store):
    asked = await asyncio.gather(*(store.improvements.ask("acme", {"a": 1}, NOW) for _ in range(8)))
    assert len({job.job_id for job, _ in asked}) == 1
    assert sum(is_new for _, is_new in asked) == 1
    with pytest.raises(InvalidRequest):
        await store.improvements.ask("acme", {"a": 2}, NOW)
    claims = await asyncio.gather(*(store.improvements.claim(NOW) for _ in range(8)))
    (mine,) = [one for one in claims if one is not None]
    assert await store.improvements.note(mine, NOW, "reading calls", 3, 10)
    late = NOW + ABANDONED_AFTER + timedelta(seconds=1)
    assert (await store.improvements.claim(late)).job_id == mine.job_id
    assert await store.improvements.finish(mine, late, result={"folder": "f"})
    assert (await store.improvements.get("acme", mine.job_id)).result == {"folder": "f"}
    assert await store.improvements.rated("acme", 0.7) == []


async def test_own_models_and_opt_outs_are_an_orgs_own(store: Store):
    before = await store.own_models.mark()
    await store.own_models.add(OwnModel("acme", "own/m", {"a": [1.5]}, NOW))
    assert await store.own_models.mark() != before
    assert [one.spec for one in await store.own_models.all()] == [{"a": [1.5]}]
    assert not await store.own_models.remove("other", "own/m")
    assert await store.own_models.remove("acme", "own/m")
    await store.improvements.opt_out("acme", NOW)
    assert await store.improvements.opted_out_since("acme") == NOW
    assert await store.improvements.opted_out_since("other") is None
