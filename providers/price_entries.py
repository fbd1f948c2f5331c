"""What may be written of a model's prices: usual ones, and times of day with others."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .price_parts import NO_PARTS, LongPrompt, PartPrices
from .windows import MINUTES_PER_DAY, PRICE_NAMES, WEEKDAYS, PriceWindow, Weekday, zone_of
from .written import Number, Several, Written, wrong

PART_NAMES = (
    "image_input_usd_per_mtok", "audio_output_usd_per_mtok", "reasoning_usd_per_mtok", "cache_write_usd_per_mtok",
    "cache_write_1h_usd_per_mtok",
)  # fmt: skip


def _minute(value: Any) -> Any:
    """Return minutes after midnight of "HH:MM"; YAML reads 10:00 without quotes as the number 600, base sixty."""
    hours, _, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not (len(minutes) == 2 and (hours + minutes).isdecimal() and int(minutes) < 60):
        return value
    return int(hours) * 60 + int(minutes)


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no time zone is called {name!r}") from error
    return name


Minute = Annotated[
    int,
    Field(ge=0, lt=MINUTES_PER_DAY, description='a time of day such as "09:30"'),
    BeforeValidator(_minute),
]
Zone = Annotated[
    str,
    Field(description='a time zone such as "UTC" or "Asia/Shanghai"'),
    AfterValidator(_known_zone),
]


class WindowEntry(Written):
    """A time of day with other prices than the usual ones."""

    start: Minute
    end: Minute
    days: Annotated[Several[Weekday], Field(description=f"a list of some of {', '.join(WEEKDAYS)}")] = ()
    input_usd_per_mtok: Number | None = None
    output_usd_per_mtok: Number | None = None
    cached_input_usd_per_mtok: Number | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a window that is empty or changes no price."""
        if self.start == self.end:
            raise wrong("end", expected="another time than start")
        if all(price is None for price in self.prices.values()):
            raise wrong("input_usd_per_mtok", expected="a price, here or for output: a window changes one")
        return self

    @property
    def prices(self) -> dict[str, Decimal | None]:
        """Its prices by name."""
        return {name: getattr(self, name) for name in PRICE_NAMES}

    def window(self, zone: str) -> PriceWindow:
        """Return it on the clock of a time zone."""
        days = frozenset(WEEKDAYS.index(day) for day in self.days or WEEKDAYS)
        return PriceWindow(self.start, self.end, zone, days, **self.prices)


class LongPromptEntry(Written):
    """What requests with a long prompt cost; all of their tokens do."""

    above_tokens: Annotated[int, Field(ge=1, description="a whole number of tokens")]
    input_usd_per_mtok: Number
    output_usd_per_mtok: Number
    cached_input_usd_per_mtok: Number | None = None


class Prices(Written):
    """US dollars per million tokens; null or absent = not known."""

    input_usd_per_mtok: Number | None = None
    cached_input_usd_per_mtok: Number | None = None
    output_usd_per_mtok: Number | None = None
    audio_input_usd_per_mtok: Number | None = None
    image_input_usd_per_mtok: Number | None = None
    audio_output_usd_per_mtok: Number | None = None
    reasoning_usd_per_mtok: Number | None = None
    cache_write_usd_per_mtok: Number | None = None
    cache_write_1h_usd_per_mtok: Number | None = None
    long_prompt: LongPromptEntry | None = None
    time_zone: Zone | None = None
    windows: Annotated[
        Several[WindowEntry] | None,
        Field(min_length=1, description="a list with at least one entry"),
    ] = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse windows without a time zone or usual prices, and windows that overlap."""
        if self.windows is None:
            if self.time_zone is not None:
                raise wrong("time_zone", expected="absent without windows")
            return self
        if self.time_zone is None:
            raise wrong("time_zone", expected='a time zone such as "UTC" or "Asia/Shanghai"')
        if self.input_usd_per_mtok is None or self.output_usd_per_mtok is None:
            raise wrong("windows", expected="absent while the usual price is not known")
        spans = sorted(span for window in self.price_windows() for span in window.spans())
        if any(start < end for (_, end), (start, _) in pairwise(spans)):
            raise wrong("windows", expected="windows that do not overlap")
        return self

    @property
    def is_free(self) -> bool:
        """Whether input and output are known to cost nothing."""
        return self.input_usd_per_mtok == self.output_usd_per_mtok == 0

    @property
    def parts(self) -> PartPrices:
        """Prices of parts of a request; none where none is written."""
        written = {name: getattr(self, name) for name in PART_NAMES}
        return NO_PARTS if set(written.values()) == {None} else PartPrices(**written)

    def for_long_prompts(self) -> LongPrompt | None:
        """Return the prices of requests with a long prompt."""
        long = self.long_prompt
        if long is None:
            return None
        prices = {name: getattr(long, name) for name in PRICE_NAMES}
        return LongPrompt(above_tokens=long.above_tokens, **prices)

    def price_windows(self) -> tuple[PriceWindow, ...]:
        """Return its windows."""
        return tuple(entry.window(self.time_zone or "UTC") for entry in self.windows or ())

    def named(self) -> dict[tuple[str | int, ...], Decimal | None]:
        """Return every price by the place where it is written, below `prices`."""
        usual: dict[tuple[str | int, ...], Decimal | None] = {
            (name,): getattr(self, name) for name in PRICE_NAMES
        }
        usual |= {(name,): getattr(self, name) for name in PART_NAMES}
        if (long := self.long_prompt) is not None:
            usual |= {("long_prompt", name): getattr(long, name) for name in PRICE_NAMES}
        for index, window in enumerate(self.windows or ()):
            usual |= {("windows", index, name): price for name, price in window.prices.items()}
        return usual
