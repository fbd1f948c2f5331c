"""Fit orgs' own estimators again when it is due: one worker a gateway, one refit at a time, in a process of its own."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from ..state.errors import StoreError
from ..state.jobs import Job
from ..state.store import Store
from .settings import Settings, read_environment

_log = logging.getLogger(__name__)

POLL_S = 15.0
"""How long a due refit waits at most for an idle worker."""
TIMEOUT_S = 900.0
NICENESS = 10
"""A refit gives way to serving."""


def refit_command(org: str) -> list[str]:
    """Return the command that refits one org; the database comes by the environment, since it may hold a password."""
    return [sys.executable, "-m", "x25", "train", "--from-log", org, "--json"]


@asynccontextmanager
async def working_off(store: Store, settings: Settings, poll_s: float = POLL_S) -> AsyncIterator[None]:
    """Run the worker while the context is open; none where settings say so or the store is in memory."""
    in_memory = settings.store_url.rstrip("/").endswith(":") or ":memory:" in settings.store_url
    if not settings.auto_train or not settings.store_inputs or in_memory:
        yield
        return
    environ = await asyncio.to_thread(read_environment)
    environ |= {
        "X25_DATABASE_URL": settings.store_url, "X25_MODEL": str(settings.model), "X25_MODELS_DIR": settings.models_dir,
    }  # fmt: skip
    worker = asyncio.create_task(_work(store, environ, poll_s))
    try:
        yield
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def _work(store: Store, environ: Mapping[str, str], poll_s: float) -> None:
    while True:
        try:
            worked = await work_off_one(store, environ)
        except StoreError as error:
            _log.warning("refits that are due could not be looked for: %s", error)
            worked = False
        if not worked:
            await asyncio.sleep(poll_s)


async def work_off_one(
    store: Store, environ: Mapping[str, str], command: Sequence[str] | None = None
) -> bool:
    """Claim a due refit, run it to its end and note how it ended; return whether there was one.

    A worker that is stopped stops its process and puts the job back. `command` replaces `refit_command`.
    """
    job = await _claim(store)
    if job is None:
        return False
    try:
        status, detail = await _run(job, environ, command or refit_command(job.org))
    except asyncio.CancelledError:
        await asyncio.shield(store.jobs.release(job))
        raise
    await store.jobs.finish(job, status, detail, datetime.now(UTC))
    _log.log(
        logging.INFO if status == "done" else logging.WARNING,
        "refit of org %s at %d labelled calls: %s", job.org, job.labelled, status,
    )  # fmt: skip
    return True


async def _claim(store: Store) -> Job | None:
    """Claim a due refit; a worker stopped meanwhile puts back what the database has given it already."""
    claim = asyncio.ensure_future(store.jobs.claim(datetime.now(UTC)))
    try:
        return await asyncio.shield(claim)
    except asyncio.CancelledError:
        job = await claim
        if job is not None:
            await asyncio.shield(store.jobs.release(job))
        raise


async def _run(job: Job, environ: Mapping[str, str], command: Sequence[str]) -> tuple[str, str]:
    """Return "done" or "failed", and the last of what the process printed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env=dict(environ), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        return "failed", f"the refit of {job.org} could not be started: {error}"
    try:
        with suppress(ProcessLookupError):  # over already
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        async with asyncio.timeout(TIMEOUT_S):
            printed, complained = await process.communicate()
    except TimeoutError:
        return "failed", f"took longer than {TIMEOUT_S:.0f} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = printed if process.returncode == 0 else complained
    return "done" if process.returncode == 0 else "failed", said.decode("utf-8", "replace")[-4_000:]
