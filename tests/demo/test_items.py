from dataclasses import FrozenInstanceError

import pytest

from x25.demo.items import Item


def test_everything_paid_counts(make_routed) -> None:
    assert make_routed("mid", judge_cost_usd=0.005).total_usd == pytest.approx(0.015)


def test_an_item_is_kept_as_it_was_made() -> None:
    item = Item("p", "k", "o")
    assert (item.router, item.model_to_score, item.truth) == ("auto", {}, None)
    with pytest.raises(FrozenInstanceError):
        item.prompt = "q"
