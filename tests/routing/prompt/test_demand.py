import pytest

from x25.routing.prompt.demand import MOST_CHARS, SIGNALS, demanding_prob, ends_of, instruction_of, signals_of

LONG = "It rained on Monday, and the shop was closed. " * 10


def signal(name, text):
    return signals_of(text)[SIGNALS.index(name)]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("long_words", "reconsider reconsider everything", 2),
        ("demands", "please prove and compare", 2),
        ("demands_first", "Prove it, then compare; I list", 2),
        ("sequence_words", "first this, finally that", 2),
        ("deep_words", "a theorem and a lemma", 2),
        ("works", "a sonnet", 1),
        ("question_marks", "who? why?", 2),
        ("brings_a_text", f"Summarise this: {LONG}", 1),
        ("brings_a_text", "Summarise this: it rained", 0),
        ("mean_word_chars", "ab abcd", 3),
    ],
)
def test_signals_count_what_they_are_called(name, text, value):
    assert signal(name, text) == value


def test_a_text_that_is_brought_along_does_not_count():
    assert instruction_of(f"Shorten it.\n\n{LONG}") == "Shorten it.\n"
    assert instruction_of(f"Shorten it: {LONG}") == "Shorten it"
    assert instruction_of(LONG) == LONG
    hard = "Prove the theorem rigorously, derive a lemma, construct a counterexample. "
    plain = demanding_prob(f"Shorten it: {LONG}")
    assert demanding_prob(f"Shorten it: {hard * 4}") == plain


def test_of_a_long_text_both_ends_are_looked_at():
    ends = ends_of("A" + "x" * 5 * MOST_CHARS + "Z")
    assert (ends[0], ends[-1], len(ends)) == ("a", "z", 2 * MOST_CHARS + 1)


def test_hard_questions_are_likelier_than_easy_ones_and_every_text_has_a_probability():
    assert (
        demanding_prob("Derive the bound and prove that it is optimal.")
        > 0.5
        > demanding_prob("What time is it?")
    )
    assert all(0.0 < demanding_prob(text) < 1.0 for text in ("", "prove " * 5000, "?" * 5000, "\x00"))
