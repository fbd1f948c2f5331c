import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x25.providers.wire.json_text import _encode_slowly, _parse_slowly, encode_json, parse_json
from x25.state.errors import ProviderMalformed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=6,
)


def outcome(function, *given):
    """Return what a function returns, or the class of what it raises."""
    try:
        return function(*given)
    except (ValueError, TypeError, ProviderMalformed) as error:
        return type(error)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_a_body_is_sent_as_the_standard_library_writes_it(value):
    sent, meant = outcome(encode_json, value), outcome(_encode_slowly, value)
    if isinstance(meant, bytes):
        assert json.loads(sent) == json.loads(meant)
    else:
        assert sent == meant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1: "a", None: 2}, b'{"1":"a","null":2}'),
        ({"a": 2**70}, b'{"a":%d}' % 2**70),
        ({"a": None, "b": "é"}, '{"a":null,"b":"é"}'.encode()),
        ({"a": (1, 2.5)}, b'{"a":[1,2.5]}'),
    ],
)
def test_what_orjson_refuses_is_sent_all_the_same(value, text):
    assert encode_json(value) == text


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_not_sent_as_nothing(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_json({"temperature": number})


def test_half_a_surrogate_pair_cannot_be_sent():
    with pytest.raises(UnicodeEncodeError):
        encode_json({"content": "a\ud800"})


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_an_answer_is_read_as_the_standard_library_reads_it(value):
    body = json.dumps(value).encode()
    assert outcome(parse_json, body, "d") == outcome(_parse_slowly, body, "d")


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[01]", b'["a\tb"]', b"{}{}", b"[NaN]", b"[-Infinity]", b"[1e999]",
        b"[" + b"9" * 350 + b"]", b"[" + b"9" * 500 + b"]",
        b"[" * 102 + b"]" * 102, b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 102 + b"1" + b"}" * 102,
    ],
)  # fmt: skip
def test_what_is_no_json_is_malformed(body):
    for read in (parse_json, _parse_slowly):
        with pytest.raises(ProviderMalformed):
            read(body, "d")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[9223372036854775807, 9223372036854775808, -9223372036854775809, 18446744073709551616]",
         [2**63 - 1, 2.0**63, -(2.0**63), 2.0**64]),
        (rb'{"a\ud800": "\udfff", "b": "\ud83d\ude00"}', {"a\ufffd": "\ufffd", "b": "\U0001f600"}),
        (b'"\xff"', "\ufffd"),
        (b"[" * 100 + b"7" + b"]" * 100, None),
    ],
)  # fmt: skip
def test_both_readers_read_the_same(body, value):
    found = parse_json(body, "d")
    assert repr(found) == repr(_parse_slowly(body, "d"))
    assert value is None or repr(found) == repr(value)
