"""An API key as it is kept, and what a key may do."""

from dataclasses import dataclass
from datetime import datetime

from .ceilings import Ceilings
from .rates import Rates

SCOPES = {
    "call": "make calls",
    "read": "read the org's reports and settings",
    "feedback": "say how answers turned out",
    "improve": "make training data of the org's calls, and register the model that came of it",
    "settings": "change the org's settings",
    "keys": "create, list, renew and revoke keys of the org",
}
DEFAULT_SCOPES = ("call", "read", "feedback")
"""What a key may do where nothing is said."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as stored: its hash, never the key."""

    key_id: str
    org: str
    key_hash: str
    created_at: datetime
    rate_limit_rpm: int = 0
    """Calls per minute, 0 = unlimited."""
    revoked_at: datetime | None = None
    is_admin: bool = False
    """Whether it may do everything for every org; its calls are its own org's all the same."""
    family: str = ""
    """Id of the first of the keys that renewed each other: limit and ceilings are of all of them together."""
    prefix: str = ""
    """How the key begins, to be told by; empty for one from before that was kept."""
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    """Of `SCOPES`."""
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute."""
    call_nusd: int | None = None
    day_nusd: int | None = None
    month_nusd: int | None = None
    tokens_per_minute: int = 0
    """Of prompts and answers, 0 = unlimited."""
    concurrent_calls: int = 0
    """Calls under way at once, 0 = unlimited."""
    day_tokens: int | None = None
    month_tokens: int | None = None

    @property
    def rates(self) -> Rates:
        """How often and how much at once it may be used."""
        return Rates(self.rate_limit_rpm, self.tokens_per_minute, self.concurrent_calls)

    @property
    def ceilings(self) -> Ceilings:
        """What its calls may cost."""
        return Ceilings(self.call_nusd, self.day_nusd, self.month_nusd, self.day_tokens, self.month_tokens)

    def was_good_until(self, moment: datetime) -> bool:
        """Return whether it was neither revoked nor over before a moment."""
        return all(end is None or end >= moment for end in (self.revoked_at, self.expires_at))

    def may(self, scope: str) -> bool:
        """Return whether it has the scope."""
        return self.is_admin or scope in self.scopes
