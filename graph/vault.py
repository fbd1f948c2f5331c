"""Encryption of the provider keys that orgs bring along: Fernet (AES-128 and HMAC-SHA-256) under a master key."""

import json
from typing import TYPE_CHECKING

from ..state.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

NO_MASTER_KEY = (
    "this gateway keeps no provider keys: it has no master key (X25_BYOK_KEY; x25 keys master prints one)"
)


class Unreadable(ConfigError):
    """A key that is kept cannot be decrypted, or belongs to somebody else."""

    code = "provider_key_unreadable"


class Vault:
    """Seals and opens keys. What is sealed names its org and provider, so that a row copied elsewhere opens nothing.

    Parameters
    ----------
    master_keys
        32 bytes each in URL-safe Base64, separated by commas; the first one seals, all open. Empty = nothing is sealed.

    Raises
    ------
    ConfigError
        When one of them is no such key; it is not repeated.
    """

    def __init__(self, master_keys: str) -> None:
        self._fernet: MultiFernet | None = _fernet(master_keys) if master_keys.strip() else None

    @property
    def is_open(self) -> bool:
        """Whether there is a master key."""
        return self._fernet is not None

    def seal(self, org: str, provider: str, secret: str) -> bytes:
        """Return a key encrypted; InvalidRequest where there is no master key."""
        if self._fernet is None:
            raise InvalidRequest(NO_MASTER_KEY, field="api_key")
        return self._fernet.encrypt(json.dumps([org, provider, secret]).encode())

    def unseal(self, org: str, provider: str, sealed: bytes) -> str:
        """Return the key that was sealed for this org and provider; Unreadable where it was not, or not by us."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - loaded with the master key

        if self._fernet is None:
            raise Unreadable(NO_MASTER_KEY)
        try:
            owner, name, secret = json.loads(self._fernet.decrypt(sealed))
        except (InvalidToken, ValueError) as error:
            raise Unreadable("no master key of X25_BYOK_KEY opens it") from error
        if (owner, name) != (org, provider):
            raise Unreadable("it was sealed for another org or provider")
        return str(secret)


def new_master_key() -> str:
    """Return a new master key."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - loaded where one is needed

    return Fernet.generate_key().decode()


def _fernet(master_keys: str) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - only where there is a master key

    try:
        return MultiFernet([Fernet(one.strip()) for one in master_keys.split(",") if one.strip()])
    except ValueError:
        raise ConfigError(
            "X25_BYOK_KEY must be 32 bytes in URL-safe Base64, or several separated by commas; "
            "x25 keys master prints a new one"
        ) from None
