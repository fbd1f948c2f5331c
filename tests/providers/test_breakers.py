import time
from dataclasses import replace

import pytest

from x25.providers.breaker import Tolerance
from x25.providers.breakers import BreakerBook, place_of
from x25.providers.specs import Deployment
from x25.state.errors import ProviderBadRequest, ProviderRateLimit, ProviderServer, ProviderTimeout

ONE = Deployment("one", "https://one.example/v1", "m", ("K",))
DOWN = ProviderServer("down")


@pytest.fixture
def book():
    return BreakerBook(Tolerance(failures=3, rest_s=10.0, longest_rest_s=40.0, probe_s=4.0))


@pytest.fixture
def spec(model):
    return model()


def fail(book, spec, key="k1", times=3, now_s=0.0, error=DOWN):
    for _ in range(times):
        book.failed(spec, ONE, key, error, now_s)


async def test_no_request_is_admitted_while_one_is_open_and_one_probe_afterwards(book, spec):
    fail(book, spec)
    assert not await book.admit(ONE, "k1", 9.9)
    assert await book.admit(ONE, "k1", 10.0)
    assert not await book.admit(ONE, "k1", 10.0)


async def test_an_answered_probe_closes_it_and_a_failed_one_opens_it_for_longer(book, spec):
    fail(book, spec)
    await book.admit(ONE, "k1", 10.0)
    fail(book, spec, times=1, now_s=11.0)
    assert book.wait_s(ONE, 11.0) == 20.0
    await book.admit(ONE, "k1", 31.0)
    book.answered(ONE, "k1")
    assert len(book) == 0
    assert await book.admit(ONE, "k1", 31.0)


async def test_a_key_that_fails_beside_a_good_one_is_left_alone_by_itself(book, spec):
    for _ in range(3):
        book.failed(spec, ONE, "bad", DOWN, 0.0)
        book.answered(ONE, "good")
    assert await book.admit(ONE, "good", 0.0)
    wait_of = book.wait_of_key(ONE, 0.0)
    assert (wait_of("bad"), wait_of("good"), book.wait_s(ONE, 0.0)) == (10.0, 0.0, 0.0)


@pytest.mark.parametrize("error", [ProviderBadRequest("wrong"), ProviderRateLimit("busy")])
def test_an_answer_that_is_no_outage_is_a_sign_of_life(book, spec, error):
    fail(book, spec, times=2)
    fail(book, spec, times=1, error=error)
    fail(book, spec, times=2, error=ProviderTimeout("late"))
    assert book.wait_s(ONE, 0.0) == 0.0


async def test_a_probe_its_caller_broke_off_leaves_room_for_another(book, spec):
    fail(book, spec)
    await book.admit(ONE, "k1", 10.0)
    book.gave_up(ONE, "k1")
    assert await book.admit(ONE, "k1", 10.0)


def test_who_watches_is_told_of_models_that_everybody_has(book, spec):
    fail(book, spec)
    fail(book, replace(spec, owner="acme"), key="k2")
    told = book.told(4.0)
    assert [(one.label.deployment, one.label.model_id, one.state, one.wait_s) for one in told][:2] == [
        ("one", "acme/small", "open", 6.0), ("one", "acme/small", "open", 6.0),
    ]  # fmt: skip
    assert {one.label.key for one in told} == {"", "68d6ec9c"} or all(
        "k1" not in one.label.key for one in told
    )
    assert not any(one.label.owner for one in told)


def test_places_tell_nobody_a_key():
    assert "sk-secret" not in place_of("u", "m", "sk-secret")
    assert place_of("u", "m", "a") != place_of("u", "m")


async def test_a_look_costs_less_than_ten_microseconds(book, spec):
    """Processor time, with a breaker open somewhere: nothing is looked up where none is."""
    fail(book, spec, key="other")
    elsewhere = replace(ONE, base_url="https://two.example/v1")
    began_s, rounds = time.process_time(), 20_000
    for _ in range(rounds):
        book.wait_of_key(elsewhere, 1.0)("k1")
        await book.admit(elsewhere, "k1", 1.0)
        book.answered(elsewhere, "k1")
    assert (time.process_time() - began_s) / rounds < 10e-6


async def test_a_deployment_and_its_key_are_probed_by_one_request(book, spec):
    fail(book, spec)
    assert await book.admit(ONE, "k1", 10.0)
    assert not await book.admit(ONE, "k2", 10.0)  # the deployment's probe is out
    book.gave_up(ONE, "k1")
    assert await book.admit(ONE, "k1", 11.0)


async def test_a_deployments_own_breaker_tells_its_state(book, spec):
    assert book.state_of(ONE, 0.0) == "closed"
    fail(book, spec)
    assert (book.state_of(ONE, 1.0), book.state_of(ONE, 11.0)) == ("open", "half_open")
    assert book.state_of(replace(ONE, base_url="https://two.example/v1"), 1.0) == "closed"
