"""What a key or an org may spend, money and tokens: set by whoever runs the gateway, and not for a caller to lift."""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["key", "org"]
Span = Literal["call", "day", "month"]


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The most that may be spent in nano-dollars, answers and judgements together; None = no ceiling."""

    call_nusd: int | None = None
    """On one call."""
    day_nusd: int | None = None
    """In a UTC day."""
    month_nusd: int | None = None
    """In a UTC month."""
    day_tokens: int | None = None
    """Tokens of prompts and answers that may be asked for in a UTC day; judges' tokens are the gateway's."""
    month_tokens: int | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.call_nusd is not None or self.spans_calls

    @property
    def spans_calls(self) -> bool:
        """Whether one of them is over several calls."""
        spans = (self.day_nusd, self.month_nusd, self.day_tokens, self.month_tokens)
        return any(one is not None for one in spans)


NO_CEILINGS = Ceilings()


@dataclass(frozen=True, slots=True)
class Imposed:
    """Whose ceilings a call is under."""

    owner: Owner
    ceilings: Ceilings
    account: str = ""
    """Of a key: what its spending is counted under, the same for a key and those it was renewed by."""

    def name(self, span: Span) -> str:
        """Return what a ceiling is called where it stands in somebody's way."""
        return ceiling_name(self.owner, span)


def ceiling_name(owner: Owner, span: Span) -> str:
    """Return the name of an owner's ceiling, such as "key_budget_usd_per_day"."""
    return f"{owner}_budget_usd_per_{span}"


def quota_name(owner: Owner, span: Span) -> str:
    """Return the name of an owner's quota of tokens, such as "key_quota_tokens_per_day"."""
    return f"{owner}_quota_tokens_per_{span}"


def is_imposed(name: str) -> bool:
    """Return whether a name, or a sentence that begins with one, is of such a ceiling or quota."""
    return name.startswith(("key_budget_usd_per_", "org_budget_usd_per_")) or is_quota(name)


def is_quota(name: str) -> bool:
    """Return whether a name, or a sentence that begins with one, is of a quota of tokens."""
    return name.startswith(("key_quota_tokens_per_", "org_quota_tokens_per_"))
