import pytest
from starlette.requests import Request

from x25.api.heads import NO_HEADS, Heads, conversation_of_call, get_heads, heads_of
from x25.state.errors import InvalidRequest


def scope(**headers):
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


async def test_headers_are_read_once_from_the_scope_as_fastapi_reads_them():
    assert heads_of(scope(accept="*/*", user_agent="x")) is NO_HEADS
    found = heads_of(scope(x_x25_mode="cache", cache_control="no-store", x_x25_conversation_id="t"))
    asked = scope(x_x25_mode="cache", cache_control="no-store", x_x25_conversation_id="t")
    assert found == Heads("t", "cache", "no-store") == await get_heads(Request({"type": "http", **asked}))
    assert heads_of(scope(x_intelligence_mode="proxy")).mode == "proxy"
    assert heads_of(scope(x_intelligence_mode="proxy", x_x25_mode="full")).mode == "full"


def test_a_header_goes_before_the_body():
    assert Heads(mode="proxy").over(None, "full", None) == {"mode": "proxy"}
    assert NO_HEADS.over("talk", "full", "exact") == {
        "conversation_id": "talk", "mode": "full", "cache": "exact",
    }  # fmt: skip
    assert NO_HEADS.over(None, None, None) == {}


@pytest.mark.parametrize(
    ("header", "body", "cache"),
    [
        ("no-store", "exact", {"use": "off"}),
        ("no-cache", "off", {"use": "off"}),
        ("no-cache", "exact", {"use": "fresh"}),
        ("max-age=9", "exact", {"use": "exact", "max_age_s": 9.0}),
        ("max-age=9", {"max_age_s": 4}, {"use": None, "max_age_s": 4.0}),
        (None, "near", "near"),
    ],
)
def test_cache_control_narrows_what_the_body_asks(header, body, cache):
    assert Heads(cache_control=header).over(None, None, body) == {"cache": cache}


def test_a_wrong_mode_is_refused_by_the_headers_name():
    with pytest.raises(InvalidRequest) as refused:
        Heads(mode="turbo").over(None, None, None)
    assert refused.value.field == "x-x25-mode"


def test_two_names_of_a_conversation_are_refused():
    assert conversation_of_call("a", "a") == {"conversation_id": "a"}
    with pytest.raises(InvalidRequest, match="name two conversations"):
        conversation_of_call("a", "b")


def test_directives_that_come_in_several_headers_are_one_list_and_other_headers_say_one_thing():
    def given(name, *values):
        return {"headers": [(name, value) for value in values]}

    assert heads_of(given(b"cache-control", b"max-age=9", b"no-store")).cache_control == "max-age=9, no-store"
    assert heads_of(given(b"x-x25-mode", b"proxy", b"proxy")).mode == "proxy"
    with pytest.raises(InvalidRequest, match="given twice"):
        heads_of(given(b"x-x25-mode", b"proxy", b"full"))


@pytest.mark.parametrize(
    "name", ["x-x25-", "x-x25-org", "x-x25-mode ", "x-x25-modes", "x-x25-model", "x-x25-\xff"]
)
def test_what_begins_like_ours_and_is_none_is_refused(name):
    with pytest.raises(InvalidRequest, match="is not known here") as refused:
        heads_of({"headers": [(name.encode("latin-1"), b"1")]})
    assert refused.value.field == name


def test_a_request_of_another_gateway_comes_by():
    assert heads_of(scope(x_x25_gateway="another")) is NO_HEADS
