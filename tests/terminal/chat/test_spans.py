from datetime import date

import pytest

from x25.terminal.chat.spans import last_days, spans_in

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("spend today", "2026-03-10", "2026-03-10"), ("yesterday", "2026-03-09", "2026-03-09"),
        ("this week", "2026-03-04", "2026-03-10"), ("last week", "2026-02-25", "2026-03-03"),
        ("this month", "2026-03-01", "2026-03-10"), ("last month", "2026-02-01", "2026-02-28"),
        ("in the last 14 days", "2026-02-25", "2026-03-10"), ("over the past two weeks", "2026-02-25", "2026-03-10"),
        ("in february", "2026-02-01", "2026-02-28"), ("in october", "2025-10-01", "2025-10-31"),
        ("on 2026-01-05", "2026-01-05", "2026-01-05"), ("2026-01-05 to 2026-01-07", "2026-01-05", "2026-01-07"),
        ("since 2026-03-08", "2026-03-08", "2026-03-10"), ("ever", "2025-03-10", "2026-03-10"),
    ],
)  # fmt: skip
def test_a_stretch_is_read_and_taken_out(text, first, last):
    (span,), rest = spans_in(text, TODAY)
    assert (str(span.period.first), str(span.period.last)) == (first, last)
    assert rest.replace("spend", "").strip() == ""


@pytest.mark.parametrize(
    "text",
    [
        "week",
        "a day",
        "in the last 0 days",
        "last 400 weeks",
        "2026-02-31",
        "2026-03-05 to 2026-03-01",
        "until yesterday",
        "before the last week",
        "up to 2026-02-01",
        "after 2026-02-01",
        "till last month",
    ],
)
def test_what_is_no_stretch_stays(text):
    assert spans_in(text, TODAY) == ([], text)


def test_two_are_found_in_their_order():
    found, _ = spans_in("this week or last week", TODAY)
    assert [one.words for one in found] == ["the last seven days", "the seven days before the last seven"]
    assert last_days(TODAY, 30).period.length == 30


@pytest.mark.parametrize(
    ("text", "first"),
    [("since yesterday", "2026-03-09"), ("since last week", "2026-02-25"), ("since february", "2026-02-01")],
)
def test_what_came_since_goes_up_to_today(text, first):
    (span,), _ = spans_in(text, TODAY)
    assert (str(span.period.first), span.up_to(TODAY).period.last) == (first, TODAY)
    assert span.up_to(TODAY).words == f"since {first}"


def test_a_range_that_ends_in_words_is_not_taken_for_two_stretches():
    found, rest = spans_in("from 2026-03-01 to yesterday", TODAY)
    assert [one.period.last for one in found] == [TODAY]
    assert rest.strip() == "to yesterday"
