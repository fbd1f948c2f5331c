"""What an org may set for its calls, and what that means for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ...state.ceilings import Ceilings
from ...state.complaints import complain
from ...state.errors import InvalidRequest
from ...state.org_wishes import OrgWishes
from ...state.rates import MOST_A_MINUTE, Rates
from ...state.records import nusd_from_usd
from .policy import LEAST_BUDGET_USD, MOST_BUDGET_USD
from .weights import normalise

AUTO = "auto"
GROUPS = ("budgets", "limits")
"""Settings that are made of several."""
MOST_TOKENS = 10**12
_Budget = Annotated[
    float,
    Field(
        strict=True, allow_inf_nan=False, ge=LEAST_BUDGET_USD, le=MOST_BUDGET_USD,
        description="a number of US dollars above 0, at most 1,000,000",
    ),
]  # fmt: skip
_Share = Annotated[
    float, Field(strict=True, allow_inf_nan=False, ge=0, le=1, description="a number between 0 and 1")
]
_Requests = Annotated[
    int,
    Field(strict=True, ge=1, le=MOST_A_MINUTE, description="a whole number from 1 to 1,000,000"),
]  # fmt: skip
_Tokens = Annotated[
    int,
    Field(
        strict=True, ge=1, le=MOST_TOKENS, description="a whole number of tokens from 1 to 1,000,000,000,000"
    ),
]  # fmt: skip
_Days = Annotated[
    float,
    Field(strict=True, allow_inf_nan=False, gt=0, le=36_500, description="a number of days above 0, at most 36,500"),
]  # fmt: skip
_Seconds = Annotated[
    float,
    Field(strict=True, allow_inf_nan=False, gt=0, le=2_592_000, description="seconds above 0, at most 30 days"),
]  # fmt: skip
_ModelName = Annotated[str, Field(strict=True, min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Allowed:
    """US dollars that may be spent, answers and judgements together; None = no ceiling."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    usd_per_call: _Budget | None = None
    usd_per_day: _Budget | None = None
    """Of a UTC day."""
    usd_per_month: _Budget | None = None
    """Of a UTC month."""

    @property
    def ceilings(self) -> Ceilings:
        """The same in nano-dollars."""
        return Ceilings(*(
            None if usd is None else nusd_from_usd(usd)
            for usd in (self.usd_per_call, self.usd_per_day, self.usd_per_month)
        ))  # fmt: skip


@dataclass(frozen=True, slots=True)
class AllowedUse:
    """How often, how much and how many at once; None = no limit."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    requests_per_minute: _Requests | None = None
    tokens_per_minute: _Tokens | None = None
    """Of prompts and answers."""
    concurrent_calls: _Requests | None = None
    tokens_per_day: _Tokens | None = None
    """Of a UTC day; judges' tokens do not count."""
    tokens_per_month: _Tokens | None = None
    """Of a UTC month."""

    @classmethod
    def parse(cls, mapping: Any) -> "AllowedUse":
        """Return what somebody wrote; InvalidRequest where it breaks a rule."""
        return OrgSettings.parse({"limits": mapping}).limits

    @property
    def rates(self) -> Rates:
        """What holds of a minute and at once."""
        return Rates(self.requests_per_minute or 0, self.tokens_per_minute or 0, self.concurrent_calls or 0)


@dataclass(frozen=True, slots=True)
class OrgSettings:
    """What an org set; None and empty = as the gateway and the request say."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    optimize_for: Annotated[Any, Field(description="weights for cost, quality and latency, or a preset")] = (
        None
    )
    """Of calls that name none."""
    quality_bar: _Share | None = None
    """Of calls whose policy names none."""
    judge: Annotated[_ModelName | None, Field(description="auto, none, or the id of a judge's model")] = None
    privacy: Annotated[
        Literal["hashes", "inputs", "prompts"] | None, Field(description="one of hashes, inputs, prompts")
    ] = None
    """The most that is kept of a prompt."""
    retention_days: _Days | None = None
    """After how many days prompts, answers, vectors and checkpoints are deleted."""
    reference_model: Annotated[_ModelName | None, Field(description="the id of a model")] = None
    """What savings are measured against."""
    mode: Annotated[
        Literal["proxy", "cache", "full"] | None, Field(description="one of proxy, cache, full")
    ] = None
    """Of calls that name none: see `routing.plan.caching`."""
    cache: Annotated[Literal["off", "exact", "near"] | None, Field(description="one of off, exact, near")] = (
        None
    )
    """Which answers are given again: none, whoever asks; those to the very request; those to other words, too."""
    cache_ttl_s: _Seconds | None = None
    """How long an answer is given again."""
    budgets: Allowed = field(default_factory=Allowed)
    """What all calls of the org may cost, whichever key makes them."""
    limits: AllowedUse = field(default_factory=AllowedUse)
    """How often they may be made, and of how many tokens."""

    @classmethod
    def parse(cls, mapping: Any) -> "OrgSettings":
        """Return the settings somebody wrote; what is absent or null is not set.

        Raises
        ------
        InvalidRequest
            If a key is unknown or a value of the wrong type or range; `field` names it.
        """
        if not isinstance(mapping, Mapping):
            raise InvalidRequest(f"settings must be an object, got {mapping!r}", field="body")
        given = {key: value for key, value in mapping.items() if value is not None}
        try:
            settings = _FORMAT.validate_python(given)
        except ValidationError as error:
            wrong = complain(error.errors(), _FORMAT.json_schema(), mapping)
            problem = (
                f"is unknown; {wrong.hint}" if wrong.hint else f"must be {wrong.expected}, got {wrong.got}"
            )
            raise InvalidRequest(f"{wrong.place} {problem}", field=wrong.place or "body") from error
        if settings.optimize_for is not None:
            normalise(settings.optimize_for)
        return settings

    def to_json(self) -> dict[str, Any]:
        """Return every setting as the wire spells it; null = not set."""
        written: dict[str, Any] = _FORMAT.dump_python(self, mode="json")
        return written

    def kept(self) -> dict[str, Any]:
        """Return what is set, and nothing else."""
        written = {name: value for name, value in self.to_json().items() if value is not None}
        for group in GROUPS:
            inner = {name: value for name, value in written.pop(group).items() if value is not None}
            written |= {group: inner} if inner else {}
        return written

    @property
    def ceilings(self) -> Ceilings:
        """What all calls of the org may cost and take."""
        limits = self.limits
        return replace(
            self.budgets.ceilings, day_tokens=limits.tokens_per_day, month_tokens=limits.tokens_per_month
        )

    @property
    def wishes(self) -> OrgWishes:
        """What a call of the org carries with it."""
        return OrgWishes(
            quality_bar=self.quality_bar,
            judge=None if self.judge == AUTO else self.judge,
            privacy=self.privacy,
            reference_model=self.reference_model,
        )


_FORMAT = TypeAdapter(OrgSettings)


def merged(current: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with some changed: null unsets one, budgets and limits are merged one by one (RFC 7396)."""
    result = dict(current)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif name in GROUPS and isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[name] = value
    return result
