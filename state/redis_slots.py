"""Slots of limited calls in Redis: one script a call, by the server's clock, for all gateways that share the server.

Where Redis does not answer, slots are counted in the database, which all gateways share as well: limits go on holding,
counted from zero at that moment, and Redis is tried again a few seconds later.
"""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import TooManyRequests
from .rates import BUSY_RETRY_S, RateCounts, Slot, Standing, asked_tokens, refusal

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")

RESTS_S = 5.0
"""How long Redis is left alone once it did not answer."""

_log = logging.getLogger(__name__)

# For each owner three keys: slots by the time they were taken (µs), by the time they are free at the latest, and the
# tokens of each with their sum. ARGV: slot, how long it lasts (s), then of each owner its three limits and the tokens
# asked for. Returns 1 or 0, and of each owner requests, tokens, calls under way and the seconds to wait.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local since, slot, lasts = now - 60000000, ARGV[1], ARGV[2] * 1000000
local admitted, told = 1, {}
for i = 1, #KEYS / 3 do
  local taken, open, tokens = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]
  local rpm, tpm, most = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local asked = tonumber(ARGV[4 * i + 2])
  redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
  for _, old in ipairs(redis.call('ZRANGEBYSCORE', taken, '-inf', since)) do
    local had = redis.call('HGET', tokens, old)
    if had then
      redis.call('HINCRBY', tokens, '', 0 - had)
      redis.call('HDEL', tokens, old)
    end
    redis.call('ZREM', taken, old)
  end
  local requests, sum = redis.call('ZCARD', taken), tonumber(redis.call('HGET', tokens, '') or '0')
  local under_way, wait = redis.call('ZCARD', open), 0
  local too_many = rpm > 0 and requests + 1 - rpm or 0
  local too_much = tpm > 0 and sum + asked - tpm or 0
  if too_many > 0 or too_much > 0 or (most > 0 and under_way >= most) then
    admitted = 0
    local from = 0
    while too_many > 0 or too_much > 0 do
      local oldest = redis.call('ZRANGE', taken, from, from, 'WITHSCORES')
      if #oldest == 0 then break end
      wait = math.ceil((tonumber(oldest[2]) - since) / 1000000)
      too_many, too_much = too_many - 1, too_much - tonumber(redis.call('HGET', tokens, oldest[1]) or '0')
      from = from + 1
    end
  end
  told[#told + 1] = {requests, sum, under_way, wait}
end
if admitted == 1 then
  for i = 1, #KEYS / 3 do
    local taken, open, tokens, asked = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i], ARGV[4 * i + 2]
    redis.call('ZADD', taken, now, slot)
    redis.call('ZADD', open, now + lasts, slot)
    redis.call('HSET', tokens, slot, asked)
    redis.call('HINCRBY', tokens, '', asked)
    for _, key in ipairs({taken, open, tokens}) do redis.call('EXPIRE', key, 7200 + ARGV[2]) end
  end
end
return {admitted, told}
"""
# ARGV: slot, the tokens it took, and 1 where it is to be forgotten. One that left the last minute counts no more.
END = """
for i = 1, #KEYS / 3 do
  local taken, open, tokens = KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i]
  redis.call('ZREM', open, ARGV[1])
  local had = redis.call('HGET', tokens, ARGV[1])
  if had then
    redis.call('HINCRBY', tokens, '', ARGV[2] - had)
    if ARGV[3] == '1' then
      redis.call('HDEL', tokens, ARGV[1])
      redis.call('ZREM', taken, ARGV[1])
    else
      redis.call('HSET', tokens, ARGV[1], ARGV[2])
    end
  end
end
"""


class RedisSlots:
    """Counts slots in Redis, or in `otherwise` while it does not answer; see `rates.RateCounts`."""

    def __init__(
        self, redis: "Redis", otherwise: RateCounts, clock_s: Callable[[], float] = monotonic
    ) -> None:
        self._redis = redis
        self._otherwise = otherwise
        self._clock_s = clock_s
        self._rests_until_s = 0.0
        self._take = redis.register_script(TAKE)
        self._end = redis.register_script(END)
        self._elsewhere: set[str] = set()
        """Slots under way that were counted otherwise."""
        self.reason: str | None = None
        """Why Redis is done without; None while it answers."""

    async def take(self, slot: Slot, lasts_s: float) -> list[Standing]:
        """Give a call its slots, all or none."""
        arguments: list[Any] = [slot.slot_id, round(lasts_s)]
        for one in slot.owners:
            rates = one.rates
            arguments += [rates.requests_per_minute, rates.tokens_per_minute, rates.concurrent_calls]
            arguments.append(asked_tokens(rates, slot.tokens))
        found = await self._ask(lambda: self._take(keys=_keys(slot), args=arguments))
        if found is None:
            standings = await self._otherwise.take(slot, lasts_s)
            self._elsewhere.add(slot.slot_id)
            return standings
        admitted, told = found
        standings = [Standing(one, *counts[:3]) for one, counts in zip(slot.owners, told, strict=True)]
        if admitted:
            return [
                Standing(
                    one.limited, one.requests + 1, one.tokens + asked_tokens(one.limited.rates, slot.tokens),
                    one.under_way + 1,
                )
                for one in standings
            ]  # fmt: skip
        reasons = [refusal(one, slot.tokens) for one in standings]
        wait_s = max(BUSY_RETRY_S, *(int(counts[3]) for counts in told))
        raise TooManyRequests(
            f"{next((one for one in reasons if one is not None), 'too many calls')}; ask again in {wait_s} s",
            retry_after_s=wait_s, standings=tuple(standings),
        )  # fmt: skip

    async def end(self, slot: Slot, tokens: int) -> None:
        """Note that a call ended, and how many tokens it took."""
        if slot.slot_id in self._elsewhere:
            self._elsewhere.discard(slot.slot_id)
            await self._otherwise.end(slot, tokens)
            return
        await self._ask(lambda: self._end(keys=_keys(slot), args=[slot.slot_id, tokens, 0]))

    async def give_back(self, slot: Slot) -> None:
        """Forget a call that was refused before anything was done for it."""
        if slot.slot_id in self._elsewhere:
            self._elsewhere.discard(slot.slot_id)
            await self._otherwise.give_back(slot)
            return
        await self._ask(lambda: self._end(keys=_keys(slot), args=[slot.slot_id, 0, 1]))

    async def _ask(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Return what Redis says; None where it does not answer, or did not a moment ago."""
        from redis.exceptions import RedisError  # noqa: PLC0415 - a client was opened, so it is there

        if self._clock_s() < self._rests_until_s:
            return None
        try:
            answer = await work()
        except (RedisError, OSError) as error:
            if self.reason is None:
                _log.warning(
                    "limits are counted in the database: Redis does not answer (%s)", type(error).__name__
                )
            self.reason = (
                f"limits are counted in the database: Redis does not answer ({type(error).__name__})"
            )
            self._rests_until_s = self._clock_s() + RESTS_S
            return None
        self.reason = None
        return answer


def _keys(slot: Slot) -> list[str]:
    """Return the keys of a slot's owners; those of one org are on one server of a cluster."""
    return [
        f"x25:rates:{{{one.org}}}:{one.owner}:{part}"
        for one in slot.owners
        for part in ("taken", "open", "tokens")
    ]
