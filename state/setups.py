"""Links that make the first account: one at a time, good for an hour, kept as a hash, gone with their use."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from .accounts import Account, add_account, hash_token, make_account
from .database import Database
from .errors import Forbidden
from .schema import account_setups, accounts

LASTS = timedelta(hours=1)
OVER = "this link was used, replaced by a newer one, or is older than an hour: 'x25 accounts link' prints another"
NOT_FIRST = "there is an account already: 'x25 accounts create NAME --admin' makes another"


class Setups:
    """Issues and redeems them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self) -> str:
        """Return a token, which is kept nowhere; those issued before are good no more.

        Raises
        ------
        Forbidden
            When there is an account already.
        """
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        row = {"token_hash": hash_token(token), "created_at": now, "expires_at": now + LASTS}

        def work(connection: Connection) -> bool:
            if _has_accounts(connection):
                return False
            connection.execute(delete(account_setups))
            connection.execute(insert(account_setups), row)
            return True

        if not await self._database.transact(work):
            raise Forbidden(NOT_FIRST)
        return token

    async def is_good(self, token: str) -> bool:
        """Return whether a token may still be redeemed."""
        query = select(func.count()).select_from(account_setups).where(*_good(token))
        return bool(await self._database.query(lambda connection: connection.scalar(query)))

    async def redeem(self, token: str, name: str, password_hash: str) -> Account:
        """Make the first account, an admin, and take the token for used, all or nothing.

        Raises
        ------
        Forbidden
            When the token is not good, or there is an account already.
        InvalidRequest
            When the name breaks the rule; the token stays good.
        """
        account = make_account(name, password_hash, is_admin=True)

        def work(connection: Connection) -> str | None:
            # Of two at once the second finds no row to delete, on either database.
            if not connection.execute(delete(account_setups).where(*_good(token))).rowcount:
                return OVER
            if _has_accounts(connection):
                return NOT_FIRST
            add_account(connection, account)
            return None

        refused = await self._database.transact(work)
        if refused is not None:
            raise Forbidden(refused)
        return account


def _good(token: str) -> tuple[ColumnElement[bool], ...]:
    return (account_setups.c.token_hash == hash_token(token), account_setups.c.expires_at > datetime.now(UTC))


def _has_accounts(connection: Connection) -> bool:
    return bool(connection.scalar(select(func.count()).select_from(accounts)))
