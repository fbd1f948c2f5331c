"""What a demo sends, and what came back."""

from dataclasses import dataclass, field

from ..state.savings import paid


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt of a demo, with what each single model would have scored and cost on it."""

    prompt: str
    kind: str
    """Family or dataset, for the breakdown."""
    org: str
    router: str = "auto"
    model_to_score: dict[str, float] = field(default_factory=dict)
    """Truth, 0 to 1, by model id."""
    model_to_cost_usd: dict[str, float] = field(default_factory=dict)
    truth: str | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """One routed item."""

    item: Item
    score: float
    """Truth of the returned answer, 0 to 1."""
    cost_usd: float
    judge_cost_usd: float
    tier: str
    model_id: str
    cascade_steps: int
    judged: bool
    stage: str
    latency_ms: float

    @property
    def total_usd(self) -> float:
        """Everything the call cost, judge included."""
        return paid(self.cost_usd, self.judge_cost_usd)


@dataclass(frozen=True, slots=True)
class Panel:
    """The models of one demo, by tier; baselines are made of them."""

    name: str
    tier_to_model: dict[str, str]
