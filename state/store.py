"""The store: one database handle bundling the tables."""

import asyncio
from types import TracebackType
from typing import Self

from .audit.calls import Calls
from .audit.chain import Audit
from .audit.orgs import Orgs
from .claims import Claims
from .database import Database, connect
from .errors import StoreError
from .jobs import Jobs
from .keys import Keys
from .learning.artifacts import Artifacts
from .learning.estimates import Estimates
from .learning.judge_tables import JudgeTables
from .learning.judged_answers import JudgedAnswers
from .learning.labels import Labels
from .learning.posteriors import Posteriors
from .leases import Lease, new_holder
from .migrations.upgrade import load_scripts, upgrade
from .money.attempts import Attempts
from .money.budgets import Budgets
from .open_calls import OpenCalls
from .queries.usage import Usages
from .sqlite_driver import Synchronous

__all__ = ["Store", "open_store"]


class Store:
    """Everything that is remembered. Opened by `open_store`; closes as an async context manager."""

    def __init__(self, database: Database) -> None:
        self._database = database
        holder = new_holder()
        self.lease = Lease(database, holder)
        self.query = database.query
        self.transact = database.transact
        self.orgs = Orgs(database)
        self.audit = Audit(database)
        self.calls = Calls(database)
        self.attempts = Attempts(database, holder)
        self.open_calls = OpenCalls(database, holder)
        self.estimates = Estimates(database)
        self.posteriors = Posteriors(database)
        self.keys = Keys(database)
        self.claims = Claims(database)
        self.labels = Labels(database)
        self.judged_answers = JudgedAnswers(database)
        self.judge_tables = JudgeTables(database)
        self.budgets = Budgets(database)
        self.usage = Usages(database)
        self.artifacts = Artifacts(database)
        self.jobs = Jobs(database)

    @property
    def url(self) -> str:
        """The database's URL with its password hidden."""
        return self._database.url

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_store(url: str, *, synchronous: Synchronous = "NORMAL") -> Store:
    """Open a database at the newest schema, creating a SQLite file and its folder when absent.

    Parameters
    ----------
    url
        `sqlite+aiosqlite:///path`, `sqlite+aiosqlite://` (in memory) or `postgresql+psycopg://…`.
    synchronous
        SQLite only: "NORMAL" survives a crash of the process, "FULL" also a loss of power.

    Raises
    ------
    StoreError
        When the database cannot be reached or was written by a newer version.
    """
    # Reading the migrations from disk would hold up the event loop.
    await asyncio.to_thread(load_scripts)
    database = await connect(url, synchronous=synchronous)
    try:
        await database.transact(upgrade)
    except BaseException as error:
        await database.close()
        if isinstance(error, StoreError) and database.url not in str(error):
            raise StoreError(f"cannot open database {database.url}: {error}") from error
        raise
    return Store(database)
