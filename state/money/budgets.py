"""Budgets: what the calls under a ceiling may still spend, kept exactly while many of them run at once.

An account counts what its calls cost, reservations until a cost is known. A request reserves in the transaction that
writes its attempt down, and only while the account's limit leaves room: two calls never take the same dollar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, text

from ..database import Database
from ..errors import OverBudget
from ..schema import budgets

GUARD_CALLS = 2
"""Allowances of calls to come that a call may draw on."""

OPEN = text(
    "INSERT INTO budgets (org, account, spent_nusd, calls) VALUES (:org, :account, 0, 0) ON CONFLICT DO NOTHING"
)
RESERVE = text(
    "UPDATE budgets SET spent_nusd = spent_nusd + :amount, calls = calls + :opened"
    " WHERE org = :org AND account = :account"
    " AND (:exempt = 1 OR spent_nusd + :amount <= :fixed + :per_call * (calls + :opened + :guard))"
)
MOVE = text("UPDATE budgets SET spent_nusd = spent_nusd + :amount WHERE org = :org AND account = :account")


@dataclass(frozen=True, slots=True)
class Account:
    """Where one account stands."""

    spent_nusd: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """An account, and the ceiling that is held against it."""

    key: str
    """Policy key: "budget_usd_per_call" or "budget_usd_per_day"."""
    account: str
    ceiling_nusd: int | None
    """Mean cost of a call, or sum of a day; None = what is spent is counted, and nothing is refused."""

    @classmethod
    def per_call(cls, ceiling_nusd: int) -> "Budget":
        """Return the budget of all calls of an org under one mean cost; another ceiling is another account."""
        return cls("budget_usd_per_call", f"call:{ceiling_nusd}", ceiling_nusd)

    @classmethod
    def per_day(cls, ceiling_nusd: int | None, now: datetime) -> "Budget":
        """Return the budget of the UTC day of `now`: of all calls of an org, whether or not they carry a ceiling."""
        return cls("budget_usd_per_day", f"day:{now:%Y-%m-%d}", ceiling_nusd)

    @property
    def is_per_call(self) -> bool:
        """Whether it grows with every call."""
        return self.key == "budget_usd_per_call"

    def limit_nusd(self, calls: int) -> int | None:
        """Return the most that may be spent by then, `calls` having begun; None without a ceiling."""
        if self.ceiling_nusd is None:
            return None
        return self.ceiling_nusd * (calls + GUARD_CALLS) if self.is_per_call else self.ceiling_nusd


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request is charged to."""

    budgets: tuple[Budget, ...] = ()
    is_cheapest: bool = False
    """Whether nothing cheaper could be asked: then a mean cost per call may be passed, as it can recover."""


class Budgets:
    """Reads accounts; attempts move them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, org: str, accounts: Sequence[str]) -> dict[str, Account]:
        """Return the accounts by name; one nobody used stands at zero."""
        query = select(budgets.c.account, budgets.c.spent_nusd, budgets.c.calls).where(
            budgets.c.org == org, budgets.c.account.in_(accounts)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        known = {row.account: Account(int(row.spent_nusd), int(row.calls)) for row in rows}
        return {account: known.get(account, Account()) for account in accounts}


def reserve(connection: Connection, org: str, charge: Charge, amount_nusd: int, *, opens_call: bool) -> None:
    """Add a reservation to every account of the charge, inside the connection's transaction.

    Raises
    ------
    OverBudget
        If an account's limit leaves no room: nothing may be asked, and the transaction must be undone.
    """
    for budget in charge.budgets:
        ceiling_nusd = budget.ceiling_nusd or 0
        row = {
            "org": org, "account": budget.account, "amount": amount_nusd, "opened": int(opens_call),
            "exempt": int(budget.ceiling_nusd is None or (budget.is_per_call and charge.is_cheapest)),
            "fixed": 0 if budget.is_per_call else ceiling_nusd,
            "per_call": ceiling_nusd if budget.is_per_call else 0, "guard": GUARD_CALLS,
        }  # fmt: skip
        if connection.execute(RESERVE, row).rowcount == 1:
            continue
        # The account is new, or it has no room.
        connection.execute(OPEN, {"org": org, "account": budget.account})
        if connection.execute(RESERVE, row).rowcount != 1:
            raise OverBudget(f"{budget.key} leaves too little for another {amount_nusd / 1e9:.6f} dollars")


def settle(connection: Connection, org: str, charge: Charge, change_nusd: int) -> None:
    """Move every account by what a settled request cost more, or less, than was reserved."""
    for budget in charge.budgets if change_nusd else ():
        connection.execute(MOVE, {"org": org, "account": budget.account, "amount": change_nusd})
