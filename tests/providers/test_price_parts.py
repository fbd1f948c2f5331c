from decimal import Decimal

from x25.providers.price_parts import NO_PARTS, PartPrices
from x25.state.usage import Usage

ALL = Usage(100, 50, audio_tokens=10, image_tokens=20, reasoning_tokens=5, audio_output_tokens=4)


def test_a_part_without_a_price_costs_what_the_whole_costs_and_never_nothing():
    assert NO_PARTS.surplus(ALL, paid=Decimal(1), answered=Decimal(2), sound=None) == 0
    assert (NO_PARTS.dearest_input(Decimal(1)), NO_PARTS.dearest_output(Decimal(2))) == (1, 2)


def test_each_part_adds_what_it_costs_more_or_takes_off_what_it_costs_less():
    prices = PartPrices(Decimal("0.5"), Decimal(9), Decimal(3))
    surplus = prices.surplus(ALL, paid=Decimal(1), answered=Decimal(2), sound=Decimal(6))
    assert surplus == 10 * 5 - 20 * Decimal("0.5") + 4 * 7 + 5 * 1
    assert prices.dearest_input(Decimal(1)) == 1  # images are cheaper
    assert prices.dearest_output(Decimal(2)) == 9
