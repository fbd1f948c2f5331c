"""What the caller optimises for, turned into prices; and how well a call met it."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from ...state.errors import InvalidRequest
from ...state.savings import saved_share

GOALS = ("cost", "quality", "latency")
DEFAULT_WEIGHTS: dict[str, float] = {"cost": 0.33, "quality": 0.34, "latency": 0.33}
PRESETS: dict[str, dict[str, float]] = {
    "cost-first": {"cost": 0.7, "quality": 0.2, "latency": 0.1},
    "quality-first": {"cost": 0.1, "quality": 0.8, "latency": 0.1},
    "balanced": DEFAULT_WEIGHTS,
    "latency-first": {"cost": 0.1, "quality": 0.2, "latency": 0.7},
}

_BALANCED_RATIO = 0.33 / 0.34
_BALANCED_PRICE = 0.07
"""Quality paid for a reference frontier call by default. At half as much again an org of models far apart saved two
thirds of its cost for six points of quality in one run of ten: more than a default may take without being asked."""
_PRICE_UNDER_BAR = 0.10
"""The same where a quality bar says what is good enough: it guards against loss, and at .07 ten orgs paid a tenth more
for answers well above it."""
_DEARER_EXPONENT, _CHEAPER_EXPONENT = 1.15, 0.6
"""Above and below balanced: cost-first and quality-first come near .30 and .02, prices found on recorded outcomes."""
_LATENCY_EXPONENT = 0.8
_MOST_RATIO = 1e9


def normalise(optimize_for: Mapping[str, Any] | str | None) -> dict[str, float]:
    """Return weights for cost, quality and latency of sum 1; a goal left out weighs 0, None means balanced.

    A text is the name of one of `PRESETS`.

    Raises
    ------
    InvalidRequest
        If a preset is unknown, a key is no goal, a weight is no number >= 0, or all are 0; `field` names the part.
    """
    if optimize_for is None:
        return normalise(DEFAULT_WEIGHTS)
    if isinstance(optimize_for, str) and optimize_for in PRESETS:
        optimize_for = PRESETS[optimize_for]
    if not isinstance(optimize_for, Mapping):
        raise InvalidRequest(
            f"optimize_for must be weights or one of {', '.join(PRESETS)}; got {optimize_for!r}",
            field="optimize_for",
        )
    for key, weight in optimize_for.items():
        _check_weight(key, weight)
    largest = max((float(weight) for weight in optimize_for.values()), default=0.0)
    if largest == 0.0:
        raise InvalidRequest("optimize_for needs a weight above 0, got none", field="optimize_for")
    # Dividing by the largest first keeps the sum finite for any finite weights.
    shares = {goal: float(optimize_for.get(goal, 0.0)) / largest for goal in GOALS}
    total = sum(shares.values())
    return {goal: share / total for goal, share in shares.items()}


def _check_weight(key: str, weight: Any) -> None:
    field = f"optimize_for.{key}"
    if key not in GOALS:
        raise InvalidRequest(f"{field} is unknown; goals are {', '.join(GOALS)}", field=field)
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not is_number or not isfinite(weight) or weight < 0:
        raise InvalidRequest(f"{field} must be a number >= 0, got {weight!r}", field=field)


def quality_price(weights: Mapping[str, float], *, has_bar: bool = False) -> float:
    """Return lambda, the quality paid for a reference frontier call, .005 to 20.

    Balanced weights give .07, and .10 where the policy has a quality bar.
    """
    base = _PRICE_UNDER_BAR if has_bar else _BALANCED_PRICE
    ratio = _relative(weights["cost"], weights["quality"])
    exponent = _DEARER_EXPONENT if ratio > 1.0 else _CHEAPER_EXPONENT
    return float(min(max(base * ratio**exponent, 0.005), 20.0))


def latency_price(weights: Mapping[str, float]) -> float:
    """Return the quality paid for one reference latency, 0 to 20; balanced weights give .03."""
    ratio = _relative(weights["latency"], weights["quality"])
    return float(min(0.03 * ratio**_LATENCY_EXPONENT, 20.0))


def _relative(weight: float, quality_weight: float) -> float:
    """Return (weight / quality weight) / the balanced ratio, at most `_MOST_RATIO`: every price is clipped before."""
    if weight == 0.0:
        return 0.0
    return (
        _MOST_RATIO if quality_weight == 0.0 else min(weight / quality_weight / _BALANCED_RATIO, _MOST_RATIO)
    )


def goal_match(
    *,
    paid_nusd: int,
    reference_cost_nusd: int,
    quality: float,
    latency_ms: float,
    reference_latency_ms: float,
) -> dict[str, float]:
    """Return how well a call met each goal, each 0 to 1, four decimals.

    cost = the share of the reference's cost that was saved, judge included, clipped; quality as judged or,
    unjudged, as estimated; latency = 1 - latency / (2 reference latency), clipped. The reference is the frontier
    model on the same tokens, so a call that cost as much as it scores 0 on cost, and one as fast scores .5 on
    latency.
    """
    match = {
        "cost": saved_share(reference_cost_nusd, paid_nusd)
        if reference_cost_nusd > 0
        else 1.0 - _share(paid_nusd, 0.0),
        "quality": quality,
        "latency": 1.0 - _share(latency_ms, 2.0 * reference_latency_ms),
    }
    return {goal: round(min(max(value, 0.0), 1.0), 4) for goal, value in match.items()}


def _share(part: float, whole: float) -> float:
    """Return part / whole; of nothing, any part is too much."""
    if whole > 0:
        return part / whole
    return 0.0 if part <= 0 else 1.0
