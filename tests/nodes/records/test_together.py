import asyncio

import pytest

from x25.nodes.records.together import PLACE, Place, Together
from x25.state.errors import OverBudget


async def test_nobody_goes_on_until_all_have_arrived():
    together = Together(3)
    places = [Place(together) for _ in range(3)]
    waiting = [asyncio.create_task(place.arrive()) for place in places[:2]]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    await places[2].arrive()
    await asyncio.gather(*waiting)
    await places[0].arrive()  # a second request of the same call waits for nobody
    together.broke()
    places[0].check()  # too late


async def test_one_that_ends_before_it_arrived_stops_the_others():
    together = Together(2)
    here, gone = Place(together), Place(together)
    waiting = asyncio.create_task(here.arrive())

    async def fail() -> None:
        raise ValueError

    call = asyncio.create_task(fail())
    call.add_done_callback(gone.left)
    with pytest.raises(OverBudget, match="another answer of the same request"):
        await waiting
    with pytest.raises(OverBudget):
        here.check()
    with pytest.raises(ValueError):
        await call


async def test_one_that_is_cancelled_stops_the_others_and_one_that_succeeds_does_not():
    together = Together(2)
    fine = asyncio.create_task(asyncio.sleep(0))
    await fine
    Place(together).left(fine)
    await Place(together).arrive()
    together = Together(2)
    gone = Place(together)
    call = asyncio.create_task(asyncio.sleep(9))
    call.cancel()
    await asyncio.wait([call])
    gone.left(call)
    assert together.is_broken


async def test_a_call_alone_has_no_place():
    assert PLACE.get() is None
