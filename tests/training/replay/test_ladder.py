import numpy as np

from x25.training.replay.ladder import measure_ladder, price_for
from x25.training.replay.regret import Setting


def test_a_dearer_ceiling_has_a_lower_price(side):
    prices = [price_for(side, usd) for usd in (0.0003, 0.001, 0.004)]
    assert prices == sorted(prices, reverse=True)


def test_the_price_meets_the_ceiling_as_closely_as_arms_allow(side):
    price = price_for(side, 0.004)
    chosen = (side.probs - price * side.predicted_usd).argmax(axis=1)
    mean = side.predicted_usd[np.arange(len(side)), chosen].mean()
    assert mean <= 0.004 + 1e-9


def test_every_rung_is_kept_and_a_dearer_one_buys_more(replayed):
    ceilings = (0.0003, 0.001, 0.004)
    rows = measure_ladder(replayed, ceilings, Setting(orders=4))
    assert [row["ceiling_usd"] for row in rows] == list(ceilings)
    rewards = [row["reward"] for row in rows]
    assert rewards == sorted(rewards)
    # A stream of 400 calls: the guard alone is half a percent, one overrun of the dearest arm more.
    assert all(row["spend_ratio_max"] < 1.03 for row in rows)


def test_published_figures_stand_only_beside_the_published_arms(replayed):
    assert measure_ladder(replayed, (0.00023,), Setting(orders=1))[0]["published"] is None
