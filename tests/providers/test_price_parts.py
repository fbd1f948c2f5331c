from decimal import Decimal

from x25.providers.price_parts import NO_PARTS, PartPrices
from x25.state.usage import Usage

ALL = Usage(100, 50, audio_tokens=10, image_tokens=20, reasoning_tokens=5, audio_output_tokens=4)


def test_a_part_without_a_price_costs_what_the_whole_costs_and_never_nothing():
    assert NO_PARTS.surplus(ALL, paid=Decimal(1), answered=Decimal(2), sound=None, usual=Decimal(1)) == 0
    assert (NO_PARTS.dearest_input(Decimal(1), Decimal(1)), NO_PARTS.dearest_output(Decimal(2))) == (1, 2)


def test_each_part_adds_what_it_costs_more_or_takes_off_what_it_costs_less():
    prices = PartPrices(Decimal("0.5"), Decimal(9), Decimal(3))
    surplus = prices.surplus(ALL, paid=Decimal(1), answered=Decimal(2), sound=Decimal(6), usual=Decimal(1))
    assert surplus == 10 * 5 - 20 * Decimal("0.5") + 4 * 7 + 5 * 1
    assert prices.dearest_input(Decimal(1), Decimal(1)) == 1  # images are cheaper
    assert prices.dearest_output(Decimal(2)) == 9


def test_what_is_written_to_a_cache_costs_its_own_price_and_as_many_times_that_of_a_long_prompt():
    prices = PartPrices(cache_write_usd_per_mtok=Decimal("1.25"), cache_write_1h_usd_per_mtok=Decimal(2))
    usage = Usage(100, 50, cached_tokens=20, cache_write_tokens=60, cache_write_1h_tokens=10)
    one, two = Decimal(1), Decimal(2)
    assert prices.surplus(usage, paid=one, answered=two, sound=None, usual=one) == Decimal("22.5")
    assert prices.surplus(usage, paid=two, answered=two, sound=None, usual=one) == Decimal(45)
    assert prices.dearest_input(one, one) == Decimal("1.25")
    assert prices.dearest_input(two, one) == Decimal("2.5")
    free = Decimal(0)
    assert prices.surplus(usage, paid=free, answered=free, sound=None, usual=free) == Decimal("82.5")
    alike = PartPrices(cache_write_usd_per_mtok=Decimal("1.25"))
    assert alike.surplus(usage, paid=one, answered=two, sound=None, usual=one) == 15
