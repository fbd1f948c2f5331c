"""What models turned out not to be fit for: one that is gone, or refuses a parameter, is not asked again and again."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from ..state.errors import ModelGone, ProviderError, Unsupported
from ..state.types import TOKEN_LIMITS

_Place = TypeVar("_Place")
_Value = TypeVar("_Value")

GONE_REST_S = 600.0
"""How long a model that is gone is left alone, the first time; twice as long each time after that."""
MOST_GONE_REST_S = 6 * 3600.0
REFUSAL_REST_S = 3600.0
"""How long a refused parameter is remembered."""


MOST_REMEMBERED = 8192
"""Findings that are remembered; the oldest go first."""


@dataclass(frozen=True, slots=True)
class _Absence:
    until_s: float
    rest_s: float


@dataclass(frozen=True, slots=True)
class _Found:
    """What something was found to be like, and by whom."""

    org: str
    until_s: float


class FitnessBook:
    """What each model refused lately; one process, nothing stored. Times are readings of the monotonic clock.

    What one org's request was refused may lie with its words or its key, so it holds for that org; once a second org's
    was refused the same, for all.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._gone: OrderedDict[tuple[str, str | None], _Absence] = OrderedDict()
        """By model and org; None = for all."""
        self._refused: OrderedDict[tuple[str, str, str | None], float] = OrderedDict()
        self._last: OrderedDict[tuple[str, str | None], _Found] = OrderedDict()
        """By model and parameter, None = the model itself, what was found last."""
        self._most = most

    def note(self, model_id: str, error: ProviderError, now_s: float, org: str = "") -> None:
        """Remember what a failure of an org's request says about the model itself."""
        if isinstance(error, ModelGone):
            for whom in self._whom(model_id, None, org, now_s, GONE_REST_S):
                before = self._gone.get((model_id, whom))
                rest_s = GONE_REST_S if before is None else min(MOST_GONE_REST_S, 2 * before.rest_s)
                if before is None or before.until_s <= now_s:
                    _put(self._gone, (model_id, whom), _Absence(now_s + rest_s, rest_s), self._most)
        elif isinstance(error, Unsupported) and error.parameter is not None:
            for whom in self._whom(model_id, error.parameter, org, now_s, REFUSAL_REST_S):
                _put(self._refused, (model_id, error.parameter, whom), now_s + REFUSAL_REST_S, self._most)

    def _whom(
        self, model_id: str, parameter: str | None, org: str, now_s: float, rest_s: float
    ) -> tuple[str | None, ...]:
        """Return for whom a finding holds: for its org, and for all (None) where another org found it lately."""
        before = self._last.get((model_id, parameter))
        _put(self._last, (model_id, parameter), _Found(org, now_s + rest_s), self._most)
        is_common = before is not None and before.org != org and before.until_s > now_s
        return (org, None) if is_common else (org,)

    def answered(self, model_id: str, org: str = "") -> None:
        """Forget that a model was gone, for an org that it answered and for all."""
        if self._gone:
            self._gone.pop((model_id, org), None)
            self._gone.pop((model_id, None), None)
            self._last.pop((model_id, None), None)

    def refuses(self, model_id: str, parameter: str, now_s: float, org: str = "") -> bool:
        """Return whether a model refused a parameter lately."""
        return any(self._refused.get((model_id, parameter, whom), now_s) > now_s for whom in (org, None))

    def unfit(self, model_id: str, parameters: Collection[str], now_s: float, org: str = "") -> str | None:
        """Return why a model is not to be asked with these parameters, or None."""
        if not self._gone and not self._refused:
            return None
        gone = (self._gone.get((model_id, whom)) for whom in (org, None))
        if any(one is not None and one.until_s > now_s for one in gone):
            return "its provider has no such model"
        refused = [name for name in parameters if self.refuses(model_id, name, now_s, org)]
        return f"it refuses {refused[0]}" if refused else None

    def limit_name(self, model_id: str, wanted: str, now_s: float, org: str = "") -> str | None:
        """Return how the limit on an answer's tokens is called for a model: as wanted where it takes that.

        None when the model takes neither name.
        """
        if not self._refused:
            return wanted
        names = sorted(TOKEN_LIMITS, key=lambda name: name != wanted)
        return next((name for name in names if not self.refuses(model_id, name, now_s, org)), None)


def _put(kept: "OrderedDict[_Place, _Value]", place: _Place, value: _Value, most: int) -> None:
    """Keep a value as the newest, and no more than `most`."""
    kept[place] = value
    kept.move_to_end(place)
    if len(kept) > most:
        kept.popitem(last=False)
