import asyncio

from x25.providers.hedging import LEAST, Lateness, first_good
from x25.providers.specs import Deployment

ONE = Deployment("one", "https://one.example/v1", "m")


def after(seconds, outcome, ended=None):
    async def run():
        try:
            await asyncio.sleep(seconds)
        finally:
            if ended is not None:
                ended.append(outcome)
        return outcome

    return run


def is_good(outcome):
    return outcome > 0


def test_a_request_is_late_when_it_takes_longer_than_95_in_100_did():
    lateness = Lateness()
    for latency_ms in range(1, LEAST):
        lateness.note(ONE, latency_ms * 100)
    assert lateness.late_after_s(ONE) is None
    lateness.note(ONE, LEAST * 100)
    assert lateness.late_after_s(ONE) == 1.9


async def test_a_request_in_time_is_the_only_one():
    asked = []
    assert await first_good(after(0, 1), after(0, 2, asked), 0.2, is_good) == 1
    assert asked == []


async def test_the_faster_of_two_wins_and_the_other_has_ended():
    ended = []
    assert await first_good(after(5, 1, ended), after(0, 2), 0.01, is_good) == 2
    assert ended == [1]


async def test_a_bad_outcome_waits_for_the_other_one_and_two_bad_ones_are_the_firsts():
    assert await first_good(after(0.03, -1), after(0.05, 2), 0.01, is_good) == 2
    assert await first_good(after(0.05, -1), after(0.0, -2), 0.01, is_good) == -1


async def test_whoever_cancels_the_race_cancels_both():
    ended = []
    race = asyncio.create_task(first_good(after(5, 1, ended), after(5, 2, ended), 0.01, is_good))
    await asyncio.sleep(0.05)
    race.cancel()
    await asyncio.gather(race, return_exceptions=True)
    assert sorted(ended) == [1, 2]
