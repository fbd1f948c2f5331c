"""What a gateway does beside its calls: settle what dead processes left, and delete what was kept long enough."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..nodes.services import Services
from ..state.leases import BEATS
from .recovery import Recovery
from .retention import (
    drop_old_checkpoints_for_ever,
    drop_old_memories_for_ever,
    drop_old_responses_for_ever,
    forget_as_orgs_say_for_ever,
    forget_old_words_for_ever,
)
from .settings import Settings
from .training_days import TrainingDays


@asynccontextmanager
async def doing_chores(
    services: Services, recovery: Recovery, saver: BaseCheckpointSaver[Any] | None, settings: Settings
) -> AsyncIterator[None]:
    """Do them while the context is open."""
    chores = [asyncio.create_task(one) for one in _chores(services, recovery, saver, settings)]
    try:
        yield
    finally:
        for chore in chores:
            chore.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*chores)


def _chores(
    services: Services, recovery: Recovery, saver: BaseCheckpointSaver[Any] | None, settings: Settings
) -> list[Coroutine[Any, Any, None]]:
    store, now = services.store, services.now
    training = TrainingDays(store, settings)
    chores = [
        recovery.look_for_ever(settings.lease_s / BEATS),
        drop_old_memories_for_ever(services),
        forget_as_orgs_say_for_ever(store, saver, training, now),
    ]
    if saver is not None and settings.checkpoint_days:
        chores.append(drop_old_checkpoints_for_ever(saver, settings.checkpoint_days, now))
    if settings.keeps_text and settings.responses_days:
        chores.append(drop_old_responses_for_ever(store, settings.responses_days, now))
    if settings.prompt_days:
        chores.append(forget_old_words_for_ever(store, saver, training, settings.prompt_days, now))
    return chores
