from itertools import permutations
from math import log1p

import numpy as np
import pytest

from x25.routing.answer.features import (
    ANSWER_FEATURE_NAMES,
    HEDGES,
    MOST_CHARS,
    PAIR_FEATURE_NAMES,
    HeldAnswer,
    extract_answer,
    pair_features,
)
from x25.routing.answer.final_answer import find_final

JSON_WANTED = {"response_format": {"type": "json_object"}}


def features(answer, prompt="How many eggs do 3 hens lay in 4 days?", *, finish="stop", options=None, **more):
    return extract_answer(prompt, answer, finish, options or {}, 5.0, 1.0, **more)


def multiple_choice(texts):
    return "Which is it?\n" + "\n".join(
        f"{letter}. {text}" for letter, text in zip("ABCD", texts, strict=True)
    )


def test_features_have_distinct_names():
    assert len(ANSWER_FEATURE_NAMES) == len(set(ANSWER_FEATURE_NAMES))
    values = features("12").values
    assert values.shape == (len(ANSWER_FEATURE_NAMES),)
    assert values.dtype == np.float64


def test_hedges_and_corrections_are_thirty_seven_words():
    words = [word for group in HEDGES.values() for word in group]
    assert len(words) == len(set(words)) == 37


@pytest.mark.parametrize(
    "text", ["", " ", "x", "\x00", "\ud800", "漢字" * 5_000, "a" * 100_000, "\n" * 9_000, "[" * 9_000, "²"]
)
def test_features_of_any_text_are_finite(text):
    assert np.isfinite(features(text, text).values).all()
    assert np.isfinite(features(f"The answer is {text}", f"A. {text}\nB. {text}").values).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log_list_items", "- a\n- b"),
        ("log_equals_signs", "x = 3"),
        ("log_latex_commands", r"\frac"),
        ("digit_share", "x 3"),
        ("repeated_line_share", "again\nagain"),
        ("repeated_trigram_share", "so it is so it is so it is"),
        ("log_doubts", "perhaps"),
        ("log_doubts", "I think so"),
        ("log_corrections", "Wait, no"),
        ("log_near_misses", "none of the options"),
        ("hedge_share", "maybe"),
        ("final_form_json", '{"answer": "x"}'),
        ("final_form_tag", "<answer>x</answer>"),
        ("final_form_box", r"\boxed{x}"),
        ("final_form_phrase", "the answer is x"),
        ("final_form_label", "Answer: x"),
        ("final_form_number", "eggs: 12"),
        ("final_contradicted", "The answer is 2. No, the answer is 3."),
        ("final_log_in_reasoning", "12 eggs. The answer is 12."),
        ("final_in_question", "The answer is hens."),
        ("final_in_question", "The answer is 4."),
        ("final_is_last_reasoned", "3 and 4 make 12. The answer is 12."),
        ("final_is_integer", "The answer is 12."),
        ("final_is_fraction", "The answer is 1/2."),
        ("final_is_decimal", "The answer is 1.5."),
        ("final_is_negative", "The answer is -3."),
        ("final_is_word", "The answer is hens."),
        ("final_is_list", "The answer is [1, 2]."),
        ("final_is_formula", "The answer is a^2."),
        ("final_log_tail_chars", "The answer is 12 eggs. Enjoy the breakfast!"),
        ("prompt_numbers_used_share", "3 times"),
        ("numbers_from_prompt_share", "3 times"),
        ("log_new_numbers", "12"),
        ("has_code", "```python\nx = 1\n```"),
        ("code_breaks", "```python\nx = = 1\n```"),
        ("is_refused", "I'm sorry, but I can't help with that."),
        ("ends_open", "It was the"),
        ("ends_open", "```\nx."),
        ("wrong_equation", "3 * 4 = 13."),
    ],
)
def test_a_feature_answers_to_its_name(name, text):
    assert features(text)[name] > 0.0 == features("Eggs are laid by birds.")[name]


def test_an_empty_and_a_cut_off_answer_are_marked():
    assert features("")["is_empty"] == 1.0
    assert features("12", finish="length")["is_cut_off"] == 1.0
    assert features("12")["is_empty"] == features("12")["is_cut_off"] == 0.0


def test_json_is_looked_at_where_the_request_wants_it():
    assert features("12 eggs", options=JSON_WANTED)["breaks_schema"] == 1.0
    assert features('{"answer": 12}', options=JSON_WANTED)["breaks_schema"] == 0.0
    assert features("12 eggs")["breaks_schema"] == 0.0


def test_bare_answers_differ_from_reasoned_ones():
    assert features("The answer is 12.")["is_bare"] == 1.0
    assert features("Each of the hens lays one egg a day. The answer is 12.")["is_bare"] == 0.0


def test_length_is_measured_against_the_models_own():
    text = "x" * 1_000
    z = extract_answer("p", text, "stop", {}, log1p(1_000) - 1.0, 0.5)["length_z"]
    assert z == pytest.approx(2.0)
    assert extract_answer("p", text, "stop", {}, 3.0, 0.0)["length_z"] == 0.0
    assert extract_answer("p", text, "stop", {}, 0.0, 1e-9)["length_z"] == 5.0


def test_repetition_compresses():
    varied = " ".join(str(number**7) for number in range(100))
    assert features("the same " * 100)["compression_ratio"] < 0.2 < features(varied)["compression_ratio"]


def test_log_probabilities_are_read_where_there_are_any():
    given = features("12", logprobs=[-0.1] * 19 + [-9999.0])
    assert given["has_logprobs"] == 1.0
    assert given["logprob_min"] == -20.0
    assert features("12", logprobs=None)["has_logprobs"] == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        "Snow it is, not hail, since (@) freezes and option @ holds. The answer is (@).",
        "Snow it is, not hail. The answer is (@) snow.",
        "Snow it is, not hail. The answer is snow.",
        "@",
        "@. snow",
        '{"reasoning": "snow, not hail", "answer": "@"}',
        r"Surely snow: \boxed{@}",
    ],
)
def test_the_letter_of_the_chosen_option_leaves_no_trace(answer):
    vectors = set()
    for texts in permutations(["rain", "snow", "hail", "fog"]):
        letter = "ABCD"[texts.index("snow")]
        found = features(answer.replace("@", letter), multiple_choice(texts))
        assert found.final.choice == letter
        vectors.add(tuple(found.values))
    assert len(vectors) == 1


@pytest.mark.parametrize(
    "answer", ["We recall it. The answer is (@).", "@", "@. {text}", "The answer is (@) {text}."]
)
def test_the_length_of_the_chosen_option_leaves_no_trace(answer):
    texts = ["ox", "an elephant of considerable age", "some horses", "two very small donkeys"]
    vectors = set()
    for order in permutations(texts):
        given = answer.replace("@", "B").replace("{text}", order[1])
        vectors.add(tuple(features(given, multiple_choice(order)).values))
    assert len(vectors) == 1


def test_which_option_the_reasoning_speaks_of_does_leave_a_trace():
    prompt = multiple_choice(["rain", "snow", "hail", "fog"])
    fits, differs = (features(f"Snow it is. The answer is ({letter}).", prompt) for letter in "BA")
    assert fits["choice_text_found"] > differs["choice_text_found"]


def test_beginning_and_end_of_a_long_answer_are_read():
    text = "Perhaps. " + "word " * MOST_CHARS + "The answer is 12."
    found = features(text)
    assert found["log_doubts"] > 0.0
    assert found.final.text == "12"
    assert found["log_chars"] == pytest.approx(log1p(len(text)))


@pytest.mark.parametrize(
    "piece", ["1+1=", "1 + ", "\\boxed{", '"answer": [', "the answer is ", "```python\n", "(A) "]
)
def test_a_hostile_answer_is_read_to_its_end(piece):
    """A pattern that backtracks would keep the suite here for minutes."""
    text = (piece * MOST_CHARS)[:MOST_CHARS]
    assert np.isfinite(features(text, multiple_choice(["1", "2", "3", "4"])).values).all()


def held(text, verifier_logit=0.0, prior_logit=0.0):
    return HeldAnswer(text, find_final(text), verifier_logit, prior_logit)


def test_two_answers_that_agree_are_told_from_two_that_do_not():
    own = held("The answer is 0.5", 1.0, 2.0)
    pair = dict(zip(PAIR_FEATURE_NAMES, pair_features(own, held(r"\boxed{\frac12}", 3.0, 4.0)), strict=True))
    assert [pair[name] for name in PAIR_FEATURE_NAMES[3:]] == [1.0, 3.0, 2.0, 4.0]
    same, differing, unknown = (
        pair_features(own, held(text))[0] for text in ("Answer: 1/2", "Answer: 2", "Nobody knows")
    )
    assert (same, differing, unknown) == (1.0, 0.0, 0.5)


def test_the_cosine_compares_words_and_the_gap_lengths():
    own = held("Four eggs")
    assert pair_features(own, held("eggs, FOUR!"))[1] == pytest.approx(1.0)
    assert pair_features(own, held("four hens"))[1] == pytest.approx(0.5)
    assert pair_features(own, held("no"))[1] == pair_features(own, held(""))[1] == 0.0
    assert pair_features(own, held(""))[2] == pytest.approx(log1p(len("Four eggs")))
    assert pair_features(held(""), own)[2] == -pair_features(own, held(""))[2]
