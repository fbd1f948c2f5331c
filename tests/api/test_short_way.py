"""The short way and FastAPI's give one answer to whatever is sent."""

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from x25.api import short_way
from x25.api.bodies import BODY
from x25.api.schemas import RouteRequest
from x25.api.short_way import Way

SHORT, LONG = {"content-type": "application/json"}, {"content-type": "Application/JSON"}
"""The same to FastAPI; the short way is taken for the first alone."""
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}
HALF = '"\\ud800"'

BODIES = [
    b"", b" ", b"{", b"[]", b"null", b'"text"', b"1", b"{} {}", b'{"prompt": 1}', b'{"prompt": "a", "prompt": 1}',
    b'{"prompt": 1, "prompt": "a", "policy": {"max_tier": 3}}', b'{"prompt": "a", "nobody": 1}',
    b'{"prompt": ' + HALF.encode() + b"}", b'{"prompt": "a", "policy": {"quality_bar": NaN}}',
    b'{"prompt": "a", "policy": {"quality_bar": 1e999}}', b'{"prompt": "a", "options": {"n": 9223372036854775808}}',
    b'{"prompt": "a", "options": {"n": ' + b"9" * 5_000 + b"}}", b'{"prompt": "a\x01"}', b'{"prompt": "\xff"}',
    b'{"prompt": "a", "policy": ' + b'{"a":' * 150 + b"1" + b"}" * 151,
    b'{"prompt": "a", "messages": ' + b"[" * 5_000 + b"]" * 5_001, b'{"prompt": "a", "hint": "nothing"}',
    b'{"messages": []}', b'{"messages": [1]}', b'{"model": 7, "messages": [{}]}', b'{"messages": "x"}',
    json.dumps({**CHAT, "stream": 1}).encode(), json.dumps({**CHAT, "stream_options": {"x": 1}}).encode(),
    json.dumps({**CHAT, "stream_options": {}}).encode(), json.dumps({**CHAT, "x25": {"orgg": "a"}}).encode(),
    json.dumps({**CHAT, "x25": {"org": "NO"}}).encode(), json.dumps({**CHAT, "model": "nobody"}).encode(),
    json.dumps({**CHAT, "x25": {"policy": {"max_tier": "moon"}}}).encode(),
]  # fmt: skip


def said(answer: httpx.Response) -> tuple[int, object]:
    body = answer.json()
    return answer.status_code, body if answer.status_code != 200 else sorted(body)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:50]))
@pytest.mark.parametrize("path", ["/route", "/v1/chat/completions"])
def test_what_is_refused_is_refused_in_the_same_words(http: httpx.Client, path: str, body: bytes) -> None:
    short, long = (said(http.post(path, content=body, headers=headers)) for headers in (SHORT, LONG))
    assert short == long
    assert short[0] in {200, 400, 404, 422}


@pytest.mark.parametrize("path", ["/route", "/v1/chat/completions"])
def test_what_is_answered_has_the_same_parts_and_head(http: httpx.Client, path: str) -> None:
    body = json.dumps({"prompt": "What is 17 * 23?"} if path == "/route" else CHAT)
    short, long = (http.post(path, content=body, headers=headers) for headers in (SHORT, LONG))
    assert said(short) == said(long)
    assert set(short.headers) == set(long.headers)


def test_keys_are_asked_for_on_both(strict_gateway) -> None:
    for headers in (SHORT, LONG):
        for given_key in ({}, {"x-api-key": "sk-x25-nobody"}, {"authorization": "Bearer wrong"}):
            answer = httpx.post(
                f"{strict_gateway.url}/route", content=b'{"prompt": "a"}', headers=headers | given_key
            )
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_body_that_is_ordinary_is_read_here_and_any_other_is_left_to_fastapi() -> None:
    way = Way(RouteRequest, short_way.ShortWay)
    body = b'{"prompt": "a", "policy": {"x": null}}'
    for kind, is_read in (
        (b"application/json", True),
        (b"application/json; charset=utf-8", True),
        (b"", True),
        (b"text/plain", False),
    ):
        read = way.read({"headers": [(b"content-type", kind)], BODY: body})
        assert (read is not None) is is_read
    assert way.read({"headers": [(b"content-type", b"application/json")]}) is None


pieces = st.sampled_from(
    ["0", "-0", "1", "-", "+", ".", "e5", "E-3", "9" * 20, "1e400", "NaN", "Infinity", '"', "\\", "\\u", "d800",
     "a", "{", "}", "[", "]", ",", ":", " ", "\n", "\x00", "\x7f", "\ufeff", "é", "true", "null", "//", "'"]
)  # fmt: skip


@settings(max_examples=300)
@given(text=st.lists(pieces, max_size=8).map("".join))
def test_whatever_is_parsed_here_means_what_the_standard_library_says(text: str) -> None:
    try:
        found = from_json(text.encode())
    except ValueError:
        return
    assert repr(found) == repr(json.loads(text.encode()))
