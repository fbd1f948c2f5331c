"""Registry files: what may be written of a model, and the `ModelSpec` it becomes."""

from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Self, get_args
from zoneinfo import ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from ..state.types import TIERS, JSONObject, Tier
from .profiles import ProfileEntry
from .specs import UNPRICED, Deployment, Modality, ModelSpec, Role
from .windows import MINUTES_PER_DAY, PRICE_NAMES, WEEKDAYS, PriceWindow, Weekday, zone_of
from .written import Count, DateText, Flag, Number, Several, Text, Texts, Written, parse, wrong


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


class Prices(Written):
    """US dollars per million tokens; null or absent = not known."""

    input_usd_per_mtok: Number | None = None
    cached_input_usd_per_mtok: Number | None = None
    output_usd_per_mtok: Number | None = None
    audio_input_usd_per_mtok: Number | None = None
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

    def price_windows(self) -> tuple[PriceWindow, ...]:
        """Return its windows."""
        return tuple(entry.window(self.time_zone or "UTC") for entry in self.windows or ())

    def named(self) -> dict[tuple[str | int, ...], Decimal | None]:
        """Return every price by the place where it is written, below `prices`."""
        usual: dict[tuple[str | int, ...], Decimal | None] = {
            (name,): getattr(self, name) for name in PRICE_NAMES
        }
        for index, window in enumerate(self.windows or ()):
            usual |= {("windows", index, name): price for name, price in window.prices.items()}
        return usual


class Expected(Written):
    """What an answer is like, as far as anybody can tell before the first."""

    latency_ms: Number
    output_tokens: Count


class DeploymentEntry(Written):
    """One way to reach the model."""

    name: Text
    base_url: Text
    key_env: Annotated[
        Texts, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
    ] = ()
    model: Text | None = None
    idempotent: Flag = False
    headers: dict[str, Text] | None = None
    enabled_by: Text | None = None

    def deployment(self, model_id: str) -> Deployment:
        """Return it; it speaks the model's own name unless it is told another."""
        return Deployment(
            name=self.name,
            base_url=self.base_url.rstrip("/"),
            upstream_model=self.model or model_id,
            key_envs=self.key_env,
            enabled_by=self.enabled_by,
            idempotent=self.idempotent,
            headers=self.headers or {},
        )


class ModelFile(ProfileEntry):
    """One model of the registry, with what `ProfileEntry` says of its benchmarks."""

    model_config = ConfigDict(extra="forbid")

    provider: Text
    tier: Annotated[Tier, Field(description=f"one of {', '.join(TIERS)}")]
    prices: Prices | None = None
    context_tokens: Count
    max_output_tokens: Count
    modalities: Annotated[
        Several[Modality], Field(description=f"a list of some of {', '.join(get_args(Modality))}")
    ] = ()
    capabilities: Texts = ()
    expected: Annotated[Expected, Field(description="a mapping")]
    deployments: Annotated[
        Several[DeploymentEntry], Field(min_length=1, description="a list with at least one entry")
    ]
    aliases: Texts = ()
    free: Flag = False
    role: Annotated[Role, Field(description="one of chat, judge")] = "chat"
    simulated: Flag = False
    simulation: Annotated[JSONObject | None, Field(description="a mapping")] = None
    as_of: DateText | None = None
    notes: Text | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a price of nothing that nobody meant, figures without a source, and a simulation of a real model."""
        for place, price in (self.prices or Prices()).named().items():
            if price == 0 and not self.free:
                raise wrong("prices", *place, expected="above 0, or free: true written beside it")
        if self.free and not (self.prices and self.prices.is_free):
            raise wrong("free", expected="absent or false while input or output has a price")
        if "simulation" in self.model_fields_set and not self.simulated:
            raise wrong("simulation", expected="absent unless simulated: true")
        if not self.simulated and not self.sources:
            raise wrong("sources", expected="a list with at least one entry")
        for index, source in enumerate(self.sources or ()):
            if source.date is None:
                raise wrong("sources", index, "date", expected="text")
        return self

    def spec(self) -> ModelSpec:
        """Return what is known of the model. A price that is null or absent gives one that is not `priced`."""
        prices = self.prices or Prices()
        figures = self.profile().figures
        paid, answered = prices.input_usd_per_mtok, prices.output_usd_per_mtok
        return ModelSpec(
            model_id=self.model_id,
            provider=self.provider,
            tier=self.tier,
            input_usd_per_mtok=UNPRICED if paid is None else paid,
            output_usd_per_mtok=UNPRICED if answered is None else answered,
            cached_input_usd_per_mtok=prices.cached_input_usd_per_mtok,
            audio_input_usd_per_mtok=prices.audio_input_usd_per_mtok,
            price_windows=prices.price_windows(),
            context_tokens=self.context_tokens,
            max_output_tokens=self.max_output_tokens,
            expected_latency_ms=float(self.expected.latency_ms),
            expected_output_tokens=self.expected.output_tokens,
            deployments=tuple(entry.deployment(self.model_id) for entry in self.deployments),
            modalities=frozenset(self.modalities or ("text",)),
            capabilities=frozenset(self.capabilities),
            benchmarks=self.benchmarks or {},
            figures=figures,
            aliases=self.aliases,
            role=self.role,
            simulated=self.simulated,
            simulation=self.simulation,
            sources=tuple(source.model_dump(exclude_unset=True) for source in self.sources or ()),
            as_of=self.as_of or "",
            notes=self.notes or "",
        )


def parse_model(given: Any, source: str) -> ModelSpec:
    """Return the model that one registry file holds; `source` names the file.

    Raises
    ------
    ConfigError
        A key is missing, unknown, of the wrong type or out of range; the sentence names source and key.
    """
    return parse(ModelFile, given, source).spec()
