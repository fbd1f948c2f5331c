"""The store: one database handle bundling the tables."""

import asyncio
from types import TracebackType
from typing import Self

from sqlalchemy import select

from .accounts import Accounts
from .audit.calls import Calls
from .audit.chain import Audit
from .audit.decisions import Decisions
from .audit.erasure import Erasure
from .audit.history import History
from .audit.orgs import Orgs
from .cached_answers import CachedAnswers
from .chains import Chains
from .claims import Claims
from .database import Database, connect
from .errors import StoreError
from .improvements import Improvements
from .jobs import Jobs
from .keys import Keys
from .learning.artifacts import Artifacts
from .learning.estimates import Estimates
from .learning.judge_tables import JudgeTables
from .learning.judged_answers import JudgedAnswers
from .learning.labels import Labels
from .learning.posteriors import Posteriors
from .leases import Lease, new_holder
from .memories import Memories
from .migrations.upgrade import create_schema, load_scripts, upgrade
from .money.attempts import Attempts
from .money.budgets import Budgets
from .open_calls import OpenCalls
from .org_settings import SettingsOfOrgs
from .own_models import OwnModels
from .provider_keys import ProviderKeys
from .queries.call_pages import CallPages
from .queries.labelled import LabelledCalls
from .queries.rollups import Rollups
from .queries.usage import Usages
from .rate_slots import RateSlots
from .responses import Responses
from .setups import Setups
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
        self.org_settings = SettingsOfOrgs(database)
        self.audit = Audit(database)
        self.attempts = Attempts(database, holder)
        self.calls = Calls(database, self.attempts.unsure, self.orgs.note_call_count)
        self.decisions = Decisions(database)
        self.history = History(database)
        self.erasure = Erasure(database)
        self.open_calls = OpenCalls(database, holder)
        self.estimates = Estimates(database)
        self.posteriors = Posteriors(database)
        self.keys = Keys(database)
        self.accounts = Accounts(database)
        self.setups = Setups(database)
        self.claims = Claims(database)
        self.chains = Chains(database)
        self.rates = RateSlots(database)
        self.labels = Labels(database)
        self.judged_answers = JudgedAnswers(database)
        self.judge_tables = JudgeTables(database)
        self.budgets = Budgets(database)
        self.memories = Memories(database)
        self.cached_answers = CachedAnswers(database)
        self.responses = Responses(database)
        self.usage = Usages(database)
        self.rollups = Rollups(database)
        self.call_pages = CallPages(database)
        self.labelled = LabelledCalls(database)
        self.artifacts = Artifacts(database)
        self.jobs = Jobs(database)
        self.improvements = Improvements(database)
        self.own_models = OwnModels(database)
        self.provider_keys = ProviderKeys(database)

    @property
    def url(self) -> str:
        """The database's URL with its password hidden."""
        return self._database.url

    @property
    def waiting(self) -> int:
        """How many callers wait for the database."""
        return self._database.waiting

    async def lives(self) -> None:
        """Return once the database answered.

        Raises
        ------
        StoreError
            When it cannot be used, or the newest transaction could not be written; the lease is, every few seconds.
        """
        await self._database.query(lambda connection: connection.scalar(select(1)))
        if (fault := self._database.write_fault) is not None:
            raise StoreError(fault)

    async def catch_up(self) -> None:
        """Wait for what was asked for and not waited for: outcomes of attempts, and what judged answers looked like."""
        await self._database.catch_up()

    async def close(self) -> None:
        """Do what was asked for, and close every connection."""
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
    database = await connect(url, synchronous=synchronous)
    try:
        if not await database.transact(create_schema):
            # Reading the migrations from disk would hold up the event loop.
            await asyncio.to_thread(load_scripts)
            await database.transact(upgrade)
    except BaseException as error:
        await database.close()
        if isinstance(error, StoreError) and database.url not in str(error):
            raise StoreError(f"cannot open database {database.url}: {error}") from error
        raise
    return Store(database)
