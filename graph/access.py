"""What a gateway reaches providers with: their keys, which may change, and the breakers it may share."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..providers.base import ChatProvider
from ..providers.breaker import Tolerance
from ..providers.breakers import BreakerBook
from ..providers.gateway import OPENAI_WIRE, Gateway
from ..providers.keyring import Keyring
from ..providers.native import native_providers
from ..providers.openai_compatible import OpenAICompatible
from ..providers.shared_breakers import sharing
from ..providers.wire.client import VendorClient
from ..state.redis_link import RedisLink, redis_link
from .key_files import following_keys, read_keys
from .settings import ENV_FILE, Settings, read_environment


@dataclass(frozen=True, slots=True)
class Access:
    """Opened once a gateway."""

    environ: Mapping[str, str]
    """The environment, `.env` and the keys file, as they were at start."""
    keyring: Keyring
    breakers: BreakerBook
    redis: RedisLink | None
    """What replicas share beside the database; None where none is set."""

    def gateway(self, client: VendorClient) -> Gateway:
        """Return a gateway that speaks every dialect."""
        return Gateway(speakers(client), self.keyring, breakers=self.breakers)


def speakers(client: VendorClient) -> Mapping[str, ChatProvider]:
    """Return a provider of every dialect, by its name."""
    return {OPENAI_WIRE: OpenAICompatible(client), **native_providers()}


@asynccontextmanager
async def open_access(settings: Settings, environ: Mapping[str, str] | None) -> AsyncIterator[Access]:
    """Read the keys and follow their files, and open Redis, while the block runs.

    Parameters
    ----------
    environ
        Where keys are besides the keys file; None = the environment and `.env`, which is followed as well.

    Raises
    ------
    ConfigError
        The keys file cannot be read, or the Redis is none.
    """

    def read() -> dict[str, str]:
        given = read_environment() if environ is None else environ
        return {**given, **read_keys(settings.keys_file)}

    files = (*((ENV_FILE,) if environ is None else ()), *settings.keys_files)
    found = await asyncio.to_thread(read)
    keyring = Keyring(found)
    breakers = BreakerBook(Tolerance(failures=settings.breaker_failures, rest_s=settings.breaker_rest_s))
    async with (
        following_keys(keyring, read, files),
        redis_link(settings.redis_url) as link,
        sharing(link, breakers),
    ):
        yield Access(found, keyring, breakers, link)
