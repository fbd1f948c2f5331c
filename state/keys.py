"""API keys. The secret is shown once, at creation; only its hash is kept."""

import hmac
import secrets
from asyncio import Future
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select, update

from .api_key import DEFAULT_SCOPES, SCOPES, ApiKey
from .ceilings import NO_CEILINGS, Ceilings
from .database import Database
from .errors import ExpiredToken, InvalidRequest, NotFound, Unauthorized
from .names import check_org
from .rates import NO_RATES, Rates
from .schema import columns_for, keys, values_of

PREFIX = "sk-x25-"
SHOWN_CHARS = len(PREFIX) + 6
"""How much of a key is kept to tell it by: of 43 random characters these are six."""
MINUTE = timedelta(minutes=1)
MOST_OVERLAP_S = 30 * 86_400.0
LONGEST = timedelta(days=36_500)
"""How far ahead the end of a key may lie."""


def _hash(secret: str) -> str:
    # A slow hash protects guessable passwords; 256 random bits cannot be guessed, so a fast one will do.
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def check_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Return the scopes in their usual order, each once.

    Raises
    ------
    InvalidRequest
        When there is none, or one is unknown.
    """
    unknown = next((one for one in scopes if one not in SCOPES), None)
    if unknown is not None or not scopes:
        got = "none" if unknown is None else repr(unknown)
        raise InvalidRequest(f"scopes must be some of {', '.join(SCOPES)}; got {got}", field="scopes")
    return tuple(name for name in SCOPES if name in scopes)


@dataclass(frozen=True, slots=True)
class Revoked:
    """What revoking a key did, by ids."""

    key_ids: tuple[str, ...]
    """Those that were revoked now, the key itself first."""
    successors: tuple[str, ...]
    """Those that came of it by renewal and are good all the same, oldest first."""


class Keys:
    """Issues, checks, renews and revokes API keys.

    Nothing is cached: what happened to a key counts from the next request on, whichever process it reaches.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(  # noqa: PLR0913 - what a key can be limited by
        self,
        org: str,
        rate_limit_rpm: int = 0,
        *,
        rates: Rates = NO_RATES,
        is_admin: bool = False,
        scopes: Collection[str] = DEFAULT_SCOPES,
        expires_at: datetime | None = None,
        ceilings: Ceilings = NO_CEILINGS,
    ) -> tuple[str, ApiKey]:
        """Issue a key and return its secret, which is kept nowhere, and its record.

        Raises
        ------
        InvalidRequest
            When the org's name breaks the rule, a scope is unknown, a limit is out of range, or `expires_at` is over
            or more than `LONGEST` ahead.
        ValueError
            When a ceiling is below a nano-dollar or a token.
            `rate_limit_rpm` is another word for the requests of `rates`.
        """
        rates = replace(rates, requests_per_minute=rate_limit_rpm or rates.requests_per_minute)
        rates.check()
        if any(one is not None and one < 1 for one in astuple(ceilings)):
            raise ValueError(f"ceilings must be at least a nano-dollar or a token, got {ceilings}")
        now = datetime.now(UTC)
        if expires_at is not None and not now < expires_at <= now + LONGEST:
            raise InvalidRequest(
                f"expires_at must lie ahead, by at most {LONGEST.days:,} days, got {expires_at.isoformat()}",
                field="expires_at",
            )
        secret, identity = _new_secret()
        key = ApiKey(
            **identity, org=check_org(org), created_at=now, is_admin=is_admin,
            rate_limit_rpm=rates.requests_per_minute, tokens_per_minute=rates.tokens_per_minute,
            concurrent_calls=rates.concurrent_calls,
            family=identity["key_id"], scopes=check_scopes(scopes), expires_at=expires_at,
            call_nusd=ceilings.call_nusd, day_nusd=ceilings.day_nusd, month_nusd=ceilings.month_nusd,
            day_tokens=ceilings.day_tokens, month_tokens=ceilings.month_tokens,
        )  # fmt: skip
        await self._database.transact(lambda connection: connection.execute(insert(keys), values_of(key)))
        return secret, key

    async def authenticate(self, secret: str) -> ApiKey:
        """Return the key the secret belongs to, and note to the minute that it was used.

        Raises
        ------
        Unauthorized
            When no such key was issued, or it was revoked.
        ExpiredToken
            When its time is over.
        """
        key_hash = _hash(secret)
        query = select(*columns_for(keys, ApiKey)).where(keys.c.key_hash == key_hash)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        if row is None or not hmac.compare_digest(row.key_hash, key_hash):
            raise Unauthorized("expected an API key issued by this server, got an unknown one")
        key, now = ApiKey(*row), datetime.now(UTC)
        if key.revoked_at is not None:
            raise Unauthorized(f"API key {key.key_id} was revoked at {key.revoked_at.isoformat()}")
        if key.expires_at is not None and key.expires_at <= now:
            raise ExpiredToken(f"API key {key.key_id} expired at {key.expires_at.isoformat()}")
        if key.last_used_at is None or now - key.last_used_at >= MINUTE:
            await self._note_use(key, now)
        return key

    async def _note_use(self, key: ApiKey, now: datetime) -> None:
        used = update(keys).where(keys.c.key_id == key.key_id).values(last_used_at=now)
        asked = await self._database.transact_later(lambda connection: connection.execute(used).close())
        asked.future.add_done_callback(_ignore)

    async def list(self, org: str | None) -> list[ApiKey]:
        """Return the org's keys, or everybody's when `org` is None, oldest first, revoked ones included."""
        query = select(*columns_for(keys, ApiKey)).order_by(keys.c.created_at, keys.c.key_id)
        if org is not None:
            query = query.where(keys.c.org == org)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [ApiKey(*row) for row in rows]

    async def get(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, revoked or not."""
        query = select(*columns_for(keys, ApiKey)).where(keys.c.key_id == key_id)
        row = await self._database.query(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else ApiKey(*row)

    async def rotate(
        self, key_id: str, overlap_s: float, *, org: str | None = None, until: datetime | None = None
    ) -> tuple[str, ApiKey, datetime]:
        """Issue a key in the place of another: same org, limits, scopes, ceilings and, from now on, lifetime.

        Where `until` is given, the new key ends then at the latest.

        Returns
        -------
        tuple[str, ApiKey, datetime]
            The new secret, its record, and until when the old key stays good: `overlap_s` seconds, or less where it
            ends sooner. Calls and spending of both count as those of one key.

        Raises
        ------
        NotFound
            When there is no such key that is good, of this org where one is given.
        InvalidRequest
            When it was renewed before by a key that is good, or `overlap_s` is out of range.
        """
        if not 0.0 <= overlap_s <= MOST_OVERLAP_S:
            raise InvalidRequest(
                f"overlap_s must be between 0 and {MOST_OVERLAP_S:.0f}, got {overlap_s!r}", field="overlap_s"
            )
        now = datetime.now(UTC)
        secret, identity = _new_secret()
        found = select(*columns_for(keys, ApiKey)).where(_of(key_id, org), _is_good(now)).with_for_update()

        def renew(connection: Connection) -> tuple[ApiKey, datetime] | None:
            row = connection.execute(found).one_or_none()
            if row is None:
                return None
            old = ApiKey(*row)
            later = (keys.c.family == old.family) & (keys.c.created_at > old.created_at) & _is_good(now)
            if (newer := connection.scalar(select(keys.c.key_id).where(later).limit(1))) is not None:
                raise InvalidRequest(f"key {key_id} was renewed before, by {newer}", field="key_id")
            lasts = None if old.expires_at is None else now + min(old.expires_at - old.created_at, LONGEST)
            ends = min((one for one in (lasts, until) if one is not None), default=None)
            new = replace(old, **identity, created_at=now, expires_at=ends, last_used_at=None)
            overlap_ends = now + timedelta(seconds=overlap_s)
            old_ends = overlap_ends if old.expires_at is None else min(overlap_ends, old.expires_at)
            connection.execute(insert(keys), values_of(new))
            connection.execute(update(keys).where(keys.c.key_id == key_id).values(expires_at=old_ends))
            return new, old_ends

        renewed = await self._database.transact(renew)
        if renewed is None:
            raise NotFound(f"no key {key_id[:100]!r} that is good")
        return secret, *renewed

    async def revoke(
        self, key_id: str, *, org: str | None = None, with_successors: bool = False
    ) -> Revoked | None:
        """Revoke a key from now on, and where asked those that came of it by renewal.

        Returns
        -------
        Revoked | None
            What went, and which successors are good all the same; None when there is no such key of the org (None = of
            any), or nothing of it was left to revoke.
        """
        now = datetime.now(UTC)

        def end(connection: Connection) -> Revoked | None:
            is_left = keys.c.revoked_at.is_(None)
            key = update(keys).where(_of(key_id, org), is_left).values(revoked_at=now)
            went = [key_id] * connection.execute(key).rowcount
            found = select(keys.c.family, keys.c.created_at).where(_of(key_id, org))
            if (row := connection.execute(found).one_or_none()) is None:
                return None
            later = (keys.c.family == row.family) & (keys.c.created_at > row.created_at)
            good = select(keys.c.key_id).where(later, _is_good(now)).order_by(keys.c.created_at)
            successors = tuple(connection.scalars(good))
            # On Postgres one of them may renew itself meanwhile: what it made is seen by the next statement.
            while with_successors and successors:
                connection.execute(update(keys).where(later, is_left).values(revoked_at=now))
                went += successors
                successors = tuple(connection.scalars(good))
            return Revoked(tuple(went), successors) if went else None

        return await self._database.transact(end)


def replaced_by_id(listed: Iterable[ApiKey]) -> dict[str, str]:
    """Return which key each renewed one took the place of, by id: the newest of its family good then.

    All keys of an org have to be given.
    """
    replaced: dict[str, str] = {}
    family_to_older: dict[str, list[ApiKey]] = {}
    for key in sorted(listed, key=lambda one: one.created_at):
        older = family_to_older.setdefault(key.family, [])
        good = [one.key_id for one in older if one.was_good_until(key.created_at)]
        if good:
            replaced[key.key_id] = good[-1]
        older.append(key)
    return replaced


def _new_secret() -> tuple[str, dict[str, Any]]:
    """Return a secret, and the fields of its record that come of it."""
    secret = PREFIX + secrets.token_urlsafe(32)
    key_hash = _hash(secret)
    return secret, {"key_id": key_hash[:12], "key_hash": key_hash, "prefix": secret[:SHOWN_CHARS]}


def _of(key_id: str, org: str | None) -> ColumnElement[bool]:
    is_it = keys.c.key_id == key_id
    return is_it if org is None else is_it & (keys.c.org == org)


def _is_good(now: datetime) -> ColumnElement[bool]:
    return keys.c.revoked_at.is_(None) & (keys.c.expires_at.is_(None) | (keys.c.expires_at > now))


def _ignore(future: "Future[None]") -> None:
    """Take note of a failure to note a use: the key is good all the same."""
    if not future.cancelled():
        future.exception()
