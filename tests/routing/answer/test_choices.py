import pytest

from x25.routing.answer.choices import (
    CHOICE_FEATURE_NAMES,
    choice_features,
    find_choices,
    hide_choice,
    share,
)
from x25.routing.answer.final_answer import find_final

CHOICES = {"A": "cold rain", "B": "cold snow", "C": "340 m", "D": "680 m"}


def chosen(answer, choices=CHOICES):
    final = find_final(answer, choices)
    reasoning = answer if final is None else answer[: final.start]
    return dict(zip(CHOICE_FEATURE_NAMES, choice_features(final, choices, reasoning.lower()), strict=True))


@pytest.mark.parametrize(
    "prompt",
    [
        "Which?\nA. red\nB. blue",
        "Which?\n(A) red\n(B) blue",
        "  A) red\n  B) blue \nAnswer:",
        "A: red\nB: blue",
    ],
)
def test_options_are_read_from_lettered_lines(prompt):
    assert find_choices(prompt) == {"A": "red", "B": "blue"}


def test_of_worked_examples_only_the_last_list_counts():
    assert find_choices("A. one\nB. two\nAnswer: A\n\nA. three\nB. four\nAnswer:") == {
        "A": "three",
        "B": "four",
    }


@pytest.mark.parametrize("prompt", ["", "A. alone", "B. two\nC. three", "A cat\nB flat", "I. one\nII. two"])
def test_what_is_no_list_of_options_is_not_read_as_one(prompt):
    assert find_choices(prompt) == {}


def test_without_options_every_feature_is_zero():
    assert set(choice_features(find_final("The answer is 3"), {}, "")) == {0.0}


def test_options_that_are_not_answered_are_only_noted():
    assert chosen("I cannot say") == dict.fromkeys(CHOICE_FEATURE_NAMES, 0.0) | {"has_choices": 1.0}


def test_reasoning_that_speaks_of_the_chosen_option_is_seen():
    features = chosen("Not cold rain, it freezes: cold snow falls. The answer is (B).")
    assert features["choice_text_found"] == features["choice_is_last_found"] == 1.0
    assert features["other_texts_found_share"] == pytest.approx(1 / 3)
    assert features["choice_words_share"] == 1.0
    assert features["choice_words_lead"] == 0.0


def test_reasoning_that_speaks_of_another_option_is_seen():
    features = chosen("It freezes, so snow falls. The answer is (A).")
    assert features["choice_text_found"] == features["choice_words_share"] == 0.0
    assert features["choice_words_lead"] == -1.0


def test_words_that_several_options_share_tell_nothing():
    features = chosen("It is cold. The answer is (A).")
    assert features["choice_words_share"] == features["choice_words_lead"] == 0.0


@pytest.mark.parametrize(
    ("result", "own", "other", "missed"),
    [("340", 1, 0, 0), ("341.2", 1, 0, 0), ("680", 0, 1, 1), ("5", 0, 0, 1)],
)
def test_a_calculated_number_is_compared_with_the_options(result, own, other, missed):
    features = chosen(f"It makes {result} in all. The answer is (C).")
    assert features["choice_number_reached"] == own
    assert features["other_number_reached"] == other
    assert features["choice_number_missed"] == missed
    assert features["choice_numbers_share"] == (result == "340")


@pytest.mark.parametrize(
    "statement", ["The answer is (B) cold snow.", "The answer is Cold Snow.", "(B) cold snow"]
)
def test_the_stated_option_is_hidden_and_the_reasoning_kept(statement):
    text = f"Cold snow falls.\n{statement}"
    hidden = hide_choice(text, find_final(text, CHOICES), CHOICES)
    assert hidden.startswith("Cold snow falls.\n")
    assert "snow" not in hidden.removeprefix("Cold snow falls.").lower()
    assert "B" not in hidden


def test_an_answer_to_an_open_question_hides_nothing():
    text = "A plan: B or C"
    assert hide_choice(text, find_final(text), {}) == text


def test_a_share_of_nothing_is_nothing():
    assert share(0, 0) == 0.0
    assert share(1, 4) == 0.25
