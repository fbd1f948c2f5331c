from decimal import Decimal

import pytest

from x25.providers.price_entries import Prices
from x25.providers.written import parse
from x25.state.errors import ConfigError


def test_every_price_is_named_by_its_place():
    window = {"start": "09:00", "end": "12:00", "output_usd_per_mtok": 3}
    prices = parse(
        Prices,
        {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2, "time_zone": "UTC", "windows": [window]},
        "p.yaml",
    )
    assert prices.named()["output_usd_per_mtok",] == 2
    assert prices.named()["windows", 0, "output_usd_per_mtok"] == Decimal(3)
    assert not prices.is_free


def test_free_is_what_is_known_to_cost_nothing():
    assert parse(Prices, {"input_usd_per_mtok": 0, "output_usd_per_mtok": 0}, "p.yaml").is_free
    assert not parse(Prices, {}, "p.yaml").is_free


def test_a_window_that_changes_nothing_and_one_that_is_empty_are_told_at_once():
    windows = [
        {"start": "09:00", "end": "12:00"},
        {"start": "09:00", "end": "09:00", "input_usd_per_mtok": 1},
    ]
    with pytest.raises(ConfigError) as caught:
        parse(Prices, {"time_zone": "UTC", "windows": windows}, "p.yaml")
    told = str(caught.value).splitlines()
    assert [line.partition(" must be ")[0] for line in told] == [
        "p.yaml: windows[0].input_usd_per_mtok",
        "p.yaml: windows[1].end",
    ]
