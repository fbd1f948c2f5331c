"""What can be priced before it is asked: under a cap or a budget nothing else is sent.

A cap holds because a request's cost is bounded before it is made. What a vendor bills otherwise than by the tokens of
the request and of an answer of limited length has no such bound, so it is refused by name where money is bounded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ...state.errors import InvalidRequest
from ..prompt.media import take_out

BY_TOKENS = frozenset({
    # sampling
    "temperature", "top_p", "top_k", "top_a", "min_p", "typical_p", "seed", "random_seed", "logit_bias",
    "frequency_penalty", "presence_penalty", "repetition_penalty", "length_penalty", "logprobs", "top_logprobs",
    # where an answer ends
    "max_tokens", "max_completion_tokens", "min_tokens", "stop", "stop_sequences", "stop_token_ids", "ignore_eos",
    # form of the answer
    "response_format", "verbosity", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls",
    "guided_json", "guided_regex", "guided_choice", "guided_grammar", "structured_outputs", "skip_special_tokens",
    "modalities", "text",
    # thinking
    "reasoning_effort", "reasoning", "include_reasoning", "thinking", "thinking_budget", "enable_thinking",
    "chat_template_kwargs",
    # further input
    "documents", "prediction", "safe_prompt",
    # bookkeeping
    "user", "safety_identifier", "metadata", "store", "service_tier", "prompt_cache_key", "prompt_cache_retention",
    "cache_control", "memory_hit",
})  # fmt: skip
"""Options billed by tokens alone, or not at all."""
PRICED_SERVICE_TIERS = frozenset(
    {"auto", "default", "standard", "standard_only", "on_demand", "flex", "priority"}
)
"""Classes of service whose price relative to the usual one is known."""
_MOST_THINKING = 10_000_000
"""More tokens than any model thinks for."""
_TOOL_KINDS = frozenset({"function", "custom"})


def check_priceable(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
    """Check that a request holds nothing whose price cannot be bounded.

    Raises
    ------
    InvalidRequest
        Naming the part, when a cap or a budget cannot be kept with it.
    """
    for field, what in _unpriceable(messages, options):
        raise InvalidRequest(
            f"{field}: {what} has no price that is known beforehand, so neither a cost cap nor a budget can be "
            "kept; leave it out, or the policy",
            field=field,
        )


def _unpriceable(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [
        (place.partition(" ")[0], f"a part of {place.partition(' ')[2].strip('()')}")
        for place in take_out(messages).unknown
    ]
    given = {key: value for key, value in options.items() if value is not None}
    found += [(f"options.{key}", "this option") for key in given if key not in BY_TOKENS]
    if given.get("modalities") not in (None, ["text"]):
        found.append(("options.modalities", "an answer that is not text"))
    tier = given.get("service_tier")
    if not (tier is None or (isinstance(tier, str) and tier in PRICED_SERVICE_TIERS)):
        found.append(("options.service_tier", f"the service tier {tier!r}"))
    for index, tool in enumerate(given.get("tools") or ()):
        kind = tool.get("type", "function")
        if kind not in _TOOL_KINDS:
            found.append((f"options.tools[{index}].type", f"a tool of the vendor's own ({kind!r})"))
    return found


def bound_extra_output(options: Mapping[str, Any]) -> int:
    """Return the most tokens billed as output beyond the limit on the answer.

    OpenAI bills predicted tokens that were rejected ("Predicted outputs"); Alibaba does not count thinking in the
    limit, but in a budget of its own ("Deep thinking"), so a budget named by the caller comes on top.
    """
    prediction, extra = options.get("prediction"), 0
    if prediction:
        extra += len(str(prediction).encode("utf-8", "surrogatepass"))
    for holder, key in (("reasoning", "max_tokens"), ("thinking", "budget_tokens")):
        value = options.get(holder)
        extra += _count(value.get(key)) if isinstance(value, Mapping) else 0
    return extra + _count(options.get("thinking_budget"))


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return max(0, min(value, _MOST_THINKING))
