import pytest

from x25.providers.breaker import CLOSED, Breaker, CommonBreaker, Tolerance

THREE = Tolerance(failures=3, rest_s=10.0, longest_rest_s=25.0, probe_s=4.0)


def failed(times, breaker=CLOSED, now_s=0.0):
    for _ in range(times):
        breaker = breaker.after_failure(now_s, THREE)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before():
    assert failed(2).state(0.0) == "closed"
    assert failed(3).state(0.0) == "open"
    assert failed(3).wait_s(4.0) == 6.0


def test_it_is_half_open_once_its_rest_is_over_and_sends_one_probe():
    breaker = failed(3)
    assert (breaker.state(9.99), breaker.state(10.0)) == ("open", "half_open")
    probing = breaker.probing(10.0, THREE)
    assert probing.wait_s(10.0) == 4.0
    with pytest.raises(ValueError, match="sends no probe"):
        probing.probing(11.0, THREE)


def test_a_closed_or_open_one_sends_no_probe():
    for breaker in (CLOSED, failed(3)):
        with pytest.raises(ValueError, match="sends no probe"):
            breaker.probing(1.0, THREE)


def test_a_probe_that_fails_doubles_the_rest_up_to_the_longest():
    breaker, now_s, rests = failed(3), 0.0, []
    for _ in range(4):
        rests.append(breaker.wait_s(now_s))
        now_s = breaker.until_s
        breaker = breaker.probing(now_s, THREE).after_failure(now_s, THREE)
    assert rests == [10.0, 20.0, 25.0, 25.0]


def test_a_probe_that_never_comes_back_makes_room_for_another():
    probing = failed(3).probing(10.0, THREE)
    assert probing.wait_s(14.0) == 0.0
    assert probing.without_probe().wait_s(10.0) == 0.0


def test_failures_of_requests_sent_before_it_opened_do_not_prolong_its_rest():
    breaker = failed(3)
    assert breaker.after_failure(9.0, THREE) == breaker


def test_an_outage_of_any_length_is_counted():
    assert Breaker(8, 5000, 0.0).after_failure(1.0, THREE).wait_s(1.0) == 25.0


def common(*orgs, breaker=None, now_s=0.0):
    breaker = breaker or CommonBreaker()
    for org in orgs:
        breaker = breaker.after_failure(org, now_s, THREE)
    return breaker


@pytest.mark.parametrize(
    ("orgs", "state"),
    [
        ("a" * 100, "closed"), ("aa", "closed"), ("ab", "closed"), ("aab", "open"), ("aaab", "open"),
        ("abc", "open"),
    ],
)  # fmt: skip
def test_the_common_one_opens_only_where_more_than_one_org_failed(orgs, state):
    assert common(*orgs).breaker.state(0.0) == state


def test_half_of_the_failures_must_be_of_others():
    eight = Tolerance(failures=8)
    breaker = CommonBreaker()
    for _ in range(100):
        breaker = breaker.after_failure("poison", 0.0, eight)
    for _ in range(3):
        breaker = breaker.after_failure("other", 0.0, eight)
    assert breaker.breaker.state(0.0) == "closed"
    assert breaker.after_failure("other", 0.0, eight).breaker.state(0.0) == "open"


def test_probes_of_two_orgs_must_fail_before_the_common_one_rests_again():
    half_open = common(*"abc")
    assert half_open.breaker.state(10.0) == "half_open"
    once = common("a", "a", breaker=half_open, now_s=10.0)
    assert (once.breaker.state(10.0), once.breaker.wait_s(10.0)) == ("half_open", 0.0)
    assert common("b", breaker=once, now_s=10.0).breaker.wait_s(10.0) == 20.0
