from x25.routing.prompt.wording import HEAD_CHARS, TAIL_CHARS, wordings


def test_words_and_pairs_of_words_are_found_in_lower_case():
    assert {"write", "poem", "write a", "a poem"} <= wordings("Write a poem.")


def test_both_ends_are_marked():
    found = wordings("Write a poem")
    assert {"^write", "^write a", "poem$", "a poem$"} <= found
    assert "^a" not in found
    assert "write$" not in found


def test_the_middle_of_a_long_text_is_not_looked_at():
    text = "Start here. " + "x " * HEAD_CHARS + "hidden " + "y " * TAIL_CHARS + "end there"
    found = wordings(text)
    assert {"start", "^start", "there$", "end there"} <= found
    assert "hidden" not in found


def test_a_digit_stands_alone_and_signs_count():
    assert {"4", "2", "4 2", "2 ?", "?$"} <= wordings("Is it 42?")


def test_a_text_without_words_has_no_wordings():
    assert wordings("") == wordings("…") == set()


def test_forms_of_a_word_share_their_first_letters():
    assert "summa~" in wordings("Summarise it") & wordings("a summary") & wordings("summarized")
    assert "poem~" not in wordings("a poem")
