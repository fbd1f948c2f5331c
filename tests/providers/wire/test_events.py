import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.providers.wire import events
from x25.providers.wire.events import EventReader
from x25.state.errors import ProviderMalformed

SENT = (
    '\ufeffid: 7\nevent: chunk\ndata: {"a": "Grüße \u2028\u0085 🌍"}\n\n: a comment\r\n\r\n'
    "data:no space\r\rdata: one\ndata: two\r\n\r\nretry: 5\n\ndata: [DONE]\n\ndata: cut off"
).encode()  # fmt: skip
FOUND = ['{"a": "Grüße \u2028\u0085 🌍"}', "no space", "one\ntwo", "[DONE]"]


def read(pieces):
    reader = EventReader("d")
    found = [one for piece in pieces for one in reader.feed(piece)]
    return found, reader.rest()


def test_events_are_read_as_the_standard_says():
    found, rest = read([SENT])
    assert [one.decode() for one in found] == FOUND
    assert rest == [b"cut off"]


@given(st.lists(st.integers(0, len(SENT)), max_size=12))
def test_wherever_the_bytes_are_cut_the_events_are_the_same(cuts):
    places = sorted({0, len(SENT), *cuts})
    found, rest = read([SENT[a:b] for a, b in itertools.pairwise(places)])
    assert [one.decode() for one in found] == FOUND
    assert rest == [b"cut off"]


def test_byte_by_byte_is_no_different():
    found, rest = read([SENT[place : place + 1] for place in range(len(SENT))])
    assert [one.decode() for one in found] == FOUND
    assert rest == [b"cut off"]


def test_an_event_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(events, "MOST_EVENT_BYTES", 100)
    with pytest.raises(ProviderMalformed, match="d sent a stream that is too long"):
        read([b"data: 123456789\n"] * 30)
    with pytest.raises(ProviderMalformed):
        EventReader("acme").feed(b"x" * 101)
