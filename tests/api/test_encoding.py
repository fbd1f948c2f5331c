import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.api.encoding import JsonReply, to_json

texts = st.text(max_size=8)  # no half surrogate pairs
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@given(value=values)
def test_what_is_written_reads_as_it_was(value):
    assert json.loads(to_json(value)) == value


def test_it_is_compact_utf_8():
    assert to_json({"a": ["é\n\x01", 1.5, None, True]}) == '{"a":["é\\n\\u0001",1.5,null,true]}'.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**70, b"1180591620717411303424"),
        ({1: 2}, b'{"1":2}'),
        (np.float64(0.5), b"0.5"),
        (float("nan"), b"null"),
        ([float("-inf")], b"[null]"),
    ],
)
def test_what_one_writer_refuses_another_writes(value, written):
    assert to_json(value) == written


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, object(), {1, 2}])
def test_what_has_no_json_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        to_json(value)


def test_a_reply_has_the_head_that_starlette_would_write():
    reply = JsonReply({"a": "é"}, headers={"x-x25-model": "m"})
    assert (reply.status_code, reply.body) == (200, '{"a":"é"}'.encode())
    assert dict(reply.headers) == {
        "content-length": "10",
        "content-type": "application/json",
        "x-x25-model": "m",
    }
