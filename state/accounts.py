"""Accounts of people who look at pages, and the sessions they are signed in with. Passwords are hashed by the door."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from .database import Database
from .errors import InvalidRequest, NotFound
from .names import check_org
from .schema import account_sessions, accounts, columns_for, values_of

MOST_NAME = 120
LASTS = timedelta(hours=12)
"""How long a session is good for."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    account_id: str
    name: str
    """What is typed to sign in, such as an address; compared in lower case."""
    password_hash: str
    is_admin: bool
    """Whether everything of every org may be seen and managed."""
    orgs: tuple[str, ...]
    """What a member sees; empty for an admin."""
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in, by the hash of the token that the browser holds."""

    token_hash: str
    account_id: str
    created_at: datetime
    expires_at: datetime


def hash_token(token: str) -> str:
    """Return what is kept of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def check_name(name: str) -> str:
    """Return an account's name as it is compared.

    Raises
    ------
    InvalidRequest
        When it is empty, too long, or holds what cannot be printed.
    """
    plain = name.strip().lower()
    if not 1 <= len(plain) <= MOST_NAME or not plain.isprintable():
        raise InvalidRequest(f"name must be 1 to {MOST_NAME} printable characters", field="name")
    return plain


def make_account(
    name: str, password_hash: str, *, is_admin: bool = False, orgs: Collection[str] = ()
) -> Account:
    """Return a new account, which is not kept yet.

    Raises
    ------
    InvalidRequest
        When its name or an org's breaks the rule, or a member has no org.
    """
    return Account(
        account_id=secrets.token_hex(6), name=check_name(name), password_hash=password_hash,
        is_admin=is_admin, orgs=_checked_orgs(orgs, is_admin=is_admin), created_at=datetime.now(UTC),
    )  # fmt: skip


def _checked_orgs(orgs: Collection[str], *, is_admin: bool) -> tuple[str, ...]:
    if not is_admin and not orgs:
        raise InvalidRequest("orgs must name at least one org for a member", field="orgs")
    return tuple(sorted({check_org(one) for one in orgs}))


def add_account(connection: Connection, account: Account) -> None:
    """Keep an account.

    Raises
    ------
    InvalidRequest
        When its name is taken.
    """
    try:
        connection.execute(insert(accounts), values_of(account))
    except IntegrityError as error:
        raise InvalidRequest(f"name {account.name!r} is taken", field="name") from error


class Accounts:
    """Keeps accounts and sessions. What happened to either counts from the next request on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self) -> int:
        """Return how many accounts there are, disabled ones included."""
        query = select(func.count()).select_from(accounts)
        found: int | None = await self._database.query(lambda connection: connection.scalar(query))
        return found or 0

    async def create(
        self, name: str, password_hash: str, *, is_admin: bool = False, orgs: Collection[str] = ()
    ) -> Account:
        """Add an account.

        Raises
        ------
        InvalidRequest
            When the name is taken or breaks the rule, an org's name does, or a member has no org.
        """
        account = make_account(name, password_hash, is_admin=is_admin, orgs=orgs)
        await self._database.transact(lambda connection: add_account(connection, account))
        return account

    async def by_name(self, name: str) -> Account | None:
        """Return the account of that name that may sign in; none has a name that breaks the rule."""
        try:
            plain = check_name(name)
        except InvalidRequest:
            return None
        query = select(*columns_for(accounts, Account)).where(
            accounts.c.name == plain, accounts.c.disabled_at.is_(None)
        )
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else Account(*row)

    async def list(self) -> list[Account]:
        """Return all accounts by name, disabled ones included."""
        query = select(*columns_for(accounts, Account)).order_by(accounts.c.name)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Account(*row) for row in rows]

    async def change(
        self, name: str, *, password_hash: str | None = None, disabled: bool | None = None
    ) -> None:
        """Set another password, or disable or enable an account; its sessions end with either.

        Raises
        ------
        NotFound
            When there is no account of that name.
        """
        values: dict[str, object] = {} if password_hash is None else {"password_hash": password_hash}
        if disabled is not None:
            values["disabled_at"] = datetime.now(UTC) if disabled else None
        await self._change(name, values)

    async def set_role(self, name: str, *, is_admin: bool, orgs: Collection[str] = ()) -> None:
        """Make an account an admin, or a member that sees these orgs and no other; its sessions end.

        Raises
        ------
        NotFound
            When there is no account of that name.
        InvalidRequest
            When a member has no org, or an org's name breaks the rule.
        """
        await self._change(name, {"is_admin": is_admin, "orgs": _checked_orgs(orgs, is_admin=is_admin)})

    async def _change(self, name: str, values: Mapping[str, object]) -> None:
        named = select(accounts.c.account_id).where(accounts.c.name == check_name(name))

        def work(connection: Connection) -> bool:
            found = connection.scalar(named)
            if found is None:
                return False
            whose = accounts.c.account_id == found
            connection.execute(update(accounts).where(whose).values(**values))
            connection.execute(delete(account_sessions).where(account_sessions.c.account_id == found))
            return True

        if not await self._database.transact(work):
            raise NotFound(f"no account {name[:MOST_NAME]!r}")

    async def sign_in(self, account: Account, *, instead_of: str | None = None) -> tuple[str, Session]:
        """Begin a session and return its token, which is kept nowhere; `instead_of` is the token it replaces.

        Raises
        ------
        NotFound
            When the account was disabled, or its password changed, since it was read.
        """
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        session = Session(hash_token(token), account.account_id, now, now + LASTS)
        over = account_sessions.c.expires_at <= now
        if instead_of is not None:
            over |= account_sessions.c.token_hash == hash_token(instead_of)

        # Looking at a password takes a while, and whoever changes one meanwhile means to end what it opened.
        same = update(accounts).where(
            accounts.c.account_id == account.account_id, accounts.c.disabled_at.is_(None),
            accounts.c.password_hash == account.password_hash,
        ).values(password_hash=account.password_hash)  # fmt: skip

        def work(connection: Connection) -> bool:
            if not connection.execute(same).rowcount:  # an update, as it waits for one under way
                return False
            connection.execute(delete(account_sessions).where(over))
            connection.execute(insert(account_sessions), values_of(session))
            return True

        if not await self._database.transact(work):
            raise NotFound(f"no account {account.name!r} with this password any more")
        return token, session

    async def of_session(self, token: str) -> Account | None:
        """Return whose session it is; None where it is over, or its account is disabled."""
        query = (
            select(*columns_for(accounts, Account))
            .join(account_sessions, account_sessions.c.account_id == accounts.c.account_id)
            .where(
                account_sessions.c.token_hash == hash_token(token),
                account_sessions.c.expires_at > datetime.now(UTC),
                accounts.c.disabled_at.is_(None),
            )
        )
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else Account(*row)

    async def sign_out(self, token: str) -> None:
        """End a session."""
        over = delete(account_sessions).where(account_sessions.c.token_hash == hash_token(token))
        await self._database.transact(lambda connection: connection.execute(over).close())
