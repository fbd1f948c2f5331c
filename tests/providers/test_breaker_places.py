from x25.providers.breaker_places import own_name, place_and_org, place_of, places_of
from x25.providers.specs import Deployment

ONE = Deployment("one", "https://one.example/v1", "m", ("K",))


def test_places_tell_nobody_a_key():
    assert "sk-secret" not in place_of("u", "m", "sk-secret")
    assert place_of("u", "m", "a") != place_of("u", "m")


def test_a_request_meets_the_deployments_breaker_and_its_keys():
    whole = place_of(ONE.base_url, "m")
    assert places_of(ONE, None) == (whole,)
    assert places_of(ONE, "k") == (whole, place_of(ONE.base_url, "m", "k"))


def test_a_name_says_place_and_org_whatever_the_org_is_called():
    for org in ("", "acme", "a/b"):
        assert place_and_org(own_name("abc", org)) == ("abc", org)
    assert place_and_org("abc") == ("abc", None)
