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


WEIGHTS_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
            {"type": "string", "enum": [*PRESETS]},
            {"type": "null"},
        ]
    }
)
"""Looked at by `routing.plan.weights.normalise`, which names the part that is wrong."""


class Steering(BaseModel):
    """How to steer routing in words: beside the chat parameters at the doors that speak a vendor's language."""

    routing_hints: dict[str, Any] | None = Field(
        None,
        description="Addition: mode, preference_dial, prefer_latency, prefer_quality, max_latency_ms, "
        "task_complexity, max_tier, max_cost_per_token, required_capabilities, allow_free_fallback, chain_routing, "
        "chain_id, max_chain_steps, chain_timeout_s, workflow_type. Unknown keys are refused.",
    )
    routing_override: dict[str, Any] | None = Field(
        None, description='Addition: {"model": name}: it is asked first, others only when it fails.'
    )


class Wishes(Steering):
    """How to route: the same at every door."""

    model_config = ConfigDict(strict=True, extra="forbid")

    org: str | None = Field(
        None, description='Project id; resolved from the API key if one is provided. Default "default".'
    )
    optimize_for: Annotated[Any, WEIGHTS_SCHEMA] = Field(
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
        "prefer_latency_ms, allow_free_fallback, quality_bar, judged_share, hedge, budget_usd_per_call, "
        "budget_usd_per_day. Unknown keys are refused.",
    )
    call_id: str | None = Field(
        None, description="Addition: your own id for the call, at most once; letters, digits, - and _."
    )
    user_id: str | None = Field(
        None,
        description="Addition: whose call it is within the org, 1 to 255 characters; the log is read and erased by it.",
    )
    conversation_id: str | None = Field(
        None,
        description="Addition: the conversation that the call belongs to; found by its history when absent. Also the "
        "header x-x25-conversation-id.",
    )
    memory: dict[str, Any] | None = Field(
        None,
        description='Addition: whether what was said is remembered: {"enabled": true, "budget_tokens": 512}; as the '
        "org settled when absent; off by default.",
    )
    mode: Literal["proxy", "cache", "full"] | None = Field(
        None,
        description="Addition: proxy (no cache, no memory), cache (no memory) or full; the header x-x25-mode first.",
    )
    cache: str | dict[str, Any] | None = Field(
        None,
        description='Addition: off, fresh (keep, do not look), exact or near; or {"use": …, "max_age_s": 60}.',
    )


class SpokenWishes(Wishes):
    """How to route, and how to stream the answer."""

    stream_mode: Literal["auto", "direct", "judged"] | None = Field(
        None,
        description="Needs `stream`. auto (default): straight through where no other answer can follow, else once the "
        "answer stands. direct: straight through; the first answer is kept, whatever a judge says of it afterwards. "
        "judged: once the answer stands.",
    )


class Steered(Steering, Body):
    """A request in a vendor's words: what every one of them may say to the router."""

    model: str | None = Field(
        "auto",
        description='"auto", another router config, or one model by id or alias: GET /v1/models lists them.',
    )
    stream: bool | None = Field(
        False, description="Server-sent events; `x25.stream_mode` says when the answer is sent."
    )
    x25: SpokenWishes | None = Field(None, description="Addition: how to route, as in /route.")


class RouteRequest(Wishes, Body):
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


def given(body: BaseModel) -> dict[str, Any]:
    """Return the fields of a body that say something, by name; their values are the body's own."""
    return {name: value for name, value in body.__dict__.items() if value is not None}


class StreamOptions(BaseModel):
    """How a stream ends."""

    model_config = ConfigDict(strict=True, extra="forbid")

    include_usage: bool | None = Field(None, description="Adds a last chunk with the tokens.")
    include_obfuscation: bool | None = Field(
        None, description="Without effect: pieces are sent as they come, without padding."
    )


class ChatRequest(Steered):
    """An OpenAI chat request. Known parameters are passed on to the model untouched, others refused."""

    model_config = ConfigDict(extra="allow")

    messages: list[dict[str, Any]] = Field(min_length=1)
    stream_options: StreamOptions | None = Field(None, description="Needs `stream`.")


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
    conversation_id: str = Field(description="Addition: named by the request, found by its history, or new.")
    cached: dict[str, Any] | None = Field(
        None,
        description="Addition: which call bought this answer, or whether it is kept; null without caches.",
    )
    remembered: dict[str, Any] | None = Field(
        None, description="Addition: what memory added and kept; null where it is off."
    )
    tier: str
    quality_source: str = Field(description="judge, checks, estimate, cache or none.")
    verdict: dict[str, Any]
    propensity: float = Field(description="Probability with which the first model was drawn.")
    escalations: int
    fallbacks: int
    judge_cost_usd: float = Field(description="Dollars paid for all judgements.")
    byok: dict[str, Any] | None = Field(
        None,
        description="Addition: the org's own provider keys that were asked with, and what of the costs they paid.",
    )
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


class DeletedResponse(BaseModel):
    """A response that was forgotten, in OpenAI's shape."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


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
    erased: int = Field(
        0, description="Addition: tombstones among the entries checked now, of calls that were deleted."
    )
    orgs: list[dict[str, Any]] = Field(default_factory=list, description="Addition: the same for each chain.")


class SigningKey(BaseModel):
    """The public half of the key that signs heads."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str = Field(description="First 16 hex digits of the key's SHA-256.")
    public_key: str = Field(description="32 bytes in Base64.")


class SignedHead(BaseModel):
    """The head of an audit chain at one moment, signed."""

    kind: str
    org: str
    length: int = Field(description="Entries the chain had.")
    head_hash: str = Field(description="Hash of the last of them, 64 hex digits; zeros for none.")
    signed_at: str
    key_id: str
    signature: str = Field(
        description="Base64 of the Ed25519 signature over the fields above: their JSON, keys sorted, no spaces, UTF-8."
    )
    public_key: str


class Health(BaseModel):
    """Whether the gateway can route."""

    status: str = Field(description='"ok", or "degraded": calls are answered, but something is amiss.')
    degraded: dict[str, str] = Field(
        default_factory=dict,
        description="What is amiss (checkpoints, encoder, keys, overload, recovery …), and why.",
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
    breakers: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Deployments and keys that failed too often lately: model, deployment, key (a fingerprint, empty "
        "for the whole deployment), state (open, half_open), wait_s until they are asked, orgs: for how many "
        "single orgs that holds, 0 = for everybody.",
    )
    keys_exhausted: list[dict[str, Any]] = Field(
        default_factory=list, description="Provider keys without credit: deployment, model, key, wait_s."
    )
    keys_refused: list[dict[str, Any]] = Field(
        default_factory=list, description="Provider keys unknown to their providers, likewise."
    )
    notices: list[str] = Field(description="What works less well than it could, and what to set.")
    longest_pause_ms: float = Field(
        description="How long one piece of work kept all others waiting, last minute or two."
    )
    uptime_s: float


class Problem(BaseModel):
    """The error shape of every status from 400 up."""

    error: dict[str, Any] = Field(description="type, code, message, field, and what helps to act on it.")
