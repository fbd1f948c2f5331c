"""The gate for probabilities of an answer's tokens: of known types and bounded size, or a named failure."""

import math
from collections.abc import Mapping
from typing import Any

from ...state.errors import ProviderMalformed, Unsupported
from ...state.types import JSONObject, LikelyToken, Logprobs, TokenLogprob

MOST_TOKENS = 2**19
"""More than any model answers with."""
MOST_ALTERNATIVES = 32
"""A request may ask for 20; some vendors add the token itself."""
MOST_TOKEN_CHARS = 4_096
MOST_TOKEN_BYTES = 4 * MOST_TOKEN_CHARS


def logprobs_of(
    choice: Mapping[str, Any], message: JSONObject, options: Mapping[str, Any], deployment: str
) -> Logprobs | None:
    """Return how likely an answer's tokens were, where the request asked for that; anything else of them is left out.

    An answer without text, such as a call of a tool, may come without them.

    Raises
    ------
    ProviderMalformed
        When they are no list of tokens with finite numbers, or too many.
    Unsupported
        When a text comes without any: the vendor took the parameter and passed it over.
    """
    if options.get("logprobs") is not True:
        return None
    given = choice.get("logprobs")
    if given is not None and not isinstance(given, dict):
        raise ProviderMalformed(f"{deployment}: logprobs is {type(given).__name__}")
    said = given or {}
    content = _tokens(said.get("content"), "logprobs.content", deployment)
    refusal = _tokens(said.get("refusal"), "logprobs.refusal", deployment)
    if not content and not refusal and _is_text(message):
        passed_over = Unsupported(
            f"{deployment} answered without the logprobs that were asked for", parameter="logprobs"
        )
        passed_over.may_have_billed = True
        raise passed_over
    return None if given is None else Logprobs(content=content, refusal=refusal)


def streamed_logprobs(given: Any, deployment: str) -> Logprobs | None:
    """Return how likely the tokens of one chunk were; None where it does not say.

    Raises
    ------
    ProviderMalformed
        When they are no list of tokens with finite numbers, or too many.
    """
    if given is None:
        return None
    if not isinstance(given, dict):
        raise ProviderMalformed(f"{deployment}: logprobs is {type(given).__name__}")
    content = _tokens(given.get("content"), "logprobs.content", deployment)
    refusal = _tokens(given.get("refusal"), "logprobs.refusal", deployment)
    return Logprobs(content=content, refusal=refusal)


def _is_text(message: JSONObject) -> bool:
    calls = message.get("tool_calls") or message.get("function_call")
    return bool(message.get("content")) and not calls


def _tokens(given: Any, where: str, deployment: str) -> list[TokenLogprob] | None:
    if given is None:
        return None
    listed = _listed(given, MOST_TOKENS, where, deployment)
    return [_token(one, f"{where}[{place}]", deployment) for place, one in enumerate(listed)]


def _token(given: Any, where: str, deployment: str) -> TokenLogprob:
    likely = _likely(given, where, deployment)
    others = given.get("top_logprobs")
    place = f"{where}.top_logprobs"
    listed = [] if others is None else _listed(others, MOST_ALTERNATIVES, place, deployment)
    return TokenLogprob(**likely, top_logprobs=[_likely(one, place, deployment) for one in listed])


def _likely(given: Any, where: str, deployment: str) -> LikelyToken:
    token = given.get("token") if isinstance(given, dict) else None
    if not isinstance(token, str) or len(token) > MOST_TOKEN_CHARS:
        raise ProviderMalformed(
            f"{deployment}: {where} holds no token of at most {MOST_TOKEN_CHARS} characters"
        )
    logprob = given.get("logprob")
    if isinstance(logprob, bool) or not isinstance(logprob, int | float) or not math.isfinite(logprob):
        raise ProviderMalformed(f"{deployment}: {where}.logprob is no finite number")
    return LikelyToken(
        token=token, logprob=float(logprob), bytes=_bytes(given.get("bytes"), where, deployment)
    )


def _bytes(given: Any, where: str, deployment: str) -> list[int] | None:
    if given is None:
        return None
    listed = _listed(given, MOST_TOKEN_BYTES, f"{where}.bytes", deployment)
    if not all(type(one) is int and 0 <= one < 256 for one in listed):
        raise ProviderMalformed(f"{deployment}: {where}.bytes holds something else than bytes")
    return listed


def _listed(given: Any, most: int, where: str, deployment: str) -> list[Any]:
    if not isinstance(given, list) or len(given) > most:
        raise ProviderMalformed(f"{deployment}: {where} is no list of at most {most:,}")
    return given
