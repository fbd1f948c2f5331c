from x25.state.rates import (
    NO_RATES,
    Limited,
    Rates,
    Slot,
    Standing,
    asked_tokens,
    beyond,
    headers_of,
    refusal,
)


def standing(rates, requests=0, tokens=0, under_way=0, owner="org"):
    return Standing(Limited("acme", owner, rates), requests, tokens, under_way)


def test_nothing_is_limited_until_something_is():
    assert not NO_RATES
    assert Rates(concurrent_calls=1)
    assert refusal(standing(NO_RATES, 10**9, 10**12, 10**6), 10**9) is None
    assert standing(NO_RATES).headers() == {}


def test_each_limit_refuses_by_name_what_it_has_no_room_for():
    rates = Rates(3, 100, 2)
    assert refusal(standing(rates, 2, 90, 1), 10) is None
    assert "3 times a minute" in refusal(standing(rates, 3, 0, 0), 0)
    assert "this key may take 100 tokens" in refusal(standing(rates, 0, 91, 0, "key:k"), 10)
    assert "2 calls under way" in refusal(standing(rates, 0, 0, 2), 0)


def test_a_call_larger_than_the_limit_waits_for_an_empty_minute():
    rates = Rates(tokens_per_minute=100)
    assert asked_tokens(rates, 5_000) == 100
    assert refusal(standing(rates, tokens=0), 5_000) is None
    assert refusal(standing(rates, tokens=1), 5_000) is not None


def test_of_two_owners_the_one_that_leaves_less_is_told():
    told = headers_of([standing(Rates(100, 50), 99, 10), standing(Rates(5, 1_000), 1, 990, owner="key:k")])
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-remaining-requests"]) == ("100", "1")
    assert (told["x-ratelimit-limit-tokens"], told["x-ratelimit-remaining-tokens"]) == ("1000", "10")
    assert told["x-ratelimit-reset-tokens"] == "60s"
    assert not any("concurrent" in name for name in told)


def test_calls_at_once_that_a_limit_will_never_let_in_are_told_from_those_that_may_wait():
    owners = [Limited("acme", "org", NO_RATES), Limited("acme", "key:k", Rates(3, 100, 2))]
    assert beyond(owners, [50, 50]) is None
    assert "this key may ask 3 times a minute" in beyond(owners, [1] * 4)
    assert "2 calls under way at once" in beyond(owners, [1] * 3)
    assert "100 tokens a minute" in beyond(owners, [50, 51])
    assert beyond(owners[:1], [10**9] * 8) is None


def test_a_standing_without_slots_that_were_given_back():
    slots = [Slot("a", (), 30), Slot("b", (), 500)]
    told = standing(Rates(3, 100, 2), 3, 140, 2).without(slots)
    assert (told.requests, told.tokens, told.under_way) == (1, 10, 0)
