"""What models turned out not to be fit for: one that is gone, or refuses a parameter, is not asked again and again."""

from collections.abc import Collection
from dataclasses import dataclass

from ..state.errors import ModelGone, ProviderError, Unsupported
from ..state.types import TOKEN_LIMITS

GONE_REST_S = 600.0
"""How long a model that is gone is left alone, the first time; twice as long each time after that."""
MOST_GONE_REST_S = 6 * 3600.0
REFUSAL_REST_S = 3600.0
"""How long a refused parameter is remembered."""


@dataclass(frozen=True, slots=True)
class _Absence:
    until_s: float
    rest_s: float


class FitnessBook:
    """What each model refused lately; one process, nothing stored. Times are readings of the monotonic clock."""

    def __init__(self) -> None:
        self._gone: dict[str, _Absence] = {}
        self._refused: dict[tuple[str, str], float] = {}

    def note(self, model_id: str, error: ProviderError, now_s: float) -> None:
        """Remember what a failure says about the model itself."""
        if isinstance(error, ModelGone):
            before = self._gone.get(model_id)
            rest_s = GONE_REST_S if before is None else min(MOST_GONE_REST_S, 2 * before.rest_s)
            if before is None or before.until_s <= now_s:
                self._gone[model_id] = _Absence(now_s + rest_s, rest_s)
        elif isinstance(error, Unsupported) and error.parameter is not None:
            self._refused[model_id, error.parameter] = now_s + REFUSAL_REST_S

    def answered(self, model_id: str) -> None:
        """Forget that a model was gone."""
        self._gone.pop(model_id, None)

    def refuses(self, model_id: str, parameter: str, now_s: float) -> bool:
        """Return whether a model refused a parameter lately."""
        return self._refused.get((model_id, parameter), now_s) > now_s

    def unfit(self, model_id: str, parameters: Collection[str], now_s: float) -> str | None:
        """Return why a model is not to be asked with these parameters, or None."""
        if not self._gone and not self._refused:
            return None
        gone = self._gone.get(model_id)
        if gone is not None and gone.until_s > now_s:
            return "its provider has no such model"
        refused = [name for name in parameters if self.refuses(model_id, name, now_s)]
        return f"it refuses {refused[0]}" if refused else None

    def limit_name(self, model_id: str, wanted: str, now_s: float) -> str | None:
        """Return how the limit on an answer's tokens is called for a model: as wanted where it takes that.

        None when the model takes neither name.
        """
        if not self._refused:
            return wanted
        names = sorted(TOKEN_LIMITS, key=lambda name: name != wanted)
        return next((name for name in names if not self.refuses(model_id, name, now_s)), None)
