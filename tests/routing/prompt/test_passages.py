from hypothesis import given
from hypothesis import strategies as st

from x25.routing.prompt.passages import MOST_CHARS, MOST_PASSAGES, passages_of, stated


@given(st.text(max_size=3000))
def test_passages_are_short_and_hold_nothing_that_was_not_said(text):
    found = passages_of(text)
    assert len(found) <= MOST_PASSAGES
    assert all(0 < len(one) <= MOST_CHARS for one in found)
    assert "".join("".join(found).split()) == "".join(text.split())[: len("".join("".join(found).split()))]


def test_sentences_stay_together_and_long_words_are_cut():
    assert passages_of("One. Two!\nThree") == ["One. Two! Three"]
    assert [len(one) for one in passages_of("x" * 1000)] == [480, 480, 40]
    sentence = "A sentence of some length that says something about nothing at all. "
    assert all(one.endswith("all.") for one in passages_of(sentence * 20))


def test_what_is_beyond_the_most_is_left_out():
    assert len(passages_of("word " * 20_000)) == MOST_PASSAGES


def test_questions_state_nothing():
    assert stated("My dog is called Rex. What does he eat? Fish.") == "My dog is called Rex.\nFish."
    assert stated("What? Why？") == ""
