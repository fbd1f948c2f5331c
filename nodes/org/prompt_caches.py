"""How much of a follow-up's prompt its author's vendor reads from its own cache, as found in this process.

Vendors charge a tenth or so for the beginning of a prompt that they have read minutes ago, so whoever goes on with a
conversation may cost less than whoever is cheaper at a first question. Nothing is taken for granted: a share counts
once it was seen in what the vendor billed for answers to that org.
"""

from dataclasses import dataclass

from cachetools import LRUCache

from ...routing.plan.affinity import Author
from ...state.answers import Answer
from ...state.usage import Usage

MOST_SEEN = 4_096
"""Models as single orgs meet them that are remembered, the latest asked."""
KEEP = 0.8
"""What one follow-up leaves of those before it."""
TRUST = 1.0
"""Follow-ups of which nothing came from a cache that are taken for granted."""


@dataclass(frozen=True, slots=True)
class _Seen:
    count: float = 0.0
    shares: float = 0.0


class PromptCacheBook:
    """Shares of prompts that were read from vendors' caches, by org and model."""

    def __init__(self) -> None:
        self._seen: LRUCache[tuple[str, str], _Seen] = LRUCache(MOST_SEEN)

    def note(self, org: str, before: Author | None, answer: Answer) -> None:
        """Note what was billed for an answer, where it goes on with one of the same model; else nothing."""
        if before is None or before.model_id != answer.model_id:
            return
        usage = Usage.from_openai(answer.usage)
        if usage is None or not usage.prompt_tokens:
            return
        seen = self._seen.get((org, answer.model_id), _Seen())
        share = usage.cached_tokens / usage.prompt_tokens
        self._seen[org, answer.model_id] = _Seen(KEEP * seen.count + 1.0, KEEP * seen.shares + share)

    def share(self, org: str, model_id: str, author: Author | None) -> float:
        """Return the share of a prompt, 0 to below 1, that a model is expected to read from its vendor's cache.

        0 of any model but the `author` of the newest answer: what one vendor has read, no other has.
        """
        if author is None or author.model_id != model_id:
            return 0.0
        seen = self._seen.get((org, model_id), _Seen())
        return seen.shares / (seen.count + TRUST)

    def forget(self, org: str) -> None:
        """Drop what was seen for an org."""
        for key in [key for key in self._seen if key[0] == org]:
            del self._seen[key]
