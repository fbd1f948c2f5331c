"""What the wire carries. Deeper rules of a request are checked once, at the graph's first node."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from ..routing.plan.weights import PRESETS
from ..state.json_values import check_json
from ..state.types import Logprobs


class Body(BaseModel):
    """A request body that can be written as JSON again: Python's parser accepts more than the standard does."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_what_json_cannot_carry(cls, body: Any) -> Any:
        """Return the body as it is, once `check_json` found nothing wrong with it."""
        check_json(body)
        return body


_WEIGHTS_SCHEMA = {
    "anyOf": [
        {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        {"type": "string", "enum": [*PRESETS]},
        {"type": "null"},
    ]
}
"""Looked at by `routing.plan.weights.normalise`, which names the part that is wrong."""


class Wishes(Body):
    """How to route: the same at every door."""

    model_config = ConfigDict(extra="forbid")

    org: str | None = Field(
        None, description='Project id; resolved from the API key if one is provided. Default "default".'
    )
    optimize_for: Annotated[Any, WithJsonSchema(_WEIGHTS_SCHEMA)] = Field(
        None,
        description="Weights for cost, quality, latency; normalised to sum 1. Or a preset: balanced (default, "
        ".33 / .34 / .33), cost-first, quality-first, latency-first.",
    )
    hint: str | None = Field(
        None,
        description="Task type: summary, code, classification, extraction, qa, reasoning, creative or general.",
    )
    policy: dict[str, Any] | None = Field(
        None,
        description="Hard constraints: max_cost_per_call_usd, allowed_providers, max_tier, required_capabilities, "
        "max_cost_per_token, max_latency_ms, require_modalities, prefer_modalities (narrows where it can), "
        "quality_bar, judged_share, budget_usd_per_call, budget_usd_per_day. Unknown keys are refused.",
    )
    call_id: str | None = Field(
        None, description="Addition: your own id for the call, at most once; letters, digits, - and _."
    )


class RouteRequest(Wishes):
    """One prompt to route."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "prompt": "Calculate 18 * 23 + 9. Give the number.",
                "org": "my-lab",
                "hint": "reasoning",
            }
        }
    )

    prompt: str | None = Field(None, description="The text to route. Required unless `messages` is given.")
    messages: list[dict[str, Any]] | None = Field(
        None, description="Addition: OpenAI chat messages instead of `prompt`."
    )
    options: dict[str, Any] | None = Field(
        None,
        description="Addition: further OpenAI chat parameters, passed on untouched; one that is not known is refused.",
    )
    router: str | None = Field(None, description='Addition: name of a router config. Default "auto".')


class StreamOptions(BaseModel):
    """How a stream ends."""

    model_config = ConfigDict(strict=True, extra="forbid")

    include_usage: bool | None = Field(None, description="Adds a last chunk with the tokens.")
    include_obfuscation: bool | None = Field(
        None, description="Without effect: an answer is sent whole, so that its pieces give nothing away."
    )


class ChatRequest(Body):
    """An OpenAI chat request. Known parameters are passed on to the model untouched, others refused."""

    model_config = ConfigDict(extra="allow")

    model: str | None = Field(
        "auto",
        description='"auto", another router config, or one model by id or alias: GET /v1/models lists them.',
    )
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool | None = Field(
        False, description="Server-sent events; sent once the answer has passed its checks."
    )
    stream_options: StreamOptions | None = Field(None, description="Needs `stream`.")
    x25: Wishes | None = Field(None, description="Addition: how to route, as in /route.")


class RouteReply(BaseModel):
    """The routed answer: ten fields every client can rely on, then additions."""

    text: str = Field(description="Exact text of the returned answer.")
    model_used: str = Field(description="Model that produced it.")
    provider: str
    task_type: str
    cost_usd: float = Field(
        description="Dollars paid for all answer attempts, escalations and billed failures included, judge excluded."
    )
    latency_ms: float = Field(description="End to end, milliseconds.")
    quality_score: float | None = Field(description="0 to 1; null when a judge was due and failed.")
    cascade_steps: int = Field(description="1 = the first answer was kept, 2 and more = escalated.")
    audit_hash: str = Field(description="Hash of this call's audit entry, 64 hex digits.")
    goal_match: dict[str, float] = Field(description="cost, quality, latency, each 0 to 1.")
    call_id: str
    org: str
    tier: str
    quality_source: str = Field(description="judge, checks, estimate or none.")
    verdict: dict[str, Any]
    propensity: float = Field(description="Probability with which the first model was drawn.")
    escalations: int
    fallbacks: int
    judge_cost_usd: float = Field(description="Dollars paid for all judgements.")
    cost_saved_usd: float = Field(
        description="Cost of the same tokens on the reference frontier model minus cost_usd minus judge_cost_usd."
    )
    message: dict[str, Any]
    finish_reason: str | None
    logprobs: Logprobs | None = Field(
        None, description="How likely the answer's tokens were; null unless options.logprobs asked."
    )
    service_tier: str | None = None
    usage: dict[str, Any]
    simulated: bool = Field(description="True when a simulated model answered.")
    stage: dict[str, Any]
    explain: dict[str, Any]


class ModelCard(BaseModel):
    """What a name of `model` stands for, in OpenAI's shape."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When this gateway started, seconds since 1970.")
    owned_by: str = Field(description='Provider of a model, "x25" for a router config.')
    description: str = Field(description="Addition: what it does.")


class ModelList(BaseModel):
    """The names that `model` may have, in OpenAI's shape."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class Verified(BaseModel):
    """Outcome of checking the audit chains."""

    intact: bool
    total_records: int = Field(description="Entries, calls and others; up to the first broken one.")
    first_broken_index: int | None = None
    reason: str | None = None
    calls: int = Field(
        description="Addition: how many entries are calls; the others tell of drifts and refits."
    )
    checked_records: int = Field(
        description="Addition: entries checked now; those before them were found whole earlier."
    )
    orgs: list[dict[str, Any]] = Field(default_factory=list, description="Addition: the same for each chain.")


class KeyInfo(BaseModel):
    """Who a key belongs to."""

    org: str
    rate_limit_rpm: int
    created_at: str


class Health(BaseModel):
    """Whether the gateway can route."""

    status: str = Field(description='"ok", or "degraded": calls are answered, but something is amiss.')
    degraded: dict[str, str] = Field(
        default_factory=dict, description="What is amiss (checkpoints, encoder, recovery), and why."
    )
    checkpoints: dict[str, int] = Field(
        default_factory=dict, description="Checkpoint writes of this process: written, and lost."
    )
    version: str
    upstream: str = Field(description='"real" or "simulated".')
    models: int = Field(description="Models an answer may come from.")
    tiers: dict[str, int] = Field(description="How many of them each tier has; 0 = the tier is unavailable.")
    judge: str | None
    judge_unreadable: dict[str, int] = Field(
        description="By judge model, replies since start that held no grade that could be read."
    )
    notices: list[str] = Field(description="What works less well than it could, and what to set.")
    longest_pause_ms: float = Field(
        description="How long one piece of work kept all others waiting, last minute or two."
    )
    uptime_s: float


class Problem(BaseModel):
    """The error shape of every status from 400 up."""

    error: dict[str, Any] = Field(description="type, code, message, field, and what helps to act on it.")
