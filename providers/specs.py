"""What is known of a model: prices, limits, tier, and the ways to reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any, Literal, cast

from ..state.errors import ConfigError
from ..state.records import nusd_from_usd
from ..state.types import TIERS, JSONObject, Tier
from .base import Usage
from .fields import Fields
from .profiles import Figure, parse_profile
from .windows import PRICE_NAMES, PriceWindow, parse_windows

Role = Literal["chat", "judge"]
MODALITIES = ("text", "image", "audio", "video", "file")
UNPRICED = Decimal("NaN")
"""The price of a model whose price is unknown: a sum made with it can never pass for a cost."""
NUSD_PER_MTOK_USD = 1000
"""A dollar per million tokens is a thousand nano-dollars a token."""


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

    def is_usable(self, environ_has_key: Callable[[str], bool]) -> bool:
        """Return whether it is switched on and a key is present where one is needed."""
        if self.enabled_by is not None and not environ_has_key(self.enabled_by):
            return False
        return not self.key_envs or any(environ_has_key(name) for name in self.key_envs)


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

        Reasoning tokens are part of the completion tokens and are charged once.

        Raises
        ------
        ConfigError
            The model has no price.
        """
        fresh = usage.prompt_tokens - usage.cached_tokens
        exact = self._exact_nusd(fresh, usage.cached_tokens, usage.completion_tokens)
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def charge_nusd(self, usage: Usage) -> tuple[int, Literal["reported", "computed"]]:
        """Return what a completion cost, and its source: the provider's own bill wins over these prices."""
        if usage.reported_cost_usd is not None:
            return nusd_from_usd(usage.reported_cost_usd), "reported"
        return self.cost_nusd(usage), "computed"

    def expected_cost_nusd(self, prompt_tokens: int, max_tokens: int | None = None) -> int:
        """Return the cost of a typical answer, at most `max_tokens` long, without cached input."""
        output = self.expected_output_tokens
        output = output if max_tokens is None else min(output, max_tokens)
        return int(self._exact_nusd(prompt_tokens, 0, output).to_integral_value(ROUND_HALF_EVEN))

    def bound_cost_nusd(self, prompt_tokens_bound: int, max_output_tokens: int | None = None) -> int:
        """Return what a request costs at most, rounded up, at its dearest time of day.

        The answer is limited by the model in any case.
        """
        limit = self.max_output_tokens
        output = limit if max_output_tokens is None else min(limit, max_output_tokens)
        dearest = max(
            spec._exact_nusd(fresh, prompt_tokens_bound - fresh, output)  # noqa: SLF001 - its own kind
            for spec in (self, *map(self._within, self.price_windows))
            for fresh in (0, prompt_tokens_bound)
        )
        return int(dearest.to_integral_value(ROUND_CEILING))

    def affordable_tokens(self, left_nusd: int, prompt_tokens_bound: int, max_output_tokens: int) -> int:
        """Return how many tokens of answer `left_nusd` pays for in any case, at most `max_output_tokens`.

        At least 1: whether a model can be afforded at all is decided before, from its expected cost.
        """
        left = Decimal(left_nusd) - self._exact_nusd(prompt_tokens_bound, 0, 0)
        if self.output_usd_per_mtok == 0:
            return max_output_tokens
        return max(1, min(max_output_tokens, int(left / (self.output_usd_per_mtok * NUSD_PER_MTOK_USD))))

    def with_base_url(self, url: str) -> "ModelSpec":
        """Return a copy whose deployments are all reached at `url`."""
        base_url = url.rstrip("/")
        aimed = tuple(replace(deployment, base_url=base_url) for deployment in self.deployments)
        return replace(self, deployments=aimed)

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


MODEL_KEYS = (
    "model_id", "provider", "tier", "prices", "context_tokens", "max_output_tokens", "modalities",
    "capabilities", "benchmarks", "benchmark_sources", "expected", "deployments", "aliases", "free", "role",
    "simulated", "simulation", "sources", "as_of", "notes",
)  # fmt: skip
DEPLOYMENT_KEYS = ("name", "base_url", "key_env", "model", "idempotent", "headers", "enabled_by")


def parse_model(mapping: Mapping[str, Any], source: str) -> ModelSpec:
    """Return the model that `mapping` (one registry file) describes; `source` names it in errors.

    A price that is null or absent gives a model that is not `priced`. A price of 0 needs `free: true`.

    Raises
    ------
    ConfigError
        A key is missing, unknown, of the wrong type or out of range; the sentence names source and key.
    """
    top = Fields(mapping, source, MODEL_KEYS)
    model_id = top.text("model_id")
    simulated = top.flag("simulated")
    if "simulation" in mapping and not simulated:
        raise top.wrong("simulation", "absent unless simulated: true")
    expected = top.group("expected", ("latency_ms", "output_tokens"))
    input_price, cached_price, output_price, price_windows = _prices(top)
    return ModelSpec(
        model_id=model_id,
        provider=top.text("provider"),
        tier=cast("Tier", top.choice("tier", TIERS)),
        input_usd_per_mtok=input_price,
        output_usd_per_mtok=output_price,
        cached_input_usd_per_mtok=cached_price,
        price_windows=price_windows,
        context_tokens=top.count("context_tokens"),
        max_output_tokens=top.count("max_output_tokens"),
        expected_latency_ms=float(expected.number("latency_ms")),
        expected_output_tokens=expected.count("output_tokens"),
        deployments=_deployments(top, model_id),
        modalities=frozenset(top.texts("modalities", allowed=MODALITIES) or ("text",)),
        capabilities=frozenset(top.texts("capabilities")),
        benchmarks=_benchmarks(top),
        figures=parse_profile(mapping, source).figures,
        aliases=top.texts("aliases"),
        role=cast("Role", top.choice("role", ("chat", "judge"), default="chat")),
        simulated=simulated,
        simulation=dict(top.anything("simulation")) if "simulation" in mapping else None,
        sources=_sources(top, required=not simulated),
        as_of=top.text("as_of", default=""),
        notes=top.text("notes", default=""),
    )


def _prices(top: Fields) -> tuple[Decimal, Decimal | None, Decimal, tuple[PriceWindow, ...]]:
    free = top.flag("free")
    names = ("input_usd_per_mtok", "cached_input_usd_per_mtok", "output_usd_per_mtok")
    prices = top.group("prices", (*names, "time_zone", "windows"), required=False)
    paid, cached, answered = (prices.optional_number(name) for name in names)
    for name, price in zip(names, (paid, cached, answered), strict=True):
        if price == 0 and not free:
            raise prices.wrong(name, "above 0, or free: true written beside it")
    if free and not paid == answered == 0:
        raise top.wrong("free", "absent or false while input or output has a price")
    return (
        UNPRICED if paid is None else paid,
        cached,
        UNPRICED if answered is None else answered,
        parse_windows(prices, (paid, answered), free=free),
    )


def _benchmarks(top: Fields) -> dict[str, float | None]:
    group = top.group("benchmarks", None, required=False)
    scores = {name: group.optional_number(name, highest=100) for name in group.mapping}
    return {name: None if score is None else float(score) for name, score in scores.items()}


def _deployments(top: Fields, model_id: str) -> tuple[Deployment, ...]:
    return tuple(
        Deployment(
            name=item.text("name"),
            base_url=item.text("base_url").rstrip("/"),
            upstream_model=item.text("model", default=model_id),
            key_envs=item.texts("key_env", one_is_enough=True),
            enabled_by=item.text("enabled_by", default="") or None,
            idempotent=item.flag("idempotent"),
            headers={name: headers.text(name) for name in headers.mapping},
        )
        for item in top.items("deployments", DEPLOYMENT_KEYS)
        for headers in (item.group("headers", None, required=False),)
    )


def _sources(top: Fields, *, required: bool) -> tuple[dict[str, str], ...]:
    keys = ("url", "date", "what")
    if not required and "sources" not in top.mapping:
        return ()
    return tuple(
        {key: item.text(key) for key in (*keys, "level") if key != "level" or key in item.mapping}
        for item in top.items("sources", (*keys, "level"))
    )
