"""What does a job do from its claim to its end? It gathers, writes a folder, and says how that went."""

from datetime import UTC, datetime
from typing import Any

from ...graph.checkpoints import open_saver
from ...graph.settings import Settings
from ...graph.training_folders import folder_of
from ...state.errors import X25Error
from ...state.gathering import Gathering
from ...state.improvements import Improvement
from ...state.store import Store
from .folder import write_folder
from .gather import gather


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
        result = _summary(write_folder(folder, job, wanted, gathered), str(folder.resolve()))
    except X25Error as error:
        await store.improvements.finish(job, datetime.now(UTC), detail=str(error))
    else:
        await store.improvements.finish(job, datetime.now(UTC), result=result)
    return await store.improvements.get(job.org, job.job_id)


def _summary(manifest: dict[str, Any], folder: str) -> dict[str, Any]:
    kept = ("examples", "quality", "models", "left_out", "personal_data", "is_simulated", "files")
    return {
        "folder": folder,
        "base_model": manifest["recipe"]["base_model"],
        **{key: manifest[key] for key in kept},
    }
