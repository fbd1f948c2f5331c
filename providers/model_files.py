"""Registry files: what may be written of a model, and the `ModelSpec` it becomes."""

from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from ..state.complaints import UP
from ..state.types import TIERS, JSONObject, Tier
from .directory import DialectName, KeyEnv, known_providers
from .price_entries import Prices
from .profiles import ProfileEntry, Source
from .specs import UNPRICED, Deployment, Modality, ModelSpec, Role
from .written import Count, DateText, Flag, Number, Several, Text, Texts, Written, parse, wrong

DEFAULT_CONTEXT_TOKENS = 128_000
DEFAULT_MAX_OUTPUT_TOKENS = 16_384
DEFAULT_CAPABILITIES = ("tools", "json_object", "json_schema")
"""What a model whose file does not say is taken to be able to. One that is not says so when it is asked."""


class Expected(Written):
    """What an answer is like, as far as anybody can tell before the first."""

    latency_ms: Number
    output_tokens: Count


DEFAULT_EXPECTED: dict[Tier, Expected] = {
    "slm": Expected(latency_ms=Decimal(1500), output_tokens=300),
    "mid": Expected(latency_ms=Decimal(2500), output_tokens=450),
    "frontier": Expected(latency_ms=Decimal(6000), output_tokens=600),
}
"""What the bundled models of a tier are like in the middle, for a model whose file does not say."""


ADDRESS = r"^https?://\S+$"
AN_ADDRESS = "an address such as http://localhost:8001/v1"


class DeploymentEntry(Written):
    """One way to reach the model. What it does not say is said by the provider of its name, where that is known."""

    name: Text
    base_url: Annotated[
        Text | None, Field(pattern=ADDRESS, validate_default=True, description=AN_ADDRESS)
    ] = None
    key_env: KeyEnv = ()
    model: Text | None = None
    idempotent: Flag = False
    headers: dict[str, Text] | None = None
    enabled_by: Text | None = None
    dialect: DialectName | None = None

    @field_validator("base_url")
    @classmethod
    def check_address(cls, base_url: str | None, info: ValidationInfo) -> str | None:
        """Refuse a deployment of which nobody says where it is."""
        known = known_providers().get(info.data.get("name", ""))
        if base_url is None and (known is None or known.base_url is None):
            raise wrong(
                expected="an address such as http://localhost:8001/v1, or the name of a known provider"
            )
        return base_url

    def deployment(self, model_id: str) -> Deployment:
        """Return it; it speaks the model's own name unless it is told another.

        A known provider's key goes to its own address alone, and so to none that the entry names itself, but for
        Azure, whose addresses are the customers'.
        """
        known = known_providers().get(self.name)
        is_elsewhere = known is None or not (self.base_url is None or known.base_url is None)
        known = None if is_elsewhere else known
        return Deployment(
            name=self.name,
            base_url=(self.base_url or (known and known.base_url) or "").rstrip("/"),
            upstream_model=self.model or model_id,
            key_envs=self.key_env or (known.key_env if known else ()),
            enabled_by=self.enabled_by or (known.enabled_by if known else None),
            idempotent=self.idempotent,
            headers=self.headers or {},
            dialect=self.dialect or (known.dialect if known else "openai"),
        )


class ModelFile(ProfileEntry):
    """One model of the registry, with what `ProfileEntry` says of its benchmarks.

    `model_id`, `base_url`, `tier` and `prices` are enough; a model with several ways to reach it lists `deployments`
    instead of `base_url`.
    """

    model_config = ConfigDict(extra="forbid")

    model_id: Annotated[Text, Field(pattern=r"^\S+$", description="a name without spaces")]
    provider: Text | None = None
    tier: Annotated[Tier, Field(description=f"one of {', '.join(TIERS)}")]
    prices: Prices | None = None
    free: Annotated[Flag, Field(validate_default=True)] = False
    context_tokens: Count = DEFAULT_CONTEXT_TOKENS
    max_output_tokens: Count = DEFAULT_MAX_OUTPUT_TOKENS
    modalities: Annotated[
        Several[Modality], Field(description=f"a list of some of {', '.join(get_args(Modality))}")
    ] = ()
    capabilities: Texts = DEFAULT_CAPABILITIES
    expected: Annotated[Expected | None, Field(description="a mapping")] = None
    deployments: Annotated[
        Several[DeploymentEntry], Field(min_length=1, description="a list with at least one entry")
    ] = ()
    base_url: Annotated[
        str | None,
        Field(
            pattern=ADDRESS, validate_default=True, description=AN_ADDRESS,
        ),
    ] = None  # fmt: skip
    key_env: KeyEnv = ()
    model: Text | None = None
    aliases: Texts = ()
    role: Annotated[Role, Field(description="one of chat, judge")] = "chat"
    simulated: Flag = False
    simulation: Annotated[JSONObject | None, Field(description="a mapping")] = None
    as_of: DateText | None = None
    notes: Text | None = None

    # Parts that do not go with one another are found field by field, so that they are said with all other faults.
    @field_validator("free")
    @classmethod
    def check_free(cls, free: bool, info: ValidationInfo) -> bool:
        """Refuse a price of nothing that nobody meant, and a free model that has a price, or none written."""
        if "prices" not in info.data:
            return free
        prices: Prices = info.data["prices"] or Prices()
        nothing = next((place for place, price in prices.named().items() if price == 0), None)
        if nothing is not None and not free:
            raise wrong(UP, "prices", *nothing, expected="above 0, or free: true written beside it")
        if free and not prices.is_free:
            raise wrong(expected="absent or false while input or output has a price")
        return free

    @field_validator("base_url", "key_env", "model")
    @classmethod
    def check_way(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse two ways of saying how the model is reached, and none."""
        if "deployments" not in info.data:
            return value
        if value and info.data["deployments"]:
            raise wrong(expected="absent where deployments are listed")
        if info.field_name == "base_url" and not value and not info.data["deployments"]:
            raise wrong(expected="an address such as http://localhost:8001/v1, or deployments be listed")
        return value

    @field_validator("simulation")
    @classmethod
    def check_simulation(cls, simulation: JSONObject | None, info: ValidationInfo) -> JSONObject | None:
        """Refuse a simulation of a real model."""
        if info.data.get("simulated") is False:
            raise wrong(expected="absent unless simulated: true")
        return simulation

    @field_validator("sources")
    @classmethod
    def check_sources(cls, sources: tuple[Source, ...] | None) -> tuple[Source, ...] | None:
        """Refuse figures without the date they were read on."""
        for index, source in enumerate(sources or ()):
            if source.date is None:
                raise wrong(index, "date", expected="text")
        return sources

    def ways(self) -> tuple[Deployment, ...]:
        """Return the ways to reach it."""
        if self.base_url is None:
            return tuple(entry.deployment(self.model_id) for entry in self.deployments)
        only = DeploymentEntry(
            name=self.vendor, base_url=self.base_url, key_env=self.key_env, model=self.model
        )
        return (only.deployment(self.model_id),)

    @property
    def vendor(self) -> str:
        """Its provider: as written, else what stands before the slash of its id."""
        return self.provider or self.model_id.partition("/")[0]

    def spec(self) -> ModelSpec:
        """Return what is known of the model. A price that is null or absent gives one that is not `priced`."""
        prices = self.prices or Prices()
        figures, expected = self.profile().figures, self.expected or DEFAULT_EXPECTED[self.tier]
        paid, answered = prices.input_usd_per_mtok, prices.output_usd_per_mtok
        return ModelSpec(
            model_id=self.model_id,
            provider=self.vendor,
            tier=self.tier,
            input_usd_per_mtok=UNPRICED if paid is None else paid,
            output_usd_per_mtok=UNPRICED if answered is None else answered,
            cached_input_usd_per_mtok=prices.cached_input_usd_per_mtok,
            audio_input_usd_per_mtok=prices.audio_input_usd_per_mtok,
            parts=prices.parts,
            long_prompt=prices.for_long_prompts(),
            price_windows=prices.price_windows(),
            context_tokens=self.context_tokens,
            max_output_tokens=self.max_output_tokens,
            expected_latency_ms=float(expected.latency_ms),
            expected_output_tokens=expected.output_tokens,
            deployments=self.ways(),
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
