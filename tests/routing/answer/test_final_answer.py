import pytest

from x25.routing.answer.final_answer import (
    agree,
    find_final,
    find_numbers,
    has_wrong_equation,
    normalise_final,
)

CHOICES = {"A": "red", "B": "dark blue", "C": "1,200 m"}


@pytest.mark.parametrize(
    ("text", "form", "final"),
    [
        ('{"reasoning": "2 + 2", "answer": "4 eggs"}', "json", "4 eggs"),
        ('{"answer": ["a", 1]}', "json", '["a", 1]'),
        ('```json\n{"final answer": "said \\"no\\""}\n```', "json", 'said "no"'),
        ('{"answer": 12', "json", "12"),
        ('{"answer": "cut off in the mid', "json", "cut off in the mid"),
        ("I add.\n<answer> 7 </answer>", "tag", "7"),
        (r"so it is $\boxed{\frac{1}{2}}$.", "box", r"\frac{1}{2}"),
        ("Hence the answer is 3.5. Check it.", "phrase", "3.5"),
        ("The correct option is: **Paris**", "phrase", "Paris"),
        ("Because.\nAnswer: Lisbon. It lies there.", "label", "Lisbon"),
        ("48 / 2 = 24\n#### 24", "label", "24"),
        ("First 3, then 1,204", "number", "1,204"),
    ],
)
def test_the_final_answer_is_found_in_each_form(text, form, final):
    found = find_final(text)
    assert (found.form, found.text) == (form, final)


def test_the_most_explicit_form_wins_and_of_one_form_the_last():
    text = r"The answer is 1. \boxed{2} then \boxed{3}. I counted 4."
    found = find_final(text)
    assert (found.form, found.text, found.statements, found.is_consistent) == ("box", "3", 2, False)
    assert text[found.start :].startswith(r"\boxed{3}")


def test_statements_that_differ_only_in_writing_are_consistent():
    found = find_final("The answer is 0.5. Again: the answer is 1/2.")
    assert (found.text, found.statements, found.is_consistent) == ("1/2", 2, True)


@pytest.mark.parametrize("text", ["", "   ", "I cannot say", "\\boxed{}", "The answer is"])
def test_an_answer_that_states_nothing_has_no_final(text):
    assert find_final(text) is None


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("B. dark blue", "B"),
        ("(C)", "C"),
        ("It is dark.\n\nB", "B"),
        ("The answer is (B).", "B"),
        ("The answer is $\\boxed{B}$", "B"),
        ("The answer is option b.", "B"),
        ('{"answer": "B"}', "B"),
        ("The answer is Dark  Blue.", "B"),
        ("The answer is 1200.", "C"),
        ("It might be (A), yet it is (B)", "B"),
    ],
)
def test_an_option_is_recognised_by_letter_and_by_text(text, letter):
    found = find_final(text, CHOICES)
    assert found.choice == found.normal == letter


@pytest.mark.parametrize("text", ["The answer is a banana.", "The answer is (F).", "A car has 4 wheels"])
def test_what_is_no_option_is_not_taken_for_one(text):
    assert find_final(text, CHOICES).choice is None


def test_letters_alone_mean_nothing_without_options():
    assert find_final("B") is None


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  The   CAT. ", "the cat"),
        ("**Paris**.", "paris"),
        ('"abc"', "abc"),
        (r"\boxed{\text{Yes}}", "yes"),
        (r"\(45^\circ\)", "45"),
        (r"\dfrac{3}{4}", "3/4"),
        (r"2\sqrt{3}", "2sqrt(3)"),
        ("$1,234.00", "1234"),
        ("0.50 m", "1/2"),
        (".5", "1/2"),
        ("2/4", "1/2"),
        ("-3.0", "-3"),
        ("12 apples.", "12"),
        ("5cm", "5"),
        ("50%", "50"),
        ("x = 5", "5"),
        ("[1, 2,  3]", "[1,2,3]"),
        ("", ""),
    ],
)
def test_writing_does_not_count_in_the_normal_form(text, normal):
    assert normalise_final(text) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 million", "5"),
        ("3 pi", "3"),
        ("3x + 2", "3"),
        ("3 or 4", "3"),
        ("-3", "3"),
        ("[1,234]", "[1234]"),
        ("1/0", "1"),
    ],
)
def test_different_answers_keep_different_normal_forms(one, other):
    assert normalise_final(one) != normalise_final(other)


@pytest.mark.parametrize("text", ["3/4", "yes", "[1,2]", "2sqrt(3)", "1/0"])
def test_a_normal_form_is_its_own_normal_form(text):
    assert normalise_final(normalise_final(text)) == normalise_final(text) == text


def test_answers_agree_when_they_say_the_same():
    half = find_final(r"\boxed{\frac{1}{2}}")
    assert agree(half, find_final('{"answer": "0.5"}')) is True
    assert agree(half, find_final("The answer is 0.6")) is False
    assert agree(half, None) is agree(None, half) is agree(None, None) is None


def test_letter_and_text_of_one_option_agree():
    assert agree(find_final("(B)", CHOICES), find_final("The answer is dark blue.", CHOICES)) is True


def test_numbers_are_read_without_thousands_commas():
    assert find_numbers("1,234.5 and -7, 3; v2 10") == ["1234.5", "-7", "3", "10"]


@pytest.mark.parametrize(
    "text",
    [
        "12 * 3 = 35",
        "1,200 + 34 = 1,235",
        "5 − 7 = 2",
        "so 2+2=5.",
        "Total = 3 × 4 = 13",
        r"$3 \times 4 = 11$",
        "3 x 4 = 13",
        "2 + 3 * 4 = 20",
        "10 - 3 - 2 = 9",
        "0.1 + 0.2 = 0.4",
        "10 / 3 = 5",
        "$20 - $5 = $14",
    ],
)
def test_a_wrong_equation_is_found(text):
    assert has_wrong_equation(f"First {text}, then on.")


@pytest.mark.parametrize(
    "text",
    [
        "12 * 3 = 36",
        "1,200 + 34 = 1,234",
        "5 − 7 = −2",
        "5 * -2 = -10",
        "-2 + 3 = 1",
        "2 + 3 * 4 = 14",
        "10 / 3 = 3.33",
        "10 / 4 = 2",
        "0.1 + 0.2 = 0.3",
        "1.05 * 33.4 = 35.1",
        "5 / 0 = 0",
    ],
)
def test_a_right_equation_is_not_flagged(text):
    assert not has_wrong_equation(f"First {text}, then on.")


@pytest.mark.parametrize(
    "text",
    [
        "x - 2 + 3 = 5",
        "x -2 + 3 = 5",
        "2 1/2 + 1 = 3.5",
        "2x + 3 = 5",
        "x^2 + 1 = 9",
        "(2 + 3) * 4 = 20",
        "2 + 2 == 5",
        "17 + 5 = 22 - 1",
        "17 + 5 = 4 mod 18",
        "9 + 5 = 2 (mod 12)",
        "3 + 4 = 5x",
        "20% + 5 = 7",
        "0x12 = 3",
        "10 / 4 = 2 R 2",
        "1 + 1 = ",
    ],
)
def test_what_cannot_be_read_is_passed_over(text):
    assert not has_wrong_equation(f"First {text}, then on.")


@pytest.mark.parametrize(
    "piece",
    ["1", "1+", "1 + ", "1,234,", "-", "= ", "1+1=", '"answer": ', '"answer": "', '"answer": [', "[", "{",
     "<answer>", "\\boxed{", "the answer is ", "answer to ", "Answer:", "\n", " ", "(A", "** ", "\\text{", "1."],
)  # fmt: skip
def test_hostile_text_is_read_to_its_end(piece):
    """A pattern that backtracks would keep the suite here for minutes."""
    text = (piece * 6_000)[:6_000]
    final = find_final(text, CHOICES)
    assert final is None or final.text in text
    assert has_wrong_equation(text + "=") in {True, False}
    assert len(normalise_final(text)) <= len(text)
