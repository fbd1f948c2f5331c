"""Keeping what is known in memory as the store is: looked at again every few seconds, so that no call waits for it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from ..nodes.org.own_models import LOOK_EVERY_S
from ..state.errors import StoreError
from ..state.store import Store

_log = logging.getLogger(__name__)


class Book(Protocol):
    """What is known of all orgs, such as their own models or their provider keys."""

    async def refresh(self, store: Store) -> None:
        """Read it again where anything changed; StoreError as the store's."""
        ...


@asynccontextmanager
async def following(
    book: Book, store: Store, what: str, every_s: float = LOOK_EVERY_S
) -> AsyncIterator[None]:
    """Keep a book as the store is while the context is open; it is read once before.

    Parameters
    ----------
    what
        What a person calls what is in it, for the log.

    Raises
    ------
    StoreError
        When it cannot be read for the first time. Later on what was read before stays, and the log says so.
    """
    await book.refresh(store)
    task = asyncio.create_task(_follow(book, store, what, every_s))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(book: Book, store: Store, what: str, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await book.refresh(store)
        except StoreError as error:
            _log.warning("%s could not be looked for: %s", what, error)
