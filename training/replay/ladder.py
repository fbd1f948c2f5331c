"""What a ceiling on spending buys: reward at each of a ladder of mean costs per call."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.measures import static_mixture
from .episodes import Ceiling, orders_of, run
from .learners import COLD, Bandit, Greedy, Offset
from .regret import Setting
from .streams import Replayed, Side

Floats = NDArray[np.float64]

CEILINGS_USD = (0.000083, 0.00023, 0.0003, 0.00065, 0.0017, 0.0047)
PUBLISHED_REWARD = dict(zip(CEILINGS_USD, (0.813, 0.859, 0.875, 0.898, 0.917, 0.924), strict=True))
"""ParetoBandit's own rewards at these ceilings, on its test split of 1,824 prompts."""
PUBLISHED_STREAM = (
    "meta-llama/llama-3.1-8b-instruct",
    "mistralai/mistral-large-2512",
    "google/gemini-2.5-pro",
)


def price_for(side: Side, ceiling_usd: float) -> float:
    """Return the reward a dollar must be worth for the predicted best choices to cost the ceiling on average.

    Prices between 1e-6 and 1e6 reward points a dollar are searched; predicted rewards and costs alone decide.
    """
    low, high = 1e-6, 1e6
    for _ in range(60):
        price = float(np.sqrt(low * high))
        chosen = (side.probs - price * side.predicted_usd).argmax(axis=1)
        mean = side.predicted_usd[np.arange(len(side)), chosen].mean()
        low, high = (price, high) if mean > ceiling_usd else (low, price)
    return high


def ceiling_for(replayed: Replayed, usd_per_call: float) -> Ceiling:
    """Return a ceiling priced on the warm side, or on what is believed of the stream where nothing was logged."""
    return Ceiling(usd_per_call, price_for(replayed.warm or replayed.stream, usd_per_call))


def measure_ladder(
    replayed: Replayed, ceilings_usd: tuple[float, ...], setting: Setting
) -> list[dict[str, Any]]:
    """Return one row a ceiling: reward, spending over the ceiling, the best static mixture, the published figure."""
    return [_rung(replayed, usd, setting) for usd in ceilings_usd]


def _rung(replayed: Replayed, usd: float, setting: Setting) -> dict[str, Any]:
    side = replayed.stream
    orders = orders_of(len(side), setting.orders, setting.seed)
    ceiling = ceiling_for(replayed, usd)
    learner: Bandit = (
        Offset(side.probs, setting.orders, COLD)
        if replayed.warm is None
        else Offset(side.probs, setting.orders)
    )
    trace = run(side, learner, orders, setting.rng("ladder", usd), ceiling=ceiling)
    greedy = run(side, Greedy(side.probs), orders, setting.rng("greedy", usd), ceiling=ceiling)
    setting.tick(f"ceiling ${usd:g}")
    ratio = trace.costs_usd.mean(axis=1) / usd
    return {
        "ceiling_usd": usd,
        "reward": float(trace.rewards.mean()),
        "reward_sd": float(trace.rewards.mean(axis=1).std()),
        "spend_ratio_mean": float(ratio.mean()),
        "spend_ratio_max": float(ratio.max()),
        "greedy": float(greedy.rewards.mean()),
        "static_mixture": static_mixture(side.rewards, side.costs_usd, usd),
        "published": PUBLISHED_REWARD.get(usd) if side.models == PUBLISHED_STREAM else None,
        "price_per_usd": ceiling.price_per_usd,
        "shares": {model: float((trace.arms == arm).mean()) for arm, model in enumerate(side.models)},
    }
