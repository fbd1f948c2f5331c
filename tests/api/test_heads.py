import pytest

from x25.api.heads import NO_HEADS, Heads, conversation_of_call, get_heads, heads_of
from x25.state.errors import InvalidRequest


def scope(**headers):
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


async def test_headers_are_read_once_from_the_scope_as_fastapi_reads_them():
    assert heads_of(scope(accept="*/*", user_agent="x")) is NO_HEADS
    found = heads_of(scope(x_x25_mode="cache", cache_control="no-store", x_x25_conversation_id="t"))
    assert found == Heads("t", "cache", "no-store") == await get_heads("t", "cache", None, "no-store")
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
