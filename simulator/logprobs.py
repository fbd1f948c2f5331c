"""Probabilities of a simulated answer's tokens: drawn, not computed, in OpenAI's shape."""

from math import log
from typing import Any

from .tasks import chance

CHARS_PER_TOKEN = 4
"""As the simulator counts tokens."""
STAND_IN = "<simulated {}>"
"""What stands in the place of the tokens that a real model would have found likely as well."""

JSONObject = dict[str, Any]


def logprobs_of(text: str | None, body: JSONObject, seed: int) -> JSONObject | None:
    """Return what a request asks for of a text's tokens; None where it asks for nothing, or there is no text.

    The first of the alternatives is the token itself; the others share half of what it leaves, in shrinking parts.
    """
    if body.get("logprobs") is not True or text is None:
        return None
    most = int(body.get("top_logprobs") or 0)
    starts = range(0, len(text), CHARS_PER_TOKEN)
    tokens = [text[start : start + CHARS_PER_TOKEN] for start in starts]
    return {
        "content": [
            _token(token, chance(seed, text, str(place)), most) for place, token in enumerate(tokens)
        ],
        "refusal": None,
    }


def _token(token: str, draw: float, most: int) -> JSONObject:
    prob = 0.5 + draw / 2
    others = [(STAND_IN.format(rank), (1 - prob) / 2**rank) for rank in range(1, most)]
    top = [(token, prob), *others][:most]
    return {**_likely(token, prob), "top_logprobs": [_likely(*one) for one in top]}


def _likely(token: str, prob: float) -> JSONObject:
    return {"token": token, "logprob": log(prob), "bytes": list(token.encode())}
