"""What an answer is made of: a sentence whose every figure was looked up, the rows behind it, and their source."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ...graph.run import Cascade
from ...state.queries.call_pages import CallFilter, CallLine
from ...state.queries.periods import Period, Totals, total
from ...state.queries.rollups import DaySum
from ..viewers import Viewer
from .reader import Asked

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A table; the cells of a column that holds call ids become links."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    call_ids: Sequence[tuple[str, str]] = ()
    """Org and call id of each row, where a row is a call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its receipt."""

    words: str
    source: str
    """Which query was read, of whom, for which days."""
    rows: Rows | None = None
    page: str = "observatory"
    """Where the same is shown."""
    figures: dict[str, Cell] = field(default_factory=dict)
    """What was looked up, unrounded: amounts in nano-dollars, shares from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures are looked up, and what is asked of them."""

    cascade: Cascade
    viewer: Viewer
    org: str | None
    """None = all organisations; an admin's alone."""
    asked: Asked

    def __post_init__(self) -> None:
        """Check that the viewer may see them: the last look before any query."""
        self.viewer.check(self.org)

    @property
    def whose(self) -> str:
        """The org in words."""
        return self.org or "all organisations"

    @property
    def narrowed(self) -> str:
        """What it is narrowed to in words."""
        named = [
            f" on {self.asked.model}" if self.asked.model else "",
            f" in tier {self.asked.tier}" if self.asked.tier else "",
        ]
        return "".join(named)

    @property
    def days(self) -> str:
        """The days in words."""
        period = self.asked.period
        if period.length == 1:
            return (
                f"on {period.first}"
                if self.asked.span.words == str(period.first)
                else f"{self.asked.span.words} ({period.first})"
            )
        words = self.asked.span.words
        if words == f"{period.first} to {period.last}":
            return f"from {words}"
        # A month is written with a capital: November 2026.
        start = "in " if words.startswith("the ") or words[0].isupper() else ""
        return f"{start}{words} ({period.first} to {period.last})"

    def source(self, what: str) -> str:
        """Return the receipt of a look-up over days."""
        period = self.asked.period
        return f"{what}; {self.whose}{self.narrowed}; UTC days {period.first} to {period.last}"

    async def sums(self, period: Period | None = None) -> list[DaySum]:
        """Return the sums by day and model of the period, narrowed as was asked."""
        wanted = period or self.asked.period
        found = await self.cascade.services.store.rollups.days(self.org, wanted.first, wanted.last)
        return [
            one for one in found
            if self.asked.model in (None, one.model_id) and self.asked.tier in (None, one.tier)
        ]  # fmt: skip

    async def totals(self, period: Period | None = None) -> Totals:
        """Return the sums of all these together."""
        return total(await self.sums(period))

    async def latencies(self) -> dict[int, int]:
        """Return how many timed calls lie in each bucket, narrowed as was asked."""
        asked = self.asked
        return await self.cascade.services.store.rollups.latencies(
            self.org, asked.period.first, asked.period.last, model_id=asked.model, tier=asked.tier
        )

    async def lines(self, limit: int | None = None) -> list[CallLine]:
        """Return the newest calls, narrowed as was asked."""
        pages = self.cascade.services.store.call_pages
        wanted = CallFilter(self.org, self.asked.period, self.asked.model, self.asked.tier)
        return await (pages.newest(wanted) if limit is None else pages.page(wanted, limit))


Look = Callable[[Scope], Awaitable[Answer]]
"""What looks one kind of question up."""
