"""An answer that is given again: what was kept of it, and as what it was found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .types import JSONObject

CacheType = Literal["exact", "semantic"]
"""Whether the very request was answered before, or one that asks the same in other words."""


@dataclass(frozen=True, slots=True)
class CacheKeys:
    """By what a call's answer is found again: digests, 64 hex digits each."""

    exact: str
    """Of everything that changes an answer."""
    context: str | None = None
    """Of the same without the newest question; None where no similar question may be answered by it."""
    is_read: bool = True
    """Whether an answer is looked for; False where the caller wants a fresh one."""
    max_age_s: float = 3600.0
    hindrance: str | None = None
    """Why nothing is looked for and nothing kept, although a cache is asked for."""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a call's answer was, and what is told of it whenever it is given again."""

    message: JSONObject
    """The OpenAI assistant message."""
    finish_reason: str | None
    logprobs: str | None
    """`Logprobs` as JSON, where the request asked for them."""
    usage: JSONObject
    """Tokens it took when it was bought."""
    model_id: str
    provider: str
    tier: str
    simulated: bool
    task_type: str
    task_cell: str
    difficulty: float
    quality_score: float | None
    verdict: JSONObject
    paid_nusd: int
    """What its call cost, judge included: what giving it again saves."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A kept answer that a call is answered with."""

    type: CacheType
    call_id: str
    """The call that bought it."""
    made_at: datetime
    """UTC."""
    answer: KeptAnswer
    similarity: float | None = None
    """Of a semantic one: probability, by the verifier, that both questions want the same answer."""
