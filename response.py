"""The answer of a call, as the SDK hands it out."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

import httpx

from .exceptions import MalformedReply

__all__ = ["X25Response"]


@dataclass(frozen=True)
class X25Response:
    """An answer and what it took to get it. The first ten fields are always sent by the gateway."""

    text: str  # exact text of the answer
    model_used: str  # model that produced `text`, e.g. "deepseek/deepseek-v4-flash"
    provider: str
    task_type: str
    cost_usd: float  # all answer attempts of this call, failed and escalated ones included; judge excluded
    latency_ms: float  # end to end, measured by the gateway
    quality_score: float | None  # 0 to 1; None when a judge was due and failed
    cascade_steps: int  # 1 = the first answer was kept, 2 and more = escalated
    audit_hash: str  # SHA-256 of this call's entry in the org's audit chain
    goal_match: dict[str, float]  # cost, quality, latency: how well each goal was met, 0 to 1
    call_id: str = ""
    org: str = ""
    conversation_id: str = ""  # named by the call, found by its history, or begun with it
    cached: dict[str, Any] | None = None  # which call bought it, or whether it is kept; None without caches
    remembered: dict[str, Any] | None = None  # what memory added and kept; None where it is off
    tier: str = ""  # "slm", "mid" or "frontier"
    quality_source: str = "none"  # "judge", "checks", "estimate", "cache" or "none"
    verdict: dict[str, Any] = field(default_factory=dict)  # what was checked and what came of it
    propensity: float | None = None  # probability with which the first model was drawn
    escalations: int = 0  # climbs because an answer was not good enough
    fallbacks: int = 0  # moves to another model because a call failed
    judge_cost_usd: float = 0.0
    byok: dict[str, Any] | None = (
        None  # own provider keys that were asked with, and what they paid of the costs
    )
    cost_saved_usd: float = 0.0  # same tokens on the reference frontier model, minus answers and judge
    message: dict[str, Any] = field(default_factory=dict)  # full OpenAI assistant message
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None  # of the answer's tokens, OpenAI's shape; None unless asked for
    usage: dict[str, Any] = field(default_factory=dict)  # tokens of the returned answer, OpenAI names
    simulated: bool = False  # True when a simulated model answered
    stage: dict[str, Any] = field(default_factory=dict)  # the org's stage after this call
    explain: dict[str, Any] = field(default_factory=dict)  # why this model

    @classmethod
    def from_json(cls, reply: Mapping[str, Any]) -> Self:
        """Build a response from a reply of POST /route; fields this version does not know are left out.

        Raises
        ------
        MalformedReply
            One of the ten promised fields is missing.
        """
        required = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
        missing = [name for name in required if name not in reply]
        if missing:
            raise MalformedReply(
                f"expected a reply with {', '.join(required)}; missing: {', '.join(missing)}"
            )
        return cls(**{f.name: reply[f.name] for f in fields(cls) if f.name in reply})

    def __str__(self) -> str:
        cost = f"{self.cost_usd:.9f}".rstrip("0").rstrip(".")
        quality = "unknown" if self.quality_score is None else f"{self.quality_score:.2f}"
        facts = (
            f"[{self.model_used} | {self.task_type} | ${cost} | quality {quality} | {self.latency_ms:.0f} ms"
            f" | audit {self.audit_hash[:12]}]"
        )
        return f"{self.text}\n{facts}{' (simulated)' if self.simulated else ''}"


def json_object(response: httpx.Response) -> dict[str, Any]:
    """Return the JSON object a successful response carries.

    Raises
    ------
    MalformedReply
        The body is not JSON, or JSON of another kind.
    """
    try:
        body = response.json()
    except ValueError as error:
        raise MalformedReply(f"{response.url}: expected JSON, got {response.text[:200]!r}") from error
    if not isinstance(body, dict):
        raise MalformedReply(f"{response.url}: expected a JSON object, got {type(body).__name__}")
    return body
