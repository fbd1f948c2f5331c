import pytest

from x25.routing.plan.caching import (
    CacheWish,
    Caching,
    GatewayCaching,
    caching_of,
    check_cache,
    check_mode,
    keeps_for_s,
    mode_of,
    remembers,
    wish_of_header,
)  # fmt: skip
from x25.routing.plan.org_settings import OrgSettings
from x25.state.errors import InvalidRequest

NOBODY, GATEWAY = OrgSettings(), GatewayCaching()


@pytest.mark.parametrize(
    ("asked", "org", "gateway", "expected"),
    [
        ("proxy", "full", "cache", "proxy"),
        (None, "cache", "proxy", "cache"),
        (None, None, "full", "full"),
        (None, None, None, None),
    ],
)
def test_the_request_goes_before_the_org_and_the_org_before_the_gateway(asked, org, gateway, expected):
    assert mode_of(asked, OrgSettings(mode=org), GatewayCaching(mode=gateway)) == expected


@pytest.mark.parametrize(
    ("mode", "org", "gateway", "expected"),
    [
        (None, None, "off", None),
        (None, None, "exact", (True, False)),
        (None, "near", "off", (True, True)),
        (None, "off", "exact", None),
        ("proxy", "near", "exact", None),
        ("cache", None, "off", (True, False)),
        ("full", None, "off", (True, False)),
        ("full", "near", "off", (True, True)),
        ("cache", "off", "exact", None),
    ],
)
def test_what_is_on_in_each_mode(mode, org, gateway, expected):
    found = caching_of(CacheWish(), mode, OrgSettings(cache=org), GatewayCaching(kind=gateway))
    assert (None if found is None else (found.is_read, found.is_near)) == expected


@pytest.mark.parametrize(
    ("use", "org", "expected"),
    [
        ("off", "near", None),
        ("fresh", None, None),
        ("fresh", "exact", (False, False)),
        ("exact", "near", (True, False)),
        ("exact", None, (True, False)),
        ("near", "near", (True, True)),
    ],
)
def test_a_request_says_what_it_wants_of_caches(use, org, expected):
    found = caching_of(CacheWish(use), None, OrgSettings(cache=org), GATEWAY)
    assert (None if found is None else (found.is_read, found.is_near)) == expected


@pytest.mark.parametrize(
    ("use", "mode", "org"),
    [("exact", "proxy", None), ("exact", None, "off"), ("near", None, None), ("near", None, "exact")],
)
def test_a_cache_that_is_kept_off_is_refused_by_name(use, mode, org):
    with pytest.raises(InvalidRequest) as refused:
        caching_of(CacheWish(use), mode, OrgSettings(cache=org), GATEWAY)
    assert refused.value.field == "cache"


def test_the_shortest_time_counts():
    org = OrgSettings(cache="exact", cache_ttl_s=100.0, retention_days=0.001)
    assert caching_of(CacheWish(), None, org, GATEWAY) == Caching(True, False, 86.4)
    assert caching_of(CacheWish(max_age_s=5.0), None, org, GATEWAY) == Caching(True, False, 5.0)
    assert caching_of(CacheWish(max_age_s=0.0), None, org, GATEWAY) == Caching(False, False, 0.0)
    assert keeps_for_s(org, GATEWAY) == 86.4
    assert keeps_for_s(NOBODY, GATEWAY) == 3600.0
    assert keeps_for_s(org, GatewayCaching(words_kept_s=9.0)) == 9.0


def test_memory_takes_part_where_no_mode_or_full_is_named_and_is_never_dropped_silently():
    assert remembers(None, is_asked=False, is_named=False)
    assert remembers("full", is_asked=True, is_named=True)
    assert not remembers("cache", is_asked=False, is_named=True)
    assert remembers("proxy", is_asked=True, is_named=False)  # the org's mode, and the request asks for more
    with pytest.raises(InvalidRequest, match="mode proxy uses no memory"):
        remembers("proxy", is_asked=True, is_named=True)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ("maybe", "cache"), (1, "cache"), ({"ttl": 1}, "cache.ttl"), ({"use": "x"}, "cache.use"),
        ({"max_age_s": -1}, "cache.max_age_s"), ({"max_age_s": True}, "cache.max_age_s"), ([], "cache"),
        ({"max_age_s": float("nan")}, "cache.max_age_s"),
    ],
)  # fmt: skip
def test_what_is_no_wish_is_refused_by_name(wish, field):
    with pytest.raises(InvalidRequest) as refused:
        check_cache(wish)
    assert refused.value.field == field


def test_a_wish_may_be_one_word_or_an_object():
    assert check_cache("fresh") == CacheWish("fresh")
    assert check_cache({"use": "exact", "max_age_s": 60}) == CacheWish("exact", 60.0)
    assert check_cache(None) == CacheWish()
    assert check_mode("full") == "full"
    with pytest.raises(InvalidRequest, match="mode must be one of proxy, cache, full"):
        check_mode("turbo")


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        (None, None), ("", None), ("no-transform", None), ("no-store", {"use": "off"}),
        ("No-Cache, no-store", {"use": "off"}), ("no-cache", {"use": "fresh"}), ("max-age=0", {"use": "fresh"}),
        ("max-age=60, no-transform", {"max_age_s": 60.0}),
    ],
)  # fmt: skip
def test_cache_control_is_read(header, wish):
    assert wish_of_header(header) == wish


@pytest.mark.parametrize("header", ["only-if-cached", "max-age=soon"])
def test_what_cache_control_says_and_cannot_be_had_is_refused(header):
    with pytest.raises(InvalidRequest, match="cache-control"):
        wish_of_header(header)
