"""Router configs: a named strategy with its candidates and knobs, as written in registry/routers."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from ...state.complaints import complain
from .threshold import ThresholdRule

Strategy = Literal["plan", "classic", "threshold"]
FirstTier = Literal["any", "by_class"]
_MOST_ESCALATIONS = 5
_ONE_AT_A_TIME = "1: a call asks one model at a time; x25.training.fit.ensemble chooses sets"
_Share = Annotated[float, Field(strict=True, ge=0, le=1, description="a number between 0 and 1")]
_Price = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False, description="a number >= 0")]
_Text = Annotated[str, Field(strict=True)]
_Name = Annotated[_Text, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """How one named router decides."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Annotated[_Name, Field(description="a name")]
    description: Annotated[_Text, Field(description="text")] = ""
    strategy: Annotated[Strategy, Field(description=f"one of {', '.join(get_args(Strategy))}")] = "plan"
    """"plan" weighs quality and price; "classic" asks the best draw and climbs on a low score; "threshold" asks the
    cheapest model likely enough to complete, and neither judges nor climbs."""
    first_tier: Annotated[FirstTier, Field(description=f"one of {', '.join(get_args(FirstTier))}")] = "any"
    """"by_class": a call begins with the tier that is promised for its class (`prompt.request_class`); the strategy
    chooses among that tier's models, and goes on as it does after a failure or a verdict."""
    models: Annotated[tuple[_Name, ...], Field(description="a list of model ids")] = ()
    """Model ids to choose among; empty means all registered."""
    quality_bar: _Share = 0.7
    """Judge's score below which the classic strategy climbs, 0 to 1."""
    max_escalations: Annotated[
        int, Field(strict=True, ge=0, le=_MOST_ESCALATIONS, description=f"0 to {_MOST_ESCALATIONS}")
    ] = 2
    """Most climbs in one call, 0 to 5."""
    epsilon: _Share = 0.03
    """Share of calls that start at a random tier, 0 to 1."""
    audit_rate: _Share = 0.05
    """Share of answers judged though the plan would not, 0 to 1."""
    completion_threshold: _Share = 0.7
    """Threshold strategy: probability of completion that is enough, 0 to 1."""
    fallback_quality_margin: _Share = 0.05
    """Threshold strategy: how far below the best a cheaper model may be where none is likely enough, 0 to 1."""
    lambda_cost: _Price = 1.0
    """Threshold strategy: price of a reference cost, >= 0."""
    lambda_latency: _Price = 0.0
    """Threshold strategy: price of a reference latency, >= 0."""
    max_k: Annotated[int, Field(strict=True, ge=1, le=1, description=_ONE_AT_A_TIME)] = 1
    """Threshold strategy: most models named by one decision. A call asks one at a time, so any other is refused; sets
    of models are chosen from Python."""

    @property
    def model_id(self) -> str | None:
        """The one model that it stands for, as `direct` makes them; None for a config that chooses."""
        stands_for_one = self.strategy == "threshold" and not (
            self.completion_threshold or self.max_escalations
        )
        return self.models[0] if stands_for_one and len(self.models) == 1 else None

    @property
    def rule(self) -> ThresholdRule:
        """The knobs of the threshold strategy."""
        return ThresholdRule(
            completion_threshold=self.completion_threshold,
            fallback_quality_margin=self.fallback_quality_margin,
            lambda_cost=self.lambda_cost,
            lambda_latency=self.lambda_latency,
            max_k=self.max_k,
        )

    @classmethod
    def direct(cls, name: str, model_id: str) -> "RouterConfig":
        """Return the config under which `name` stands for one model: it alone is asked, never judged, never left."""
        return cls(
            name=name,
            description=f"{model_id} alone, without routing.",
            strategy="threshold",
            models=(model_id,),
            completion_threshold=0.0,
            max_escalations=0,
        )

    @classmethod
    def parse(cls, given: Any, source: str) -> "RouterConfig":
        """Return the config a file holds; `source` is the file's name for messages.

        Raises
        ------
        ConfigError
            If a key is unknown, `name` is missing, or a value is of the wrong type or range.
        """
        try:
            return _FORMAT.validate_python(given)
        except ValidationError as error:
            raise complain(error.errors(), _FORMAT.json_schema(), given).in_file(source) from error


_FORMAT = TypeAdapter(RouterConfig)
