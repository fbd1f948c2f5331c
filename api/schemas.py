"""What the wire carries. Deeper rules of a request are checked once, at the graph's first node."""

import re
from math import isfinite
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..state.errors import InvalidRequest

MAX_DEPTH = 100
"""Objects and lists inside each other; far below the depth at which JSON writers give up."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Body(BaseModel):
    """A request body that can be written as JSON again: Python's parser accepts more than the standard does."""

    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_what_json_cannot_carry(cls, body: Any) -> Any:
        """Return the body as it is.

        Raises
        ------
        InvalidRequest
            For half a surrogate pair, a number that is not finite or has more than 64 bits, or nesting deeper than
            `MAX_DEPTH`.
        """
        pending = [(body, "", 0)]
        while pending:
            value, path, depth = pending.pop()
            problem = _problem(value, depth)
            if problem:
                raise InvalidRequest(f"{path or 'body'}: {problem}", field=path or "body")
            if isinstance(value, dict):
                pending += [(inner, f"{path}.{key}".strip("."), depth + 1) for key, inner in value.items()]
                pending += [(key, path, depth) for key in value]  # taken first: a bad key must not be quoted
            elif isinstance(value, list):
                pending += [(inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(value)]
        return body


def _problem(value: Any, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"expected at most {MAX_DEPTH} objects and lists inside each other"
    if isinstance(value, float) and not isfinite(value):
        return f"expected a finite number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "expected a whole number of at most 64 bits"
    if isinstance(value, str) and _LONE_SURROGATE.search(value):
        return "expected text that is valid Unicode, got half a surrogate pair"
    return None


class Wishes(Body):
    """How to route: the same at every door."""

    model_config = ConfigDict(extra="forbid")

    org: str | None = Field(
        None, description='Project id; resolved from the API key if one is provided. Default "default".'
    )
    optimize_for: dict[str, float] | None = Field(
        None, description="Weights for cost, quality, latency; normalised to sum 1. Default .33 / .34 / .33."
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
        None, description="Addition: further OpenAI chat parameters, passed on untouched."
    )
    router: str | None = Field(None, description='Addition: name of a router config. Default "auto".')


class ChatRequest(Body):
    """An OpenAI chat request. Unknown parameters are passed on to the model untouched."""

    model_config = ConfigDict(extra="allow")

    model: str = Field("auto", description='"auto", or the name of a router config.')
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = Field(False, description="Server-sent events; sent once the answer has passed its checks.")
    stream_options: dict[str, Any] | None = Field(
        None, description="`include_usage` adds a last chunk with the tokens."
    )
    x25: Wishes = Field(default_factory=Wishes, description="Addition: how to route, as in /route.")


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
    service_tier: str | None = None
    usage: dict[str, Any]
    simulated: bool = Field(description="True when a simulated model answered.")
    stage: dict[str, Any]
    explain: dict[str, Any]


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
    uptime_s: float


class Problem(BaseModel):
    """The error shape of every status from 400 up."""

    error: dict[str, Any] = Field(description="type, code, message, field, and what helps to act on it.")
