import time
from dataclasses import replace

import pytest

from x25.providers.breaker import Tolerance
from x25.providers.breakers import MOST_OWN, BreakerBook
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


def fail(book, spec, key="k1", times=3, now_s=0.0, error=DOWN, org=""):
    for _ in range(times):
        book.failed(spec, ONE, key, error, now_s, org)


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


async def test_what_one_org_makes_fail_is_left_alone_for_that_org(book, spec):
    fail(book, spec, times=100, org="poison")
    assert not await book.admit(ONE, "k1", 0.0, "poison")
    assert await book.admit(ONE, "k1", 0.0, "other")
    assert (book.wait_s(ONE, 0.0, "poison"), book.wait_s(ONE, 0.0, "other")) == (10.0, 0.0)
    wait_of = book.wait_of_key(ONE, 0.0, "poison"), book.wait_of_key(ONE, 0.0, "other")
    assert [one("k1") for one in wait_of] == [10.0, 0.0]


async def test_answers_to_others_are_no_sign_of_life_for_an_org_whose_requests_fail(book, spec):
    for _ in range(3):
        fail(book, spec, times=1, org="poison")
        book.answered(ONE, "k1", "other")
    assert not await book.admit(ONE, "k1", 0.0, "poison")
    assert await book.admit(ONE, "k1", 0.0, "other")


async def test_a_deployment_that_fails_two_orgs_is_left_alone_for_all(book, spec):
    fail(book, spec, times=2, org="a")
    fail(book, spec, times=1, org="b")
    assert not await book.admit(ONE, "k1", 0.0, "third")


async def test_an_org_cannot_keep_a_deployment_from_others_by_probes_that_fail(book, spec):
    fail(book, spec, times=2, org="poison")
    fail(book, spec, times=1, org="other")
    for now_s in (10.0, 10.5):
        assert await book.admit(ONE, "k1", now_s, "poison") is (now_s == 10.0)
        fail(book, spec, times=1, now_s=now_s, org="poison")
    assert book.wait_s(ONE, 10.5, "poison") == pytest.approx(19.5)
    assert await book.admit(ONE, "k1", 10.5, "other")
    book.answered(ONE, "k1", "other")
    # It was open for all, and is closed for all.
    assert (len(book), await book.admit(ONE, "k1", 10.5, "poison")) == (0, True)


async def test_a_deployment_that_stays_away_rests_longer_each_time(book, spec):
    fail(book, spec, times=2, org="a")
    fail(book, spec, times=1, org="b")
    for org in "ab":
        assert await book.admit(ONE, "k1", 10.0, org)
        fail(book, spec, times=1, now_s=10.0, org=org)
    assert book.wait_s(ONE, 10.0, "third") == 20.0


def test_ten_thousand_orgs_take_no_more_memory_than_a_bound(spec):
    book = BreakerBook()
    for number in range(10_000):
        fail(book, spec, times=1, org=f"org-{number}")
        book.answered(ONE, "k1", "one-that-is-well")  # or it would open for all
    assert len(book._newest) == MOST_OWN
    assert sum(len(kept.own) for kept in book._kept.values()) == MOST_OWN
    assert sum(len(kept.common.blamed) for kept in book._kept.values()) == 0


def test_who_watches_is_told_for_how_many_orgs_and_an_org_of_what_it_meets(book, spec):
    for org in ("a", "b"):
        fail(book, spec, org=org)
        book.answered(ONE, "k1", "well")
    assert [(one.label.key, one.state, one.orgs) for one in book.told(0.0)] == [
        ("", "open", 2), ("6ab9f1eb", "open", 2),
    ]  # fmt: skip
    assert book.told_to("well", 0.0) == []
    assert {(one.state, one.orgs) for one in book.told_to("a", 0.0)} == {("open", 0)}


async def test_a_probe_of_an_org_that_ends_while_all_are_kept_away_leaves_room_for_its_next(book, spec):
    fail(book, spec, times=3, org="a")
    book.answered(ONE, "k1", "well")
    assert await book.admit(ONE, "k1", 10.0, "a")  # its own probe is out
    fail(book, spec, times=2, now_s=10.0, org="b")
    fail(book, spec, times=1, now_s=10.0, org="c")  # now it is open for all
    fail(book, spec, times=1, now_s=11.0, org="a")
    assert await book.admit(ONE, "k1", 20.0, "a")


async def test_a_deployments_own_breaker_tells_its_state_for_all(book, spec):
    fail(book, spec, times=3, org="a")
    book.answered(ONE, "k1", "well")
    assert book.state_of(ONE, 0.0) == "closed"
    fail(book, spec, times=2, org="a")
    fail(book, spec, times=1, org="b")
    assert (book.state_of(ONE, 1.0), book.state_of(ONE, 11.0)) == ("open", "half_open")
    assert book.state_of(replace(ONE, base_url="https://two.example/v1"), 1.0) == "closed"
