"""What a completion used: tokens by kind, and what the vendor says it charged for them."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .types import JSONObject

MOST_TOKENS = 10**9
"""A count beyond this is no count: the longest context windows hold a hundredth of it."""
MOST_DIGITS = 10
"""Of a count that a vendor writes as text."""
_MOST_COST_CHARS = 30
_TICKS_A_DOLLAR = 10**10
"""In how many parts xAI counts a dollar."""

_CACHED_APART = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic's names for what was read from its cache, and written to it."""
_ASKED = ("prompt_tokens_details", "input_tokens_details")
_ANSWERED = ("completion_tokens_details", "output_tokens_details")
"""Where a chat's usage has its details, and where a response's has them, which some vendors send for chats."""
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens")
"""What aggregators call tokens that were written to a cache, among the details of a prompt."""
_USUAL = frozenset({"cached_tokens", "audio_tokens", "image_tokens"})
"""Details of a prompt that tell nothing of that."""
_TELLS_WRITES = frozenset({_CACHED_APART[1], "cache_creation"})


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
    audio_tokens: int = 0
    """The part of `prompt_tokens` that was sound, and `image_tokens` images; read anew, not from a cache."""
    image_tokens: int = 0
    audio_output_tokens: int = 0
    """The part of `completion_tokens` that is sound."""
    cache_write_tokens: int = 0
    """The part of `prompt_tokens` that was written to the provider's cache: read anew, and dearer for some vendors."""
    cache_write_1h_tokens: int = 0
    """The part of `cache_write_tokens` that is kept for an hour, which is dearer still."""
    is_estimate: bool = False
    """Whether the gateway guessed the tokens: of a stream that broke off, or whose vendor does not count."""

    @classmethod
    def from_openai(cls, usage: Any) -> "Usage | None":
        """Read an OpenAI `usage` object; None for one that does not say what was used.

        Details may be missing or senseless, and parts never exceed their whole. Some vendors leave thinking out of
        `completion_tokens` but not out of `total_tokens`. It is billed as output, so what the total holds beyond the
        other two counts as completion, unless the vendor counts its thinking otherwise. A vendor that counted nothing
        at all does not know.
        """
        if not isinstance(usage, dict):
            return None
        reasoning = _detail(usage, _ANSWERED, "reasoning_tokens")
        prompt = _prompt_count(usage)
        completion = _completion_count(usage, prompt, reasoning)
        if prompt is None or completion is None or prompt + completion == 0:
            return None
        written, written_1h = _cache_writes(usage)
        cached = _detail(usage, _ASKED, "cached_tokens")
        if cached is None:
            # Moonshot's place for the same count, DeepSeek's own name, and Anthropic's.
            cached = _first_count(usage, ("cached_tokens", "prompt_cache_hit_tokens", _CACHED_APART[0])) or 0
        cached = min(cached, prompt)
        written = min(written, prompt - cached)
        if reasoning is None:
            reasoning = _count(usage.get("reasoning_tokens"))
        reasoning = min(reasoning or 0, completion)
        audio = min(_detail(usage, _ASKED, "audio_tokens") or 0, prompt - cached)
        image = _detail(usage, _ASKED, "image_tokens") or 0
        spoken = _detail(usage, _ANSWERED, "audio_tokens") or 0
        return cls(
            prompt_tokens=prompt,
            completion_tokens=completion,
            cached_tokens=cached,
            reasoning_tokens=reasoning,
            audio_tokens=audio,
            image_tokens=min(image, prompt - cached - audio),
            audio_output_tokens=min(spoken, completion - reasoning),
            reported_cost_usd=_reported_cost_usd(usage),
            cache_write_tokens=written,
            cache_write_1h_tokens=min(written_1h, written),
            is_estimate=usage.get("estimated") is True,
        )

    def to_openai(self) -> JSONObject:
        """Return OpenAI's `usage` object; `cost` (US dollars) where one was reported, `estimated` of a guess."""
        usage: JSONObject = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning_tokens},
        }
        for group, name, tokens in (
            ("prompt_tokens_details", "audio_tokens", self.audio_tokens),
            ("prompt_tokens_details", "image_tokens", self.image_tokens),
            ("prompt_tokens_details", "cache_write_tokens", self.cache_write_tokens),
            ("prompt_tokens_details", "cache_write_1h_tokens", self.cache_write_1h_tokens),
            ("completion_tokens_details", "audio_tokens", self.audio_output_tokens),
        ):
            if tokens:
                usage[group][name] = tokens
        if self.reported_cost_usd is not None:
            usage["cost"] = float(self.reported_cost_usd)
        if self.is_estimate:
            usage["estimated"] = True
        return usage


def _prompt_count(usage: JSONObject) -> int | None:
    prompt = _count(usage.get("prompt_tokens"))
    if prompt is None and (plain := _count(usage.get("input_tokens"))) is not None:
        # Anthropic counts what was read from its cache, and written to it, apart from the rest of the prompt.
        return plain + sum(_count(usage.get(name)) or 0 for name in _CACHED_APART)
    if prompt is None:
        completion, total = (_count(usage.get(name)) for name in ("completion_tokens", "total_tokens"))
        if completion is not None and total is not None and total > completion:
            return total - completion
    return prompt


def _completion_count(usage: JSONObject, prompt: int | None, reasoning: int | None) -> int | None:
    """Return the tokens of the answer, with the thinking that a vendor counts in the total alone."""
    completion = _first_count(usage, ("completion_tokens", "output_tokens"))
    total = _count(usage.get("total_tokens"))
    surplus = 0 if total is None or prompt is None else total - prompt - (completion or 0)
    if surplus > 0 and reasoning in (None, surplus):
        return (completion or 0) + surplus
    return completion


def _first_count(usage: JSONObject, names: tuple[str, ...]) -> int | None:
    for name in names:
        if (count := _count(usage.get(name))) is not None:
            return count
    return None


def _count(value: Any) -> int | None:
    """Return a number of tokens; None for anything that is none."""
    if value is None:
        return None
    if type(value) is not int:  # which it is nearly always, and this is asked dozens of times a call
        is_text = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
        if not is_text and not (isinstance(value, float) and value.is_integer()):
            return None
        value = int(value)
    return value if 0 <= value <= MOST_TOKENS else None


def _detail(usage: JSONObject, groups: tuple[str, str], key: str) -> int | None:
    for group in groups:
        details = usage.get(group)
        if isinstance(details, dict) and (count := _count(details.get(key))) is not None:
            return count
    return None


def _cache_writes(usage: JSONObject) -> tuple[int, int]:
    """Return the tokens that were written to the vendor's cache, and how many of them for an hour.

    Names of OpenRouter (https://openrouter.ai/docs/use-cases/usage-accounting), LiteLLM, Anthropic
    (https://docs.claude.com/en/docs/build-with-claude/prompt-caching) and our own.
    """
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    if details.keys() <= _USUAL and not usage.keys() & _TELLS_WRITES:
        return 0, 0
    hourly: int | None = _count(details.get("cache_write_1h_tokens"))
    for place in (usage.get("cache_creation"), details.get("cache_creation_token_details")):
        if hourly is None and isinstance(place, dict):
            hourly = _count(place.get("ephemeral_1h_input_tokens"))
    written = _first_count(details, _WRITTEN)
    if written is None:
        written = _count(usage.get(_CACHED_APART[1])) or 0
    return written, hourly or 0


def _reported_cost_usd(usage: JSONObject) -> Decimal | None:
    """Return what was charged in all.

    With the caller's own key OpenRouter's `cost` is its fee, often 0, and the vendor's bill stands in
    `cost_details.upstream_inference_cost` (https://openrouter.ai/docs/use-cases/usage-accounting).
    """
    fee = _fee_usd(usage)
    details = usage.get("cost_details")
    upstream = _dollars(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
    if fee is None or upstream is None:
        return fee if upstream is None else upstream
    is_own_key = usage.get("is_byok") is True or fee == 0
    return fee + upstream if is_own_key else fee


def _fee_usd(usage: JSONObject) -> Decimal | None:
    """Return what a vendor says it charged.

    Perplexity tells parts and their sum (https://docs.perplexity.ai/api-reference/chat-completions-post), xAI counts in
    parts of a dollar (https://docs.x.ai/docs/api-reference).
    """
    told = usage.get("cost")
    if isinstance(told, dict):
        told = told.get("total_cost")
    ticks = _dollars(usage.get("cost_in_usd_ticks")) if told is None else None
    return _dollars(told) if ticks is None else ticks / _TICKS_A_DOLLAR


def _dollars(value: Any) -> Decimal | None:
    is_text = isinstance(value, str) and value.isascii() and 0 < len(value) <= _MOST_COST_CHARS
    if isinstance(value, bool) or not (is_text or isinstance(value, int | float | Decimal)):
        return None
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return None
    return cost if cost.is_finite() and cost >= 0 else None
