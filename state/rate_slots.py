"""Slots of limited calls as rows of the store: limits hold for all processes that share the database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, or_, select, text, update

from .database import Database
from .errors import TooManyRequests
from .rates import BUSY_RETRY_S, MINUTE, Limited, Slot, Standing, asked_tokens, refusal, slot_name
from .schema import rate_slots

# On Postgres requests of one owner wait in line for this lock; SQLite has one writer.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 25))")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RateSlots:
    """Counts slots; see `rates.RateCounts`."""

    def __init__(self, database: Database, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = database
        self._now = now

    async def take(self, slot: Slot, lasts_s: float) -> list[Standing]:
        """Give a call its slots, all or none."""
        now = self._now()

        def count(connection: Connection) -> list[Standing]:
            standings = [
                _standing(connection, one, now) for one in sorted(slot.owners, key=lambda one: one.owner)
            ]
            for one in standings:
                if (reason := refusal(one, slot.tokens)) is not None:
                    wait_s = _wait_s(connection, one, slot.tokens, now)
                    raise TooManyRequests(
                        f"{reason}; ask again in {wait_s} s", retry_after_s=wait_s, standings=tuple(standings)
                    )
            open_until = now + timedelta(seconds=lasts_s)
            for owner in slot.owners:
                row = {"org": owner.org, "owner": owner.owner, "slot_id": slot.slot_id, "asked_at": now}
                tokens = asked_tokens(owner.rates, slot.tokens)
                connection.execute(insert(rate_slots), row | {"tokens": tokens, "open_until": open_until})
            return [
                Standing(
                    one.limited, one.requests + 1, one.tokens + asked_tokens(one.limited.rates, slot.tokens),
                    one.under_way + 1,
                )
                for one in standings
            ]  # fmt: skip

        return await self._database.transact(count)

    async def end(self, slot: Slot, tokens: int) -> None:
        """Note that a call ended, and how many tokens it took."""
        ended = update(rate_slots).values(tokens=tokens, open_until=None)
        await self._database.transact(
            lambda connection: connection.execute(ended.where(_places(slot))).close()
        )

    async def give_back(self, slot: Slot) -> None:
        """Forget a call that was refused before anything was done for it."""
        forget = delete(rate_slots).where(_places(slot))
        await self._database.transact(lambda connection: connection.execute(forget).close())


def free_slots(connection: Connection, holder: str) -> None:
    """Note that the calls of a process that died are under way no more; they go on counting in their minute."""
    mine = rate_slots.c.slot_id.startswith(slot_name(holder, ""), autoescape=True)
    connection.execute(
        update(rate_slots).where(mine, rate_slots.c.open_until.is_not(None)).values(open_until=None)
    )


def _places(slot: Slot) -> ColumnElement[bool]:
    return or_(*(_of(one) for one in slot.owners)) & (rate_slots.c.slot_id == slot.slot_id)


def _of(one: Limited) -> ColumnElement[bool]:
    return (rate_slots.c.org == one.org) & (rate_slots.c.owner == one.owner)


def _standing(connection: Connection, one: Limited, now: datetime) -> Standing:
    """Drop what is over, and count the rest."""
    if connection.dialect.name == "postgresql":
        connection.execute(LOCK, {"name": f"{one.org}/{one.owner}"})
    since, slots = now - MINUTE, rate_slots.c
    is_open = slots.open_until > now
    is_closed = slots.open_until.is_(None) | (slots.open_until <= now)
    connection.execute(delete(rate_slots).where(_of(one), slots.asked_at <= since, is_closed))
    is_recent = slots.asked_at > since
    query = select(
        func.coalesce(func.sum(case((is_recent, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_recent, slots.tokens), else_=0)), 0),
        func.coalesce(func.sum(case((is_open, 1), else_=0)), 0),
    ).where(_of(one))
    requests, tokens, under_way = connection.execute(query).one()
    return Standing(one, int(requests), int(tokens), int(under_way))


def _wait_s(connection: Connection, standing: Standing, tokens: int, now: datetime) -> int:
    """Return after how many whole seconds enough will have left the last minute, 1 at least."""
    rates, slots = standing.limited.rates, rate_slots.c
    query = select(slots.asked_at, slots.tokens).where(_of(standing.limited), slots.asked_at > now - MINUTE)
    too_many = standing.requests + 1 - rates.requests_per_minute if rates.requests_per_minute else 0
    too_much = (
        standing.tokens + asked_tokens(rates, tokens) - rates.tokens_per_minute
        if rates.tokens_per_minute
        else 0
    )
    waits = [BUSY_RETRY_S]
    for asked_at, taken in connection.execute(query.order_by(slots.asked_at)):
        if too_many <= 0 and too_much <= 0:
            break
        too_many, too_much = too_many - 1, too_much - taken
        waits.append(ceil((asked_at + MINUTE - now).total_seconds()))
    return max(waits)
