"""Browsers that somebody signed in with before: what others guess meanwhile does not keep these out."""

import hmac
import secrets
from hashlib import sha256

from ..state.accounts import Account

DEVICE_COOKIE = "x25_device"
LASTS_S = 365 * 86_400
_SEPARATOR = "."


def new_device(account: Account) -> str:
    """Return what a browser is given when somebody signs in; another password makes it worthless."""
    name = secrets.token_urlsafe(16)
    return f"{name}{_SEPARATOR}{_signature(account, name)}"


def device_of(account: Account | None, shown: str | None) -> str | None:
    """Return the name of the device that a browser shows, where this account was signed in with it; else None."""
    if account is None or not shown:
        return None
    name, _, signature = shown.partition(_SEPARATOR)
    right = _signature(account, name)
    return name if hmac.compare_digest(right.encode(), signature.encode()) else None


def _signature(account: Account, name: str) -> str:
    # The hash holds sixteen random bytes that nobody outside the store has, so the password cannot be tried by this.
    written = f"{account.account_id}:{name}".encode()
    return hmac.new(account.password_hash.encode(), written, sha256).hexdigest()
