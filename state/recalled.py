"""What is remembered: passages of earlier calls, and what of them was added to a request."""

from dataclasses import dataclass
from datetime import datetime

from .types import JSONObject


@dataclass(frozen=True, slots=True)
class Memory:
    """A passage that was said in an earlier call."""

    memory_id: str
    conversation_id: str
    call_id: str
    role: str
    """Who said it: "user" or "assistant"."""
    text: str
    said_at: datetime
    """UTC."""
    allowed_providers: tuple[str, ...] | None = None
    """Who alone may read it, as the call it was said in demanded; None = anybody."""
    similarity: float | None = None
    """Cosine of its vector and the question's, -1 to 1; None where nobody compared them."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What memory had to say to a request: passages within the budget, and the block of text they became."""

    budget_tokens: int
    scope: str
    """Whose passages they are within the org: a user's, or nobody's."""
    memories: tuple[Memory, ...] = ()
    tokens: int = 0
    """Of the block, by `routing.prompt.tokens.estimate_tokens`."""
    block: str = ""
    """What is put before the newest question, as the user's words: quoted, and said to be no instructions."""
    withheld: int = 0
    """Relevant passages left out because the call that said them allowed other providers."""
    helps: bool = False
    """Whether a passage is close enough to the question to answer part of it."""
    missing: str | None = None
    """Why nothing is remembered although it was asked for."""
    left_out: str | None = None
    """Why what was found was not added after all."""
    where: str = ""
    """Which store the passages are in."""


def with_block(messages: list[JSONObject], block: str) -> list[JSONObject]:
    """Return the messages with a block of text at the head of the newest user message; as they are without one.

    Within that message, and not as one of its own: some models' templates refuse two messages of one role in a row.
    """
    newest = max((index for index, one in enumerate(messages) if one.get("role") == "user"), default=None)
    if newest is None or not block:
        return messages
    content = messages[newest].get("content")
    text = {"type": "text", "text": block}
    content = [text, *content] if isinstance(content, list) else f"{block}{content or ''}"
    return [*messages[:newest], {**messages[newest], "content": content}, *messages[newest + 1 :]]
