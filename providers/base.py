"""What every provider takes and gives: tokens used, a completion, and the protocol between them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from ..state.errors import ProviderError, ProviderMalformed
from ..state.types import JSONObject

if TYPE_CHECKING:
    from .specs import Deployment, ModelSpec


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one completion, as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    """All output tokens that are paid for, reasoning included."""
    cached_tokens: int = 0
    """The part of `prompt_tokens` read from the provider's cache."""
    reasoning_tokens: int = 0
    """The part of `completion_tokens` spent on thinking."""
    reported_cost_usd: Decimal | None = None
    """What the provider says it charged; None when it does not say."""

    @classmethod
    def from_openai(cls, usage: JSONObject) -> "Usage":
        """Read an OpenAI `usage` object; details may be missing, and parts never exceed their whole.

        Some vendors leave thinking out of `completion_tokens` but not out of `total_tokens`. It is billed as
        output, so whatever the total holds beyond the prompt counts as completion.

        Raises
        ------
        ProviderMalformed
            A count is missing, negative or not a whole number, or the cost is not a finite number >= 0.
        """
        prompt = _count(usage, "prompt_tokens")
        completion = _count(usage, "completion_tokens")
        if usage.get("total_tokens") is not None:
            completion = max(completion, _count(usage, "total_tokens") - prompt)
        cached = _detail(usage, "prompt_tokens_details", "cached_tokens")
        if cached is None:
            # DeepSeek's own name for the same count.
            cached = _count(usage, "prompt_cache_hit_tokens", default=0)
        reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens") or 0
        return cls(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=min(cached, prompt),
            reasoning_tokens=min(reasoning, completion),
            reported_cost_usd=_cost(usage.get("cost")),
        )

    def to_openai(self) -> JSONObject:
        """Return OpenAI's `usage` object; `cost` (US dollars) only where the provider reported one."""
        usage: JSONObject = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
        }
        if self.reported_cost_usd is not None:
            usage["cost"] = float(self.reported_cost_usd)
        return usage


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of one model."""

    message: JSONObject
    """The OpenAI assistant message, exactly as received."""
    finish_reason: str | None
    usage: Usage | None
    """None when the provider did not say: the cost is then unknown, not zero."""
    model: str
    """The model's name as the provider gives it."""
    latency_ms: float
    deployment: str
    tries: int = 1
    """Requests made for this answer, failed ones included."""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """One request to one deployment of a model."""

    spec: "ModelSpec"
    deployment: "Deployment"
    body: JSONObject
    """OpenAI chat body; `model` and `stream` are the provider's to set."""
    attempt_id: str
    """The same id again asks for the answer of the earlier request, where the deployment knows how."""
    timeout_s: float
    """Seconds for the whole exchange."""
    api_key: str | None = field(default=None, repr=False)


class AttemptRecord(Protocol):
    """Keeps account of the requests behind one completion: each is written down before it is made."""

    async def begin(self, deployment: str) -> str:
        """Note that a request to `deployment` is about to be made; return its attempt id."""
        ...

    async def finish(self, attempt_id: str, completion: Completion) -> None:
        """Note that it was answered."""
        ...

    async def fail(self, attempt_id: str, error: ProviderError) -> None:
        """Note that it failed."""
        ...


class ChatProvider(Protocol):
    """Anything that turns an OpenAI chat body into a completion."""

    async def complete(self, request: ProviderRequest) -> Completion:
        """Make one request and return its answer, or raise a `ProviderError`. Never retries."""
        ...


def _count(mapping: JSONObject, key: str, default: int | None = None) -> int:
    value: Any = mapping.get(key, default)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ProviderMalformed(f"usage.{key} must be a whole number >= 0, got {value!r}")
    return value


def _detail(usage: JSONObject, group: str, key: str) -> int | None:
    details = usage.get(group)
    if details is None:
        return None
    if not isinstance(details, dict):
        raise ProviderMalformed(f"usage.{group} must be an object, got {details!r}")
    return None if details.get(key) is None else _count(details, key)


def _cost(value: Any) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ProviderMalformed(f"usage.cost must be a number of US dollars, got {value!r}")
    cost = Decimal(str(value))
    if not cost.is_finite() or cost < 0:
        raise ProviderMalformed(f"usage.cost must be a finite number >= 0, got {value!r}")
    return cost
