import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from x25.routing.answer.patterns import read_pattern, written_out

PIECES = st.sampled_from(["a", "b", "ab", "[ab]", "a?", "b*", "(ab)+", "a{2}", "(a|b){1,3}", ".", "^", "x"])


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        (r"^\d{4}-\d{2}$", "2026-11", True),
        (r"^\p{L}+$", "né", True),
        (r"^[\w.-]+@[\w-]+\.\w{2,}$", "a.b@c-d.org", True),
        (r"^a\/b$", "a/b", True),
        ("^a$", "a\n", False),
    ],
)
def test_a_pattern_is_searched_for_anywhere_in_the_text(source, text, found):
    assert read_pattern(source).found_in(text) is found


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join), st.text("abx", max_size=12))
def test_it_finds_what_pythons_engine_finds(source, text):
    assert read_pattern(source).found_in(text) is (re.search(source, text) is not None)


@pytest.mark.parametrize("source", ["(a+)+$", "(a|a)*b", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_nested_repeats_take_no_longer_than_the_text_is_long(source):
    """An engine that backtracks would keep the suite here for ever."""
    assert read_pattern(source).found_in("a" * 50_000 + "!") is False


@pytest.mark.parametrize(
    "source",
    [
        r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$",  # what pydantic writes for a Decimal
        r"(?<=a)b",
        r"(a)\1",
        r"\p{L}(?=x)",
        r"\Z",
        r"(?x) a{9} # (",
        r"\w{9000}",
    ],
)
def test_what_the_linear_engine_lacks_is_unknown_not_wrong(source):
    assert read_pattern(source).found_in("anything") is None


@pytest.mark.parametrize("source", ["[", "(", "a{2,1}", "*a", r"\p{Nonsense}"])
def test_what_is_no_regular_expression_is_refused(source):
    with pytest.raises(ValueError, match="is not a regular expression"):
        read_pattern(source)


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("[a-z0-9]", 1),
        (r"\d\.", 2),
        ("(ab{3}){2}", 8),
        ("a{2}{3}", 6),
        ("a{1,64}@b{2,}", 67),
        ("(a{1000}){1000}", 1_000_000),
        ("a{0}", 1),
    ],
)
def test_size_is_that_of_the_pattern_with_its_counted_repeats_written_out(source, size):
    assert written_out(source) == size
