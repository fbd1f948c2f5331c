"""Budgets: what the calls under a ceiling may still spend, kept exactly while many of them run at once.

An account counts what its calls cost, reservations until a cost is known. A request reserves in the transaction that
writes its attempt down, and only while the account's limit leaves room: two calls never take the same dollar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from ..ceilings import Imposed, Owner, quota_name
from ..database import Database
from ..errors import OverBudget
from ..schema import budgets
from ..statements import Statement

GUARD_CALLS = 2
"""Allowances of calls to come that a call may draw on."""

OPEN = Statement(
    text(
        "INSERT INTO budgets (org, account, spent_nusd, calls) VALUES (:org, :account, 0, 0) ON CONFLICT DO NOTHING"
    )
)
RESERVE = Statement(
    text(
        "UPDATE budgets SET spent_nusd = spent_nusd + :amount, calls = calls + :opened, tokens = tokens + :tokens"
        " WHERE org = :org AND account = :account AND (:unmetered = 1 OR tokens + :tokens <= :most_tokens)"
        " AND (:exempt = 1 OR spent_nusd + :amount <= :fixed + :per_call * (calls + :opened + :guard))"
    )
)
MOVE = Statement(
    text(
        "UPDATE budgets SET spent_nusd = spent_nusd + :amount, tokens = tokens + :tokens"
        " WHERE org = :org AND account = :account"
    )
)
# A month has no account of its own: it is its days, so that it counts what was spent before it had a ceiling.
OTHER_DAYS = Statement(
    text(
        "SELECT COALESCE(SUM(spent_nusd), 0), COALESCE(SUM(tokens), 0) FROM budgets"
        " WHERE org = :org AND account >= :first AND account <= :last"
        " AND account <> :account"
    )
)


@dataclass(frozen=True, slots=True)
class Account:
    """Where one account stands."""

    spent_nusd: int = 0
    calls: int = 0
    tokens: int = 0
    """Of prompts and answers, reservations until their number is known."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Tokens that the day of an account and its month may take; None = any number."""

    owner: Owner
    day_tokens: int | None
    month_tokens: int | None


@dataclass(frozen=True, slots=True)
class Budget:
    """An account, and the ceiling that is held against it."""

    key: str
    """Policy key, "budget_usd_per_call" or "budget_usd_per_day", or the name of an owner's ceiling."""
    account: str
    ceiling_nusd: int | None
    """Mean cost of a call, or sum of a day; None = what is spent is counted, and nothing is refused."""
    month_nusd: int | None = None
    """Most that the month of the account's day may cost, all its days together."""
    month_key: str = ""
    """What that ceiling is called."""
    quota: Quota | None = None

    @classmethod
    def per_call(cls, ceiling_nusd: int) -> "Budget":
        """Return the budget of all calls of an org under one mean cost; another ceiling is another account."""
        return cls("budget_usd_per_call", f"call:{ceiling_nusd}", ceiling_nusd)

    @classmethod
    def per_day(cls, ceiling_nusd: int | None, now: datetime) -> "Budget":
        """Return the budget of the UTC day of `now`: of all calls of an org, whether or not they carry a ceiling."""
        return cls("budget_usd_per_day", day_account(now), ceiling_nusd)

    def under(self, imposed: Imposed) -> "Budget":
        """Return the same budget of a day that also keeps to the ceilings of an owner; the lower one of a day holds."""
        key, ceiling_nusd, day_nusd = self.key, self.ceiling_nusd, imposed.ceilings.day_nusd
        if day_nusd is not None and (ceiling_nusd is None or day_nusd <= ceiling_nusd):
            key, ceiling_nusd = imposed.name("day"), day_nusd
        tokens = imposed.ceilings.day_tokens, imposed.ceilings.month_tokens
        quota = None if tokens == (None, None) else Quota(imposed.owner, *tokens)
        return Budget(
            key, self.account, ceiling_nusd, imposed.ceilings.month_nusd, imposed.name("month"), quota
        )

    @property
    def is_per_call(self) -> bool:
        """Whether it grows with every call."""
        return self.key == "budget_usd_per_call"

    @property
    def is_bounded(self) -> bool:
        """Whether anything may be refused under it; spending is counted in any case."""
        return (self.ceiling_nusd, self.month_nusd, self.quota) != (None, None, None)

    @property
    def month(self) -> tuple[str, str]:
        """The first and the last account that its month can have."""
        days_of = self.account[: -len("01")]
        return f"{days_of}01", f"{days_of}31"

    def limit_nusd(self, calls: int) -> int | None:
        """Return the most that may be spent by then, `calls` having begun; None without a ceiling."""
        if self.ceiling_nusd is None:
            return None
        return self.ceiling_nusd * (calls + GUARD_CALLS) if self.is_per_call else self.ceiling_nusd


def day_account(now: datetime, owner: str = "") -> str:
    """Return the account of the UTC day of `now`: of the org, or of a family of keys."""
    return f"key:{owner}:{now:%Y-%m-%d}" if owner else f"day:{now:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Charge:
    """What a request is charged to."""

    budgets: tuple[Budget, ...] = ()
    is_cheapest: bool = False
    """Whether nothing cheaper could be asked: then a mean cost per call may be passed, as it can recover."""
    tokens: int = 0
    """Most tokens that the request can take, counted until their number is known."""


class Budgets:
    """Reads accounts; attempts move them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, org: str, accounts: Sequence[str]) -> dict[str, Account]:
        """Return the accounts by name; one nobody used stands at zero."""
        query = select(budgets.c.account, budgets.c.spent_nusd, budgets.c.calls, budgets.c.tokens).where(
            budgets.c.org == org, budgets.c.account.in_(accounts)
        )
        rows = await self._database.query_settled(lambda connection: connection.execute(query).all())
        known = {row.account: Account(int(row.spent_nusd), int(row.calls), int(row.tokens)) for row in rows}
        return {account: known.get(account, Account()) for account in accounts}

    async def month_nusd(self, org: str, budget: Budget) -> int:
        """Return what the month of a day's budget has cost so far, that day included."""
        return (await self.month(org, budget)).spent_nusd

    async def month(self, org: str, budget: Budget) -> Account:
        """Return where the month of a day's budget stands, that day included."""
        first, last = budget.month
        sums = select(*(
            func.coalesce(func.sum(budgets.c[name]), 0) for name in ("spent_nusd", "calls", "tokens")
        )).where(budgets.c.org == org, budgets.c.account >= first, budgets.c.account <= last)  # fmt: skip
        row = await self._database.query_settled(lambda connection: connection.execute(sums).one())
        return Account(*(int(one) for one in row))


def reserve(connection: Connection, org: str, charge: Charge, amount_nusd: int, *, opens_call: bool) -> None:
    """Add a reservation to every account of the charge, inside the connection's transaction.

    Raises
    ------
    OverBudget
        If an account's limit leaves no room: nothing may be asked, and the transaction must be undone.
    """
    for budget in charge.budgets:
        key, ceiling_nusd, quota_key, most_tokens = _limits_now(connection, org, budget)
        row = {
            "org": org, "account": budget.account, "amount": amount_nusd, "opened": int(opens_call),
            "exempt": int(ceiling_nusd is None or (budget.is_per_call and charge.is_cheapest)),
            "fixed": 0 if budget.is_per_call else ceiling_nusd or 0,
            "per_call": ceiling_nusd or 0 if budget.is_per_call else 0, "guard": GUARD_CALLS,
            "tokens": charge.tokens, "unmetered": int(most_tokens is None), "most_tokens": most_tokens or 0,
        }  # fmt: skip
        if RESERVE.count(connection, row) == 1:
            continue
        # The account is new, or it has no room.
        OPEN.count(connection, {"org": org, "account": budget.account})
        if RESERVE.count(connection, row) == 1:
            continue
        if most_tokens is not None and RESERVE.count(connection, row | {"unmetered": 1}) == 1:
            raise OverBudget(f"{quota_key} leaves too few tokens for a request of up to {charge.tokens:,}")
        raise OverBudget(f"{key} leaves too little for another {amount_nusd / 1e9:.6f} dollars")


def _limits_now(connection: Connection, org: str, budget: Budget) -> tuple[str, int | None, str, int | None]:
    """Return what holds of a budget and its month now, as limits of its account: of money, then of tokens, by name."""
    key, ceiling_nusd, quota = budget.key, budget.ceiling_nusd, budget.quota
    quota_key, most_tokens = (
        ("", None) if quota is None else (quota_name(quota.owner, "day"), quota.day_tokens)
    )
    if budget.month_nusd is None and (quota is None or quota.month_tokens is None):
        return key, ceiling_nusd, quota_key, most_tokens
    first, last = budget.month
    span = {"org": org, "account": budget.account, "first": first, "last": last}
    row = OTHER_DAYS.row(connection, span) or (0, 0)
    if budget.month_nusd is not None:
        left_nusd = budget.month_nusd - int(row[0])
        if ceiling_nusd is None or left_nusd < ceiling_nusd:
            key, ceiling_nusd = budget.month_key, left_nusd
    if quota is not None and quota.month_tokens is not None:
        left_tokens = quota.month_tokens - int(row[1])
        if most_tokens is None or left_tokens < most_tokens:
            quota_key, most_tokens = quota_name(quota.owner, "month"), left_tokens
    return key, ceiling_nusd, quota_key, most_tokens


def settle(
    connection: Connection, org: str, charge: Charge, change_nusd: int, change_tokens: int = 0
) -> None:
    """Move every account by what a settled request cost and took more, or less, than was reserved."""
    for budget in charge.budgets if change_nusd or change_tokens else ():
        row = {"org": org, "account": budget.account, "amount": change_nusd, "tokens": change_tokens}
        MOVE.count(connection, row)
