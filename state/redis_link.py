"""What replicas of one gateway share beside the database, where they share a Redis; a dead one never fails a call."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .errors import ConfigError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = logging.getLogger(__name__)

CONNECT_S = 0.5
"""Longest wait for a connection."""
ANSWER_S = 0.5
"""Longest wait for an answer, of work that no call waits for."""
PREFIX = "x25:"
"""What every key in Redis begins with."""


class RedisLink:
    """A Redis that may be away.

    Parameters
    ----------
    client
        With its pool of connections; opened when first used.
    """

    def __init__(self, client: "Redis") -> None:
        self.client = client
        self._is_away = False

    async def ask(self, command: Awaitable[Any], within_s: float = ANSWER_S) -> Any | None:
        """Return the answer to a command of `client`, or None where Redis does not give one in time.

        Its going away and coming back are logged once each.
        """
        from redis.exceptions import RedisError  # noqa: PLC0415 - an extra

        try:
            async with asyncio.timeout(within_s):
                answer = await command
        except (RedisError, OSError, TimeoutError) as error:
            if not self._is_away:
                _log.warning("redis_away: %s; this process goes by what it knows alone", type(error).__name__)
            self._is_away = True
            return None
        if self._is_away:
            _log.warning("redis_back: what replicas share is shared again")
        self._is_away = False
        return answer

    @property
    def is_away(self) -> bool:
        """Whether the last command was not answered."""
        return self._is_away


@asynccontextmanager
async def redis_link(url: str) -> AsyncIterator[RedisLink | None]:
    """Open the Redis at `url`, "" for none; nothing is asked yet, so one that is away stops no start.

    Raises
    ------
    ConfigError
        When redis-py is not installed, or the URL is none of a Redis.
    """
    if not url:
        yield None
        return
    try:
        from redis.asyncio import Redis  # noqa: PLC0415 - an extra
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("X25_REDIS_URL needs redis-py: pip install 'x25[redis]'") from error
    try:
        client = Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 1),
            decode_responses=True,
        )
    except ValueError as error:
        raise ConfigError(f"X25_REDIS_URL: {error}") from error
    try:
        yield RedisLink(client)
    finally:
        await client.aclose()
