"""Work off jobs that gather training data: one at a time a gateway, each in a process of its own that gives way."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from ..state.errors import InvalidRequest, StoreError
from ..state.gathering import HOW_TO_KEEP, Gathering
from ..state.improvements import Improvement
from ..state.store import Store
from .refits import NICENESS
from .settings import Settings, as_environment, read_environment

_log = logging.getLogger(__name__)

POLL_S = 15.0
"""How long a job that another process took in, or left behind, waits at most for an idle worker."""
TIMEOUT_S = 3_600.0


def is_in_memory(settings: Settings) -> bool:
    """Return whether no other process can read the store."""
    return settings.store_url.rstrip("/").endswith(":") or ":memory:" in settings.store_url


async def ask_for_improvement(
    store: Store, org: str, wanted: Gathering, now: datetime
) -> tuple[Improvement, bool]:
    """Queue a job; the second value says whether it is new. What can be seen to be missing is said at once.

    Raises
    ------
    InvalidRequest
        The org has opted out, none of its prompts is kept, or a job with other options is under way.
    """
    since = await store.improvements.opted_out_since(org)
    if since is not None:
        raise InvalidRequest(f"org {org!r} has opted out of training since {since:%Y-%m-%d}", field="project")
    if await store.improvements.prompts_kept(org) == 0:
        raise InvalidRequest(
            f"no prompt of {org!r} is kept, so there is nothing to train on. {HOW_TO_KEEP}; then about "
            f"{wanted.min_examples} good calls more",
            field="project",
        )
    return await store.improvements.ask(org, wanted.to_dict(), now)


class Improver:
    """The worker of one gateway."""

    def __init__(self, store: Store, environ: Mapping[str, str], poll_s: float = POLL_S) -> None:
        self._store, self._environ, self._poll_s = store, environ, poll_s
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """Have the queue looked at now."""
        self._wanted.set()

    async def work(self) -> None:
        """Work off one job after another, until cancelled."""
        while True:
            self._wanted.clear()
            try:
                worked = await self.work_off_one()
            except StoreError as error:
                _log.warning("jobs that are due could not be looked for: %s", error)
                worked = False
            if not worked:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), self._poll_s)

    async def work_off_one(self) -> bool:
        """Claim a job and run it to its end; return whether there was one. Stopped, it puts the job back."""
        job = await self._claim()
        if job is None:
            return False
        try:
            complaint = await self._run(job)
        except asyncio.CancelledError:
            await asyncio.shield(self._store.improvements.put_back(job))
            raise
        if complaint is not None:  # one that came to its end has said how it ended
            await self._store.improvements.finish(job, datetime.now(UTC), detail=complaint)
            _log.warning("gathering training data of org %s failed: %s", job.org, complaint)
        return True

    async def _claim(self) -> Improvement | None:
        """Claim a job; a worker stopped meanwhile puts back what the database has given it already."""
        claim = asyncio.ensure_future(self._store.improvements.claim(datetime.now(UTC)))
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            job = await claim
            if job is not None:
                await asyncio.shield(self._store.improvements.put_back(job))
            raise

    async def _run(self, job: Improvement) -> str | None:
        command = (sys.executable, "-m", "x25", "improve", "work", job.org, job.job_id)
        try:
            process = await asyncio.create_subprocess_exec(
                *command, env=dict(self._environ), stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            return f"no process could be started: {error}"
        try:
            with suppress(ProcessLookupError):  # over already
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            async with asyncio.timeout(TIMEOUT_S):
                _, complained = await process.communicate()
        except TimeoutError:
            return f"it took longer than {TIMEOUT_S:.0f} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        said = complained.decode("utf-8", "replace")[-2_000:].strip()
        return None if process.returncode == 0 else f"its process ended ({process.returncode}): {said}"


@asynccontextmanager
async def improving(store: Store, settings: Settings) -> AsyncIterator[Improver | None]:
    """Run the worker while the context is open; None where the store is in memory, which no other process can read."""
    if is_in_memory(settings):
        yield None
        return
    environ = await asyncio.to_thread(read_environment)
    improver = Improver(store, environ | as_environment(settings))
    worker = asyncio.create_task(improver.work())
    try:
        yield improver
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker
