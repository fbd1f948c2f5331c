import zlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.state.packing import DICTIONARIES, pack, unpack


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_packed_reads_back(text):
    assert unpack(pack(text)) == text


def test_a_text_that_was_never_packed_is_itself():
    assert unpack('{"n":1}') == '{"n":1}'


def test_what_calls_have_in_common_takes_little_room():
    record = '{"answer":{"model_id":"vendor/name"},"attempts":[{"cost_source":"reported","disputed_nusd":0}]}'
    assert len(pack(record)) < len(record) / 2 < len(zlib.compress(record.encode()))


def test_dictionaries_are_those_that_rows_were_packed_with():
    digests = {number: sha256(text).hexdigest() for number, text in DICTIONARIES.items()}
    assert digests == {
        1: "8c31d67119fdd7268524f0e2c740e9ec72029544b9d1a36e2ecf22a4efd159b9",
        2: "b67370efc7d17adb47a59c4b35777b365b0876b3f6aacffa63259a4391895ceb",
        3: "f0e8534d02c83b5fa4cc590b684fae969d19e618e0ff8ae9e145cc5196f6bdb8",
    }


def test_a_row_packed_with_an_earlier_dictionary_is_read():
    text = '{"decision":{"explored":false}}'
    deflating = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=DICTIONARIES[1])
    assert unpack(b"\x01" + deflating.compress(text.encode()) + deflating.flush()) == text


@pytest.mark.parametrize(
    "kept", [b"", b"\x00", b"\x01", b"\x01\xff\xff", pack("text") + b"more", pack("text")[:-1]]
)
def test_other_bytes_are_refused(kept):
    with pytest.raises(ValueError, match="expected a packed text"):
        unpack(kept)
