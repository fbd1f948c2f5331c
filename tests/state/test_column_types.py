import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from x25.state.column_types import CanonicalJSON, FreeText, PackedText, UtcMicroseconds, canonical_json
from x25.state.packing import pack, unpack

DIALECT = sqlite.dialect()
ANY_TEXT = st.text(st.characters(), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_reads_back_equal(value):
    assert json.loads(canonical_json(value)) == value


@given(JSON)
def test_canonical_json_of_what_was_read_is_the_same_text(value):
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@given(st.dictionaries(ANY_TEXT, JSON, max_size=6), st.randoms(use_true_random=False))
def test_canonical_json_does_not_depend_on_key_order(value, rng):
    items = list(value.items())
    rng.shuffle(items)
    assert canonical_json(dict(items)) == canonical_json(value)


@given(st.text(st.characters(exclude_categories=())))
def test_canonical_json_has_a_utf8_form_without_nul(value):
    assert b"\x00" not in canonical_json({value: value}).encode("utf-8")


def test_canonical_json_is_exactly_this():
    value = {"b": [1.0, 0.1, 10**30, -0.0], "a": "é\x00\ud800\n", "c": {"z": None, "y": True}}
    written = (
        r'{"a":"é\u0000\ud800\n","b":[1.0,0.1,1000000000000000000000000000000,-0.0],"c":{"y":true,"z":null}}'
    )
    assert canonical_json(value) == written


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_canonical_json_refuses_numbers_json_cannot_say(number):
    with pytest.raises(ValueError):
        canonical_json({"x": [number]})


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_times_read_back_equal_and_in_utc(moment):
    column = UtcMicroseconds()
    read = column.process_result_value(column.process_bind_param(moment, DIALECT), DIALECT)
    assert read == moment
    assert read.tzinfo is UTC


def test_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        UtcMicroseconds().process_bind_param(datetime(2025, 1, 1), DIALECT)  # noqa: DTZ001


def test_absent_values_stay_absent():
    for column in (UtcMicroseconds(), CanonicalJSON()):
        assert column.process_bind_param(None, DIALECT) is None
        assert column.process_result_value(None, DIALECT) is None
    assert FreeText().process_bind_param(None, DIALECT) is None


def test_free_text_keeps_everything_a_database_can():
    assert FreeText().process_bind_param("a\x00b\ud800 é 😀\n", DIALECT) == "a\ufffdb\ufffd é 😀\n"


def test_packed_json_is_packed_on_sqlite_alone():
    column, value = CanonicalJSON(packed=True), {"strategy": "plan"}
    kept = column.process_bind_param(value, DIALECT)
    assert unpack(kept) == column.process_bind_param(value, postgresql.dialect()) == '{"strategy":"plan"}'
    assert isinstance(kept, bytes)


@pytest.mark.parametrize("kept", ['{"strategy":"plan"}', pack('{"strategy":"plan"}')])
def test_packed_json_reads_rows_of_before(kept):
    assert CanonicalJSON(packed=True).process_result_value(kept, DIALECT) == {"strategy": "plan"}


def test_packed_text_is_packed_on_sqlite_alone():
    column = PackedText()
    assert unpack(column.bind_processor(DIALECT)("a record")) == "a record"
    assert column.bind_processor(DIALECT)(None) is None
    assert column.bind_processor(postgresql.dialect()) is None
    read = column.result_processor(DIALECT, None)
    assert (read(pack("a record")), read("a record"), read(None)) == ("a record", "a record", None)
