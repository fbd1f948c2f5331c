"""What is known of a model: prices, limits, tier, and the ways to reach it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Literal

from ..state.errors import ConfigError
from ..state.records import nusd_from_usd
from ..state.types import JSONObject, Tier
from ..state.usage import Usage
from .price_parts import NO_PARTS, LongPrompt, PartPrices
from .profiles import Figure
from .windows import PRICE_NAMES, PriceWindow

Role = Literal["chat", "judge"]
Modality = Literal["text", "image", "audio", "video", "file"]
Dialect = Literal["openai", "anthropic", "gemini", "bedrock", "azure", "langchain"]
"""OpenAI's chat completions, a vendor's own API through its LangChain integration, or a caller's own chat models."""
UNPRICED = Decimal("NaN")
"""The price of a model whose price is unknown: a sum made with it can never pass for a cost."""
LONG_PROMPT_TOKENS, LONG_PROMPT_FACTOR = 200_000, 2
"""Longer prompts cost up to twice as much at Anthropic, Google, OpenAI and xAI, by their price lists."""
NUSD_PER_MTOK_USD = 1000
"""A dollar per million tokens is a thousand nano-dollars a token."""


SERVICE_TIER_FACTORS = {"flex": Decimal("0.5"), "priority": Decimal(2)}
"""Prices of OpenAI's classes of service relative to the usual one (https://openai.com/api/pricing): flex costs half,
priority at most twice as much."""


def service_tier_factor(service_tier: str | None) -> Decimal:
    """Return what a class of service multiplies every price by; 1 for the usual one and for unknown ones."""
    return SERVICE_TIER_FACTORS.get(service_tier or "", Decimal(1))


@dataclass(frozen=True, slots=True)
class Deployment:
    """One way to reach a model."""

    name: str
    base_url: str
    """Without a trailing slash; "/chat/completions" is appended."""
    upstream_model: str
    """The model's name at this deployment."""
    key_envs: tuple[str, ...] = ()
    """Environment variables that may hold its keys; empty = no key needed."""
    enabled_by: str | None = None
    """Environment variable that must be set for this deployment to be used; None = always."""
    idempotent: bool = False
    """A repeated request with the same `Idempotency-Key` is answered again without a second bill."""
    headers: dict[str, str] = field(default_factory=dict)
    dialect: Dialect = "openai"
    """What it speaks, and so which provider asks it."""

    def is_usable(self, environ_has_key: Callable[[str], bool]) -> bool:
        """Return whether it is switched on and a key is present where one is needed."""
        if self.enabled_by is not None and not environ_has_key(self.enabled_by):
            return False
        return not self.key_envs or any(environ_has_key(name) for name in self.key_envs)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a request may be billed for beside the tokens of its prompt and of its limited answer."""

    service_tier: str | None = None
    """The vendor's class of service that is asked for."""
    output_tokens: int = 0
    """Output beyond the limit on the answer."""
    has_audio: bool = False
    """Whether the prompt holds sound: all of it then counts at the dearer of both input prices."""


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model. Prices are US dollars per million tokens."""

    model_id: str
    provider: str
    tier: Tier
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    context_tokens: int
    max_output_tokens: int
    expected_latency_ms: float
    expected_output_tokens: int
    deployments: tuple[Deployment, ...]
    cached_input_usd_per_mtok: Decimal | None = None
    """None = cached tokens are charged as any other input."""
    audio_input_usd_per_mtok: Decimal | None = None
    """What sound costs, which vendors bill apart from text; None = not known."""
    parts: PartPrices = NO_PARTS
    """Prices of images, spoken answers and thinking."""
    long_prompt: LongPrompt | None = None
    """Prices of requests with a long prompt; None = not known to differ."""
    modalities: frozenset[str] = frozenset({"text"})
    capabilities: frozenset[str] = frozenset()
    benchmarks: dict[str, float | None] = field(default_factory=dict)
    """Published scores, 0 to 100; None = unknown."""
    figures: dict[str, Figure] = field(default_factory=dict)
    """The known ones of them with their sources."""
    aliases: tuple[str, ...] = ()
    role: Role = "chat"
    """Judges are never candidates for an answer."""
    simulated: bool = False
    simulation: JSONObject | None = None
    """How the simulator plays this model; only for simulated ones."""
    sources: tuple[dict[str, str], ...] = ()
    """Where the figures come from: url, date, what."""
    as_of: str = ""
    """Date of the figures, ISO 8601."""
    notes: str = ""
    price_windows: tuple[PriceWindow, ...] = ()
    """Times of day with other prices; the plain ones hold outside."""
    owner: str = ""
    """Org that alone may ask it; empty = everybody."""
    measured_quality: float | None = None
    """Share of its owner's held-out prompts it answered well, 0 to 1; None = not measured."""
    measured_at: float = 0.0
    """Difficulty of the prompts that was measured on, logits."""

    @property
    def known_as(self) -> str:
        """What is remembered of it under: two orgs may have given one id to models of their own."""
        return f"{self.owner}:{self.model_id}" if self.owner else self.model_id

    def priced_at(self, now: datetime) -> "ModelSpec":
        """Return a copy with the prices of that moment and no windows; itself where the price never changes.

        Raises
        ------
        ValueError
            If `now` has no time zone.
        """
        if not self.price_windows:
            return self
        return self._within(next((window for window in self.price_windows if window.holds(now)), None))

    def _within(self, window: PriceWindow | None) -> "ModelSpec":
        if window is None:
            return replace(self, price_windows=())
        changed = {name: getattr(window, name) for name in PRICE_NAMES}
        if changed["input_usd_per_mtok"] is not None and changed["cached_input_usd_per_mtok"] is None:
            # A cached price that no one wrote for the window would be a guess: cached input costs as any other.
            changed["cached_input_usd_per_mtok"] = changed["input_usd_per_mtok"]
        given = {name: price for name, price in changed.items() if price is not None}
        return replace(self, price_windows=(), **given)

    @property
    def priced(self) -> bool:
        """Whether its prices are known; without them it is never routed to."""
        return not (self.input_usd_per_mtok.is_nan() or self.output_usd_per_mtok.is_nan())

    @property
    def capability(self) -> float | None:
        """Mean of the known scores on GPQA Diamond and LiveCodeBench, 0 to 1; None when neither is known."""
        scores = [self.benchmarks.get(name) for name in ("gpqa_diamond", "livecodebench")]
        known = [score for score in scores if score is not None]
        return sum(known) / len(known) / 100.0 if known else None

    def cost_nusd(self, usage: Usage) -> int:
        """Return the exact cost of `usage` at these prices, rounded half to even to a nano-dollar.

        Reasoning tokens are part of the completion tokens and are charged once, as are sound and images in a prompt.

        Raises
        ------
        ConfigError
            The model has no price.
        """
        fresh = usage.prompt_tokens - usage.cached_tokens
        spec = self._for_prompt_of(usage.prompt_tokens)
        exact = spec._exact_nusd(fresh, usage.cached_tokens, usage.completion_tokens)  # noqa: SLF001 - its own kind
        surplus = spec.parts.surplus(
            usage,
            paid=spec.input_usd_per_mtok,
            answered=spec.output_usd_per_mtok,
            sound=spec.audio_input_usd_per_mtok,
            usual=self.input_usd_per_mtok,
        )
        exact += surplus * NUSD_PER_MTOK_USD
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def charge_nusd(
        self, usage: Usage, service_tier: str | None = None
    ) -> tuple[int, Literal["reported", "computed"]]:
        """Return what a completion cost, and its source: the provider's own bill wins over these prices.

        A bill of nothing for tokens that have a price is no bill: some aggregators report 0 for what they do not know.
        """
        computed = self.cost_nusd(usage)
        if usage.reported_cost_usd is not None and (usage.reported_cost_usd > 0 or computed == 0):
            return nusd_from_usd(usage.reported_cost_usd), "reported"
        exact = computed * service_tier_factor(service_tier)
        return int(exact.to_integral_value(ROUND_HALF_EVEN)), "computed"

    def expected_cost_nusd(
        self, prompt_tokens: int, max_tokens: int | None = None, cached_tokens: int = 0
    ) -> int:
        """Return the cost of a typical answer, at most `max_tokens` long, with so many tokens read from a cache."""
        output = self.expected_output_tokens
        output = output if max_tokens is None else min(output, max_tokens)
        exact = self._exact_nusd(prompt_tokens - cached_tokens, cached_tokens, output)
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def bound_cost_nusd(
        self, prompt_tokens_bound: int, max_output_tokens: int | None = None, extras: Extras = NO_EXTRAS
    ) -> int:
        """Return what a request costs at most, rounded up, at its dearest time of day.

        The answer is limited by the model in any case. A long prompt counts at the vendors' surcharge. Asking for a
        cheaper class of service may bring the usual one; "auto" may bring the dearest.
        """
        limit = self.max_output_tokens
        output = limit if max_output_tokens is None else min(limit, max_output_tokens)
        dearest = max(
            spec._exact_nusd(fresh, prompt_tokens_bound - fresh, output + extras.output_tokens)  # noqa: SLF001 - its own kind
            for spec in (one._for_sound() if extras.has_audio else one for one in self._priced_at_worst())  # noqa: SLF001
            for fresh in (0, prompt_tokens_bound)
        )
        factor = self._surcharge(prompt_tokens_bound, extras.service_tier)
        return int((dearest * factor).to_integral_value(ROUND_CEILING))

    def affordable_tokens(
        self, left_nusd: int, prompt_tokens_bound: int, max_output_tokens: int, extras: Extras = NO_EXTRAS
    ) -> int:
        """Return how many tokens of answer `left_nusd` pays for in any case, at most `max_output_tokens`.

        At least 1: whether a model can be afforded at all is decided before.
        """
        before = self.bound_cost_nusd(prompt_tokens_bound, 0, extras)
        dearest = max(spec.output_usd_per_mtok for spec in self._priced_at_worst())
        if dearest == 0:
            return max_output_tokens
        price_nusd = dearest * NUSD_PER_MTOK_USD * self._surcharge(prompt_tokens_bound, extras.service_tier)
        return max(1, min(max_output_tokens, int((left_nusd - before) / price_nusd)))

    def _priced_at_worst(self) -> "tuple[ModelSpec, ...]":
        """Return it with the prices of each time of day, short prompts and long ones, for the dearest kind of token."""
        usual = (self, *map(self._within, self.price_windows))
        if self.parts is NO_PARTS and self.long_prompt is None:
            return usual
        return tuple(
            replace(
                one,
                input_usd_per_mtok=self.parts.dearest_input(one.input_usd_per_mtok, self.input_usd_per_mtok),
                output_usd_per_mtok=self.parts.dearest_output(one.output_usd_per_mtok),
            )
            for one in (*usual, *(one._for_prompt_of(self.context_tokens) for one in usual))  # noqa: SLF001
        )

    def _for_prompt_of(self, tokens: int) -> "ModelSpec":
        """Return it with the prices of a prompt of so many tokens; those of long ones hold at any time of day."""
        long = self.long_prompt
        if long is None or tokens <= long.above_tokens:
            return self
        return replace(
            self,
            input_usd_per_mtok=long.input_usd_per_mtok,
            output_usd_per_mtok=long.output_usd_per_mtok,
            cached_input_usd_per_mtok=long.cached_input_usd_per_mtok,
        )

    def with_base_url(self, url: str) -> "ModelSpec":
        """Return a copy whose deployments are all reached at `url`."""
        base_url = url.rstrip("/")
        aimed = tuple(replace(deployment, base_url=base_url) for deployment in self.deployments)
        return replace(self, deployments=aimed)

    def _surcharge(self, prompt_tokens: int, service_tier: str | None) -> Decimal:
        asked = "priority" if service_tier == "auto" else service_tier
        factor = max(Decimal(1), service_tier_factor(asked))
        # A bound counts bytes: one beyond the window says nothing of how long the prompt is.
        is_long = self.long_prompt is None and min(prompt_tokens, self.context_tokens) > LONG_PROMPT_TOKENS
        return factor * LONG_PROMPT_FACTOR if is_long else factor

    def _for_sound(self) -> "ModelSpec":
        dearer = max(self.input_usd_per_mtok, self.audio_input_usd_per_mtok or Decimal(0))
        return replace(self, input_usd_per_mtok=dearer, cached_input_usd_per_mtok=None)

    def _exact_nusd(self, fresh_tokens: int, cached_tokens: int, output_tokens: int) -> Decimal:
        if not self.priced:
            raise ConfigError(f"{self.model_id} has no price, so nothing can be charged for it")
        cached_price = self.cached_input_usd_per_mtok
        if cached_price is None:
            cached_price = self.input_usd_per_mtok
        usd_times_mtok = (
            fresh_tokens * self.input_usd_per_mtok
            + cached_tokens * cached_price
            + output_tokens * self.output_usd_per_mtok
        )
        return usd_times_mtok * NUSD_PER_MTOK_USD
