import asyncio
import logging
from datetime import UTC, datetime

import pytest

from x25.graph.following import following
from x25.graph.own_models import Registration
from x25.nodes.org.own_models import OwnModelBook
from x25.state.errors import StoreError
from x25.state.own_models import OwnModel
from x25.state.store import open_store

LOCAL = Registration("own/m", "http://127.0.0.1:9/v1")


async def until(holds):
    async with asyncio.timeout(2):
        while not holds():
            await asyncio.sleep(0.005)


async def test_what_another_process_registered_is_found_within_the_stated_time(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path}/x25.db"
    mine = OwnModelBook()
    async with (
        await open_store(url) as here,
        await open_store(url) as there,
        following(mine, here, "own models", every_s=0.02),
    ):
        await there.own_models.add(OwnModel("acme", "own/m", LOCAL.content("acme"), datetime.now(UTC)))
        await until(lambda: mine.of("acme"))
        await there.own_models.remove("acme", "own/m")
        await until(lambda: not mine.of("acme"))


class Refused:
    """A book that cannot be read, from the `good`th time on."""

    def __init__(self, good: int) -> None:
        self.good, self.reads = good, 0

    async def refresh(self, store):
        self.reads += 1
        if self.reads > self.good:
            raise StoreError("the disk is full")


async def test_a_book_that_cannot_be_read_again_stays_as_it_was_and_the_log_names_it(caplog):
    book = Refused(good=1)
    with caplog.at_level(logging.WARNING):
        async with following(book, None, "provider keys", every_s=0.005):
            await until(lambda: book.reads >= 3)
    assert "provider keys could not be looked for: the disk is full" in caplog.text
    read = book.reads
    await asyncio.sleep(0.03)
    assert book.reads == read  # nobody reads once it is closed


async def test_one_that_cannot_be_read_at_all_is_not_begun_with():
    with pytest.raises(StoreError):
        async with following(Refused(good=0), None, "own models"):
            raise AssertionError("entered")
