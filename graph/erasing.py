"""Erasing a call, or a whole org, wherever the gateway keeps it: store, checkpoints, folders of training data."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..state.audit.org_erasure import Erased
from ..state.errors import NotFound
from ..state.names import CALL_ID_PATTERN
from ..state.store import Store
from .checkpoints import delete_of_org, delete_thread, thread_config, thread_id
from .memory.losses import read_tuple
from .settings import Settings
from .training_erasure import Unlearnt, erase_lines, folders_elsewhere
from .training_folders import delete_folders

WAITS_S, LOOKS_EVERY_S = 10.0, 0.1
"""How long an org's calls under way are waited for before it is erased all the same, and how often is looked."""


@dataclass(frozen=True, slots=True)
class ErasedOrg:
    """What was erased of an org."""

    store: Erased
    checkpoints: int
    """Calls whose checkpoints went."""
    folders: int
    """Folders of training data in this gateway's data folder."""
    folders_left: tuple[str, ...]
    """Folders that are elsewhere, or could not be deleted, each with the reason."""
    under_way: int
    """Calls that went on all the same: each leaves rows behind when it ends, so delete the org once more."""


@dataclass(frozen=True, slots=True)
class ErasedCall:
    """What was erased of a call beside its row and its record."""

    training: Unlearnt
    """Lines of training data that were gathered of it."""


async def erase_call(  # noqa: PLR0913 - where it is kept, and whose it is
    store: Store,
    saver: BaseCheckpointSaver[Any] | None,
    settings: Settings,
    org: str,
    call_id: str,
    *,
    user_id: str | None = None,
) -> ErasedCall | None:
    """Delete a logged call or decision with its words; return None when the org, or that user of it, has none.

    The log goes last: what fails half-way is still on record, and can be asked for again. Who gathers training data at
    the moment has read the call already, and looks for it in the log once the folder is there; so here the folders
    are looked through once more when the log has it no more.

    Raises
    ------
    StoreError
        When the store or the checkpoints refuse.
    """
    logged = await store.history.get(org, call_id, user_id=user_id)
    if logged is None:
        return None

    if saver is not None:
        await delete_thread(saver, thread_id(org, call_id))
    found = await asyncio.to_thread(erase_lines, settings, org, (call_id,), logged.prompt_sha256)
    if not await store.erasure.delete(org, call_id, user_id=user_id):
        return None
    found += await asyncio.to_thread(erase_lines, settings, org, (call_id,))  # a new folder has an index
    elsewhere = folders_elsewhere(settings, await store.improvements.since(org, logged.row.created_at))
    return ErasedCall(found + Unlearnt(unsure=elsewhere))


async def erase_checkpoint(saver: BaseCheckpointSaver[Any] | None, org: str, call_id: str) -> bool:
    """Delete a call's checkpoint with the words in it; return False when there is none. The log stays as it is.

    Raises
    ------
    StoreError
        When the checkpoints refuse.
    """
    if saver is None or not CALL_ID_PATTERN.fullmatch(call_id):
        return False
    if await read_tuple(saver, thread_config(org, call_id)) is None:
        return False
    await delete_thread(saver, thread_id(org, call_id))
    return True


async def erase_org(
    store: Store, saver: BaseCheckpointSaver[Any] | None, settings: Settings, org: str
) -> ErasedOrg:
    """Delete all that is kept of an org but its chain's hashes; see `state.audit.org_erasure` for what stays.

    Its keys go first and its calls under way, at every gateway on the store, are waited for. The store goes last: what
    fails half-way can be asked for again.

    Raises
    ------
    NotFound
        When nothing was ever kept of it.
    StoreError
        When the store or the checkpoints refuse.
    """
    keys = await store.erasure.close_doors(org)
    under_way = await _wait_for_calls(store, org)
    checkpoints = 0 if saver is None else await delete_of_org(saver, org)
    elsewhere = folders_elsewhere(settings, await store.improvements.since(org, None))
    folders, left = await asyncio.to_thread(_delete_folders, settings, org)
    erased = await store.erasure.delete_org(org)
    if erased is None and keys:
        erased = Erased({}, 0, 0, 0)
    if erased is None:
        raise NotFound(f"there is no org {org!r}")
    await store.erasure.rebuild()
    again, left = await asyncio.to_thread(_delete_folders, settings, org)  # one was being written
    if keys:
        erased = replace(erased, rows={"keys": keys, **erased.rows})
    return ErasedOrg(erased, checkpoints, folders + again, (*left, *elsewhere), under_way)


def _delete_folders(settings: Settings, org: str) -> tuple[int, tuple[str, ...]]:
    """Return how many folders of an org went, and why others did not."""
    try:
        return delete_folders(settings, org=org), ()
    except OSError as error:
        return 0, (f"{error.filename}: {error.strerror}",)


async def _wait_for_calls(store: Store, org: str) -> int:
    """Return how many are still under way after a while."""
    for _ in range(round(WAITS_S / LOOKS_EVERY_S)):
        if not await store.erasure.calls_under_way(org):
            return 0
        await asyncio.sleep(LOOKS_EVERY_S)
    return await store.erasure.calls_under_way(org)
