"""What travels through one request: the caller's words, the working memory, the answer.

Every value is JSON: ``str``, ``int``, ``float``, ``bool``, ``None``, ``list`` or ``dict``. Beside LangChain's messages
(`graph.memory.messages`) nothing else may enter a checkpoint, so that a stored row names no other class to rebuild.
"""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Required

from typing_extensions import TypedDict  # pydantic reads no other below Python 3.12

from .ceilings import Imposed

Tier = Literal["slm", "mid", "frontier"]
TIERS: tuple[Tier, ...] = ("slm", "mid", "frontier")
"""The ladder from cheap to strong; a position in this tuple is the tier's rank."""

TaskType = Literal["summary", "code", "classification", "extraction", "qa", "reasoning", "creative"]
TASK_TYPES: tuple[TaskType, ...] = (
    "summary", "code", "classification", "extraction", "qa", "reasoning", "creative",
)  # fmt: skip
GENERAL = "general"
"""The cell of prompts whose type is uncertain; also accepted as a hint."""

TOKEN_LIMITS = ("max_tokens", "max_completion_tokens")
"""The two names of the limit on an answer's tokens; a vendor may know only one of them."""

JSONObject = dict[str, Any]


class LikelyToken(TypedDict):
    """A token and how likely it was where it stands."""

    token: str
    logprob: float
    """Natural logarithm of its probability; finite."""
    bytes: list[int] | None
    """Its UTF-8, where the vendor says it: a token may be part of a character."""


class TokenLogprob(LikelyToken):
    """A token of an answer, with the likeliest ones in its place."""

    top_logprobs: list[LikelyToken]


class Logprobs(TypedDict):
    """How likely an answer's tokens were, in OpenAI's shape."""

    content: list[TokenLogprob] | None
    refusal: list[TokenLogprob] | None


class Request(TypedDict, total=False):
    """One call as the caller words it. Give `prompt` or `messages`; everything else has a default."""

    prompt: str
    """The text to route, as one user message. Give this or `messages`."""
    messages: list[JSONObject]
    """OpenAI chat messages, instead of `prompt`."""
    options: JSONObject
    """Further OpenAI chat parameters (temperature, tools, response_format, max_tokens …), passed on untouched. One that
    is not known is refused."""
    org: str
    """Whose learning, savings and audit chain this call belongs to. Default "default"."""
    optimize_for: dict[str, float] | str
    """Weights for cost, quality and latency, normalised to sum 1, or the name of a preset."""
    hint: str | None
    """Task type known to the caller; wins over the classifier."""
    policy: JSONObject
    """Hard constraints; see `routing.plan.policy.Policy` for the keys."""
    router: str
    """Name of a router config in registry/routers, or of one model. Default "auto"."""
    routing_hints: JSONObject
    """Leanings, limits and beginnings in the caller's words; see `routing.plan.hints.Hints` for the keys."""
    routing_override: JSONObject
    """`{"model": name}`: this model is asked first, others only when it fails."""
    call_id: str
    """Public id of the call; made by the door when absent. One that was used is never billed again: the gateway refuses
    it, a graph exchanges it for a fresh one."""
    user_id: str
    """Whose call it is within the org, in your words: the log is read and erased by it. No model is told."""
    conversation_id: str | None
    """Conversation that the call belongs to; found by its history when absent, see `nodes.org.conversations`."""
    memory: JSONObject | None
    """Whether past turns of the org are remembered here: {"enabled": bool, "budget_tokens": int}; the org's own setting
    when absent."""
    mode: str | None
    """"proxy" (no cache, no memory), "cache" (no memory) or "full"; the org's, then the gateway's, when absent."""
    cache: JSONObject | str | None
    """What caches do: "off", "fresh" (keep, do not look), "exact" or "near"; or {"use": …, "max_age_s": seconds}."""


class Reply(TypedDict, total=False):
    """What the caller gets back. The first ten fields are the ones every client can rely on."""

    text: Required[str]
    """Exact text of the returned answer."""
    model_used: Required[str]
    """Model id that produced `text`."""
    provider: Required[str]
    """Provider of that model."""
    task_type: Required[str]
    """Task type the call was filed under."""
    cost_usd: Required[float]
    """US dollars paid for all answer attempts of this call, escalations and billed failures included; no judgement."""
    latency_ms: Required[float]
    """Milliseconds from accepting the request to the reply."""
    quality_score: Required[float | None]
    """0 to 1, or null when a judge was due and failed. `quality_source` says where it comes from."""
    cascade_steps: Required[int]
    """Answers bought: 1 = the first was kept, 2 and more = escalated."""
    audit_hash: Required[str]
    """Record hash of this call's entry in the org's audit chain: 64 hex digits."""
    goal_match: Required[dict[str, float]]
    """How well the call met each goal (cost, quality, latency), each 0 to 1."""
    call_id: Required[str]
    org: Required[str]
    conversation_id: Required[str]
    """The one that was named, or found by the history, or begun with this call."""
    cached: JSONObject | None
    """Of an answer given again: which call bought it, as what it was found, how old it is, what that saved. Of one
    that was bought: whether it is kept, and why not. None where no cache was used."""
    remembered: JSONObject | None
    """What of earlier turns was added, where, and what was kept of this one; None where memory is off."""
    tier: Required[str]
    """Tier of `model_used`."""
    quality_source: Required[str]
    """"judge", "checks" (a free check failed), "estimate" (nobody looked; the predicted quality), "cache" or "none"."""
    verdict: Required[JSONObject]
    """What was checked and what came of it: checks made, failed check, judge, reason."""
    propensity: Required[float]
    """Probability with which the first arm was drawn."""
    escalations: Required[int]
    """Climbs because an answer was not good enough."""
    fallbacks: Required[int]
    """Moves to another model because a call failed."""
    judge_cost_usd: Required[float]
    """US dollars paid for all judgements of this call."""
    byok: JSONObject | None
    """The org's own provider keys that answers were asked with, and what of the costs they paid; None where none."""
    cost_saved_usd: Required[float]
    """Cost of the same tokens on the reference frontier model, minus `cost_usd`, minus `judge_cost_usd`."""
    message: Required[JSONObject]
    """The full OpenAI assistant message (tool calls included)."""
    finish_reason: Required[str | None]
    logprobs: Logprobs | None
    """How likely the answer's tokens were, as its vendor tells; None where `options.logprobs` did not ask."""
    service_tier: str | None
    """The vendor's class of service that was charged, such as "flex"; None where it does not say."""
    usage: Required[JSONObject]
    """Tokens of the returned answer, OpenAI names."""
    simulated: Required[bool]
    """True when the answer came from a simulated model."""
    stage: Required[JSONObject]
    """The org's stage after this call."""
    explain: Required[JSONObject]
    """Why this model: candidates with probability, draw and cost; who was removed by which constraint; the path."""


class CascadeState(Request, total=False):
    """Working memory of one call, as LangGraph's channels and checkpoints hold it: the JSON of typed nouns.

    Nodes read and return the nouns themselves (`state.working_memory`); `graph.memory.nouns` turns one into the other.
    """

    opening: JSONObject
    """`Opening`, by lookup_cache."""
    recalled: JSONObject | None
    """`Recalled`, by lookup_cache, where memory is on."""
    hit: JSONObject | None
    """`Hit`, by lookup_cache, where the answer was bought before."""
    task: JSONObject
    """`Task`, by classify."""
    inputs: JSONObject
    """`Inputs`, by classify: the vectors that the estimators see of the prompt."""
    estimate: JSONObject
    """`Estimate`, by estimate_difficulty."""
    selection: JSONObject
    """`Selection`, by thompson_select."""
    transitions: list[JSONObject]
    """`Transition`s: the first decision by thompson_select, what follows by judge."""
    answers: list[JSONObject]
    """`Answer`s: what each dispatch brought, with the verdict that judge gave it."""
    learned: list[JSONObject]
    """`Lesson`s, by update_posterior."""
    call_count: int
    """The org's calls, this one included, by audit."""
    timings: Annotated[list[JSONObject], operator.add]
    """Node and milliseconds, in the order of execution: the path this call took."""


# The docstrings under the fields are the descriptions that Studio's forms show.
for _shape in (Request, Reply, CascadeState):
    _shape.__pydantic_config__ = {"use_attribute_docstrings": True}  # type: ignore[union-attr]


@dataclass
class Context:
    """Knobs of one run that are not part of the request; shown as a form in Studio."""

    max_escalations: int = field(
        default=2,
        metadata={"description": "Most climbs to a dearer model in one call; 0 never escalates (0 to 5)."},
    )
    explain: bool = field(
        default=True, metadata={"description": "Put candidates, draws and removed models into the reply."}
    )


@dataclass
class DoorContext(Context):
    """The same from a door that knows its caller: what no form offers."""

    imposed: tuple[Imposed, ...] = ()
    """Ceilings of the caller's key."""
    is_counted: bool = False
    """Whether limits a minute were counted at the door already."""
