"""How sure the model was of its own words: token log-probabilities, where a provider returns them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LOGPROB_FEATURE_NAMES = (
    "has_logprobs", "logprob_mean", "logprob_min", "logprob_p05", "logprob_p25", "logprob_p50",
    "unlikely_token_share",
)  # fmt: skip
"""What each entry of `logprob_features` is."""
_QUANTILES = (0.0, 0.05, 0.25, 0.5)
_LOWEST = -20.0
_UNLIKELY = -1.0  # the model gave the token less than about 37 %


def read_logprobs(choice: Mapping[str, Any]) -> list[float] | None:
    """Return the tokens' log-probabilities of one choice of a chat completion; None where there are none.

    Reads `choice["logprobs"]["content"][i]["logprob"]`, in OpenAI's words; whatever is no number is passed over.
    """
    given = choice.get("logprobs")
    content = given.get("content") if isinstance(given, Mapping) else None
    if not isinstance(content, list):
        return None
    found = [token.get("logprob") for token in content if isinstance(token, Mapping)]
    numbers = [float(one) for one in found if isinstance(one, int | float) and not isinstance(one, bool)]
    return numbers or None


def logprob_features(logprobs: Sequence[float] | None) -> tuple[float, ...]:
    """Return presence, mean, low quantiles (cut off at -20) and the share below -1; all 0 where there are none."""
    if not logprobs:
        return (0.0,) * len(LOGPROB_FEATURE_NAMES)
    values = np.clip(np.nan_to_num(np.asarray(logprobs, dtype=np.float64), nan=_LOWEST), _LOWEST, 0.0)
    return (
        1.0,
        float(values.mean()),
        *map(float, np.quantile(values, _QUANTILES)),
        float((values < _UNLIKELY).mean()),
    )
