"""How often somebody may ask, for how many tokens a minute, how many calls at once: limits, and where they stand.

A call takes a slot of each owner that is limited, its org and its key's family, all or none. It asks for the tokens it
is estimated to take, at most the limit: one that alone is larger is let in once nothing else is in the last minute.
What it took in fact is written in their place when it ends, so that those after it wait the longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from .errors import InvalidRequest

MINUTE = timedelta(minutes=1)
MOST_A_MINUTE = 1_000_000
MOST_TOKENS_A_MINUTE = 1_000_000_000
MOST = {
    "requests_per_minute": MOST_A_MINUTE,
    "tokens_per_minute": MOST_TOKENS_A_MINUTE,
    "concurrent_calls": MOST_A_MINUTE,
}
BUSY_RETRY_S = 1
"""When to ask again where as many calls are under way as may be: nobody knows when the first will end."""


RATE_HEADERS = tuple(
    f"x-ratelimit-{what}-{name}"
    for name in ("requests", "tokens")
    for what in ("limit", "remaining", "reset")
)
"""Headers that OpenAI's clients know of; calls at once have the first two of their own."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What is allowed; 0 = anything."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrent_calls: int = 0

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return bool(self.requests_per_minute or self.tokens_per_minute or self.concurrent_calls)

    def check(self) -> None:
        """Raise InvalidRequest, naming the limit, where one is out of the range that the tables can hold."""
        for name, most in MOST.items():
            if not 0 <= (got := getattr(self, name)) <= most:
                raise InvalidRequest(
                    f"{name} must be a whole number from 0 (no limit) to {most:,}, got {got!r}"[:300],
                    field=name,
                )


NO_RATES = Rates()


@dataclass(frozen=True, slots=True)
class Limited:
    """Somebody whose calls are limited."""

    org: str
    owner: str
    """"org", or "key:" and the id of a family of keys."""
    rates: Rates

    def __str__(self) -> str:
        """Return what a refusal calls it."""
        return "this org" if self.owner == "org" else "this key"


@dataclass(frozen=True, slots=True)
class Slot:
    """A call's place in what is counted."""

    slot_id: str
    owners: tuple[Limited, ...]
    tokens: int
    """Those it is estimated to take."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one owner stood once a call was let in, or refused."""

    limited: Limited
    requests: int
    """In the last minute."""
    tokens: int
    under_way: int

    def without(self, slots: Sequence[Slot]) -> "Standing":
        """Return where it stands once some of the slots that it counts were given back."""
        tokens = sum(asked_tokens(self.limited.rates, slot.tokens) for slot in slots)
        return replace(
            self,
            requests=self.requests - len(slots),
            tokens=self.tokens - tokens,
            under_way=self.under_way - len(slots),
        )

    def headers(self) -> dict[str, str]:
        """Return it in the headers that OpenAI's clients know (https://platform.openai.com/docs/guides/rate-limits)."""
        rates, told = self.limited.rates, {}
        for name, limit, used in (
            ("requests", rates.requests_per_minute, self.requests),
            ("tokens", rates.tokens_per_minute, self.tokens),
            ("concurrent", rates.concurrent_calls, self.under_way),
        ):
            if limit:
                told[f"x-ratelimit-limit-{name}"] = str(limit)
                told[f"x-ratelimit-remaining-{name}"] = str(max(0, limit - used))
                if name != "concurrent":
                    told[f"x-ratelimit-reset-{name}"] = f"{MINUTE.seconds}s"
        return told


def headers_of(standings: Sequence[Standing]) -> dict[str, str]:
    """Return the headers of all owners; where two limit the same thing, those of the one that leaves less."""
    told: dict[str, str] = {}
    for one in standings:
        new = one.headers()
        for name in ("requests", "tokens", "concurrent"):
            key = f"x-ratelimit-remaining-{name}"
            if key in new and int(new[key]) < int(told.get(key, MOST_TOKENS_A_MINUTE)):
                told |= {header: value for header, value in new.items() if header.endswith(f"-{name}")}
    return told


def refusal(standing: Standing, tokens: int) -> str | None:
    """Return what a further call of so many tokens would break, in words; None where it may come in."""
    rates, who = standing.limited.rates, standing.limited
    if rates.requests_per_minute and standing.requests >= rates.requests_per_minute:
        return f"{who} may ask {rates.requests_per_minute} times a minute"
    if rates.tokens_per_minute and standing.tokens + asked_tokens(rates, tokens) > rates.tokens_per_minute:
        return (
            f"{who} may take {rates.tokens_per_minute} tokens a minute, of which {standing.tokens} are taken"
        )
    if rates.concurrent_calls and standing.under_way >= rates.concurrent_calls:
        return f"{who} may have {rates.concurrent_calls} calls under way at once"
    return None


def beyond(owners: Sequence[Limited], tokens: Sequence[int]) -> str | None:
    """Return what calls of so many tokens each break if they are made at once, whatever else is; None = nothing."""
    for who in owners:
        rates, wanted = who.rates, len(tokens)
        if 0 < rates.requests_per_minute < wanted:
            return f"{who} may ask {rates.requests_per_minute} times a minute"
        if 0 < rates.concurrent_calls < wanted:
            return f"{who} may have {rates.concurrent_calls} calls under way at once"
        if 0 < rates.tokens_per_minute < sum(asked_tokens(rates, one) for one in tokens):
            return f"{who} may take {rates.tokens_per_minute} tokens a minute"
    return None


def asked_tokens(rates: Rates, tokens: int) -> int:
    """Return what a call of so many tokens asks for; one above the limit has to wait for an empty minute."""
    return min(tokens, rates.tokens_per_minute) if rates.tokens_per_minute else tokens


def slot_name(holder: str, name: str) -> str:
    """Return the id of a slot that a process holds, as `leases` calls it."""
    return f"{holder}.{name}"


class RateCounts(Protocol):
    """Where slots are counted, for all gateways together."""

    async def take(self, slot: Slot, lasts_s: float) -> list[Standing]:
        """Give a call its slots, all or none; those of a call that is never ended are free after `lasts_s`.

        Raises
        ------
        TooManyRequests
            When an owner has no room; nothing is counted then.
        """
        ...

    async def end(self, slot: Slot, tokens: int) -> None:
        """Note that a call ended, and how many tokens it took."""
        ...

    async def give_back(self, slot: Slot) -> None:
        """Forget a call that was refused before anything was done for it."""
        ...
