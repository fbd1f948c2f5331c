"""What does a job do from its claim to its end? It gathers, writes a folder, and says how that went."""

import json
from datetime import UTC, datetime
from typing import Any

from ...graph.checkpoints import open_saver
from ...graph.settings import Settings
from ...graph.training_erasure import MANIFEST, erase_lines
from ...graph.training_folders import delete_folder, folder_of
from ...state.errors import NotFound, X25Error
from ...state.gathering import Gathering
from ...state.improvements import Improvement
from ...state.store import Store
from .folder import write_folder
from .gather import Gathered, gather


async def work(store: Store, settings: Settings, job: Improvement) -> Improvement:
    """Do a claimed job, and note how it ended; what is amiss with it is its end, not an error.

    Returns
    -------
    Improvement
        The job as it stands afterwards.
    """

    async def note(phase: str, done: int, total: int) -> None:
        await store.improvements.note(job, datetime.now(UTC), phase, done, total)

    try:
        wanted = Gathering(**job.options)
        async with open_saver(settings) as saver:
            gathered = await gather(store, saver, job.org, wanted, note)
        await note("writing", gathered.looked_at, gathered.looked_at)
        folder = folder_of(settings, job.org, job.job_id)
        manifest = write_folder(folder, job, wanted, gathered)
        if await _without_erased(store, settings, job, gathered):
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        result = _summary(manifest, str(folder.resolve()))
    except X25Error as error:
        await store.improvements.finish(job, datetime.now(UTC), detail=str(error))
    else:
        await store.improvements.finish(job, datetime.now(UTC), result=result)
    return await store.improvements.get(job.org, job.job_id)


async def _without_erased(store: Store, settings: Settings, job: Improvement, gathered: Gathered) -> bool:
    """Take out calls that were erased, or whose words were, while the folder was made; return whether there were any.

    Whoever erases looks through the folders once the log has call or words no more: one of both sees the other.

    Raises
    ------
    NotFound
        When none is left; then there is no folder.
    """
    logged = {one.call_id for one in await store.improvements.rated(job.org, 0.0) if one.has_prompt}
    made_of = {one.call.call_id for one in (*gathered.train, *gathered.held_out)}
    if made_of.isdisjoint(logged):
        delete_folder(folder_of(settings, job.org, job.job_id))
        raise NotFound(
            "every call that it was made of was erased meanwhile, or is older than its words are kept"
        )
    if erased := made_of - logged:
        erase_lines(settings, job.org, erased)
    return bool(erased)


def _summary(manifest: dict[str, Any], folder: str) -> dict[str, Any]:
    kept = ("examples", "quality", "models", "left_out", "personal_data", "is_simulated", "files")
    return {
        "folder": folder,
        "base_model": manifest["recipe"]["base_model"],
        **{key: manifest[key] for key in kept},
    }
