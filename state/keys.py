"""API keys. The secret is shown once, at creation; only its hash is kept."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import ceil

from sqlalchemy import Connection, delete, insert, select, update

from .database import Database
from .errors import TooManyRequests, Unauthorized
from .names import check_org
from .records import ApiKey
from .schema import columns_for, key_requests, keys, values_of

PREFIX = "sk-x25-"
MINUTE = timedelta(minutes=1)


def _hash(secret: str) -> str:
    # A slow hash protects guessable passwords; 256 random bits cannot be guessed, so a fast one will do.
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


class Keys:
    """Issues, checks and revokes API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, org: str, rate_limit_rpm: int = 0, *, is_admin: bool = False
    ) -> tuple[str, ApiKey]:
        """Issue a key and return its secret, which is kept nowhere, and its record.

        Raises
        ------
        InvalidRequest
            When the org's name breaks the rule.
        ValueError
            When `rate_limit_rpm` (requests per minute, 0 = unlimited) is negative.
        """
        if rate_limit_rpm < 0:
            raise ValueError(f"rate_limit_rpm must be >= 0, got {rate_limit_rpm}")
        secret = PREFIX + secrets.token_urlsafe(32)
        key_hash = _hash(secret)
        created_at = datetime.now(UTC)
        key = ApiKey(key_hash[:12], check_org(org), key_hash, created_at, rate_limit_rpm, is_admin=is_admin)
        await self._database.transact(lambda connection: connection.execute(insert(keys), values_of(key)))
        return secret, key

    async def authenticate(self, secret: str) -> ApiKey:
        """Return the key the secret belongs to.

        Raises
        ------
        Unauthorized
            When no such key was issued, or it was revoked.
        """
        key_hash = _hash(secret)
        query = select(*columns_for(keys, ApiKey)).where(keys.c.key_hash == key_hash)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        if row is None or not hmac.compare_digest(row.key_hash, key_hash):
            raise Unauthorized("expected an API key issued by this server, got an unknown one")
        key = ApiKey(*row)
        if key.revoked_at is not None:
            raise Unauthorized(f"API key {key.key_id} was revoked at {key.revoked_at.isoformat()}")
        return key

    async def admit(self, key: ApiKey, now: datetime) -> None:
        """Count a request of a key; the limit holds for all gateways on the store together.

        Raises
        ------
        TooManyRequests
            When the key asked `rate_limit_rpm` times in the minute before `now`; the request is not counted then.
        """
        if not key.rate_limit_rpm:
            return

        def count(connection: Connection) -> datetime | None:
            # On Postgres the row of the key is what requests wait in line for.
            connection.execute(select(keys.c.key_id).where(keys.c.key_id == key.key_id).with_for_update())
            of_key = key_requests.c.key_id == key.key_id
            connection.execute(delete(key_requests).where(of_key, key_requests.c.asked_at <= now - MINUTE))
            asked = select(key_requests.c.asked_at).where(of_key).order_by(key_requests.c.asked_at)
            times: list[datetime] = list(connection.scalars(asked))
            if len(times) < key.rate_limit_rpm:
                connection.execute(insert(key_requests), {"key_id": key.key_id, "asked_at": now})
                return None
            return times[len(times) - key.rate_limit_rpm]

        first = await self._database.transact(count)
        if first is not None:
            wait_s = max(1, ceil((first + MINUTE - now).total_seconds()))
            raise TooManyRequests(
                f"this key may ask {key.rate_limit_rpm} times a minute; ask again in {wait_s} s",
                retry_after_s=wait_s,
            )

    async def list(self, org: str | None) -> list[ApiKey]:
        """Return the org's keys, or everybody's when `org` is None, oldest first, revoked ones included."""
        query = select(*columns_for(keys, ApiKey)).order_by(keys.c.created_at, keys.c.key_id)
        if org is not None:
            query = query.where(keys.c.org == org)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [ApiKey(*row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """Revoke a key from now on; False when there is no such key or it was revoked before."""
        live = (keys.c.key_id == key_id) & keys.c.revoked_at.is_(None)
        revoke = update(keys).where(live).values(revoked_at=datetime.now(UTC))
        return await self._database.transact(lambda connection: connection.execute(revoke).rowcount) == 1
