import logging

import pytest

from x25.nodes.org.live_artifacts import LOOK_EVERY_S, LiveArtifacts
from x25.state.store import open_store


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


async def test_an_org_without_an_artifact_of_the_kind_has_nothing(store):
    assert await LiveArtifacts("number").of(store, "acme", int, 0.0) is None


async def test_the_newest_orgs_are_kept_and_no_more(store):
    kept = LiveArtifacts("number", most_orgs=2)
    for org in ("a", "b", "c"):
        await kept.of(store, org, int, 0.0)
    assert len(kept) == 2


async def test_a_store_that_fails_is_told_of_and_asked_again_later(caplog):
    async with await open_store("sqlite+aiosqlite://") as closed:
        pass
    live = LiveArtifacts("number")
    with caplog.at_level(logging.WARNING):
        assert await live.of(closed, "acme", int, 0.0) is None
        assert await live.of(closed, "acme", int, LOOK_EVERY_S / 2) is None
    assert caplog.text.count("the live number of org acme could not be looked for") == 1
