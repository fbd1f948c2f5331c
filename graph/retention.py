"""How long checkpoints, stored words and memories are kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..nodes.services import Services
from ..state.errors import StoreError
from ..state.store import Store
from .checkpoints import delete_checkpoints
from .memory.losses import is_storage
from .training_days import TrainingDays

LOOKS_EVERY_S = 3600.0

_log = logging.getLogger(__name__)


async def drop_old_checkpoints_for_ever(
    saver: BaseCheckpointSaver[Any], days: float, now: Callable[[], datetime], every_s: float = LOOKS_EVERY_S
) -> None:
    """Delete checkpoints older than `days` now and then, until cancelled; storage that fails is tried again."""

    async def drop() -> None:
        deleted = await delete_checkpoints(saver, before=now() - timedelta(days=days))
        if deleted:
            _log.info("deleted the checkpoints of %d calls older than %g days", deleted, days)

    await _for_ever(drop, "old checkpoints", every_s)


async def forget_as_orgs_say_for_ever(
    store: Store,
    saver: BaseCheckpointSaver[Any] | None,
    training: TrainingDays,
    now: Callable[[], datetime],
    every_s: float = LOOKS_EVERY_S,
) -> None:
    """Forget what orgs set a time for, now and then, until cancelled; storage that fails is tried again.

    Folders of training data are looked through for what any process had the log forget.
    """

    async def forget() -> None:
        for org, days in (await store.org_settings.all_with("retention_days")).items():
            await forget_before(store, saver, training, org, now() - timedelta(days=days))
        await training.pass_by()

    await _for_ever(forget, "what orgs have forgotten", every_s)


async def _for_ever(work: Callable[[], Awaitable[None]], what: str, every_s: float) -> None:
    while True:
        try:
            await work()
        except Exception as error:
            if not (isinstance(error, StoreError) or is_storage(error)):
                raise
            # What a saver says may hold words; what the store says holds none.
            reason = str(error) if isinstance(error, StoreError) else type(error).__name__
            _log.warning("%s could not be deleted (%s)", what, reason)
        await asyncio.sleep(every_s)


async def forget_before(
    store: Store,
    saver: BaseCheckpointSaver[Any] | None,
    training: TrainingDays,
    org: str | None,
    before: datetime,
) -> int:
    """Delete prompts, answers, responses, vectors and checkpoints of an org's calls made before a time.

    Returns how many prompts went; `org` None means every org. Their lines leave folders of training data, those in this
    gateway's data folder.

    The log of calls, their money and the audit chain stay: they hold no words.
    """
    forgotten = await store.erasure.forget(org, before)
    if saver is not None:
        await delete_checkpoints(saver, org=org, before=before)
    await training.pass_by(org, before)
    return forgotten


async def forget_old_words_for_ever(  # noqa: PLR0913 - what, of whom, how old, how often
    store: Store,
    saver: BaseCheckpointSaver[Any] | None,
    training: TrainingDays,
    days: float,
    now: Callable[[], datetime],
    *,
    every_s: float = LOOKS_EVERY_S,
) -> None:
    """Erase words stored longer than `days` ago now and then, until cancelled; a store that fails is tried again."""

    async def erase() -> None:
        forgotten = await forget_before(store, saver, training, None, now() - timedelta(days=days))
        if forgotten:
            _log.info("erased %d prompts older than %g days", forgotten, days)

    await _for_ever(erase, "old prompts", every_s)


async def drop_old_responses_for_ever(
    store: Store, days: float, now: Callable[[], datetime], every_s: float = LOOKS_EVERY_S
) -> None:
    """Delete responses of calls older than `days` now and then, until cancelled; a store that fails is tried again."""

    async def drop() -> None:
        dropped = await store.responses.drop_before(now() - timedelta(days=days))
        if dropped:
            _log.info("deleted %d responses older than %g days", dropped, days)

    await _for_ever(drop, "old responses", every_s)


async def drop_old_memories_for_ever(services: Services, every_s: float = LOOKS_EVERY_S) -> None:
    """Delete what was said longer ago than it is kept, and answers too old to be given again, until cancelled."""

    async def drop() -> None:
        await services.store.cached_answers.drop_expired(services.now())
        dropped = await drop_old_memories(services)
        if dropped:
            _log.info("deleted %d passages that were kept long enough", dropped)

    await _for_ever(drop, "old memories", every_s)


async def drop_old_memories(services: Services) -> int:
    """Delete what was said longer ago than it is kept; return how many passages went."""
    memories, now, dropped = services.store.memories, services.now(), 0
    if services.limits.memory_days:
        dropped += await memories.drop_before(now - timedelta(days=services.limits.memory_days))
    for one in await memories.settings():
        if one.keep_days is not None:
            dropped += await memories.drop_before(now - timedelta(days=one.keep_days), one.org)
    return dropped
