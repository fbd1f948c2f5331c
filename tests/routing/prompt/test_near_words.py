import pytest

from x25.routing.prompt import near_words as words


@pytest.mark.parametrize(
    ("asked", "plain"),
    [
        ("Hi! Could you please tell me what's the capital of France?", "what is the france capital?"),
        ("How can I reset it?", "how to reset it?"),
        ("I don't know", "i do not know"),
        ("Define entropy. Thanks!", "what is entropy."),
    ],
)
def test_politeness_and_contractions_are_not_read(asked, plain):
    assert words.plain(asked).strip() == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [("repairing", "fix"), ("cities", "city"), ("colour", "color"), ("stopped", "stop"), ("dogs", "dog"),
        ("Bob's".lower(), "bob")],
)  # fmt: skip
def test_forms_and_synonyms_have_one_stem(one, other):
    assert words.stem(one) == words.stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("increase", "decrease"), ("car", "quick"), ("affect", "effect"), ("lock", "unlock")]
)
def test_what_means_something_else_has_another_stem(one, other):
    assert words.stem(one) != words.stem(other)


@pytest.mark.parametrize(
    ("word", "form"),
    [("owned", "ed"), ("owns", ""), ("cities", ""), ("tried", "ed"), ("smoking", "ing"), ("meeting", ""),
        ("nearly", "ly"), ("formations", "ation"), ("red", ""), ("news", "")],
)  # fmt: skip
def test_a_form_is_what_makes_another_word_of_a_root(word, form):
    assert words.form_of(word) == form


def test_something_is_done_to_me_but_not_where_it_is_only_given_to_me():
    assert words.objects_of("does he believe me?") == {"me"}
    assert words.objects_of("give me a list. explain to us why") == frozenset()


def test_numbers_units_names_code_and_scripts_are_found():
    assert words.numbers_of(words.plain("three of 1,000 or 2.5")) == ("1000", "2.5", "3")
    assert words.units_of(["5", "km", "on", "monday"]) == {"km", "monday"}
    assert words.names_of("Where does Anna live? In Paris.") == {"anna", "paris"}
    assert {["git", "reset", "--hard"][-1], "os.path"} <= words.code_of("git reset --hard os.path")
    assert words.script_of("Oslo и") == {"LATIN", "CYRILLIC"}
    assert (
        words.question_word("how many eggs"),
        words.question_word("is it"),
        words.question_word("list"),
    ) == (
        "how many",
        "is",
        "",
    )
