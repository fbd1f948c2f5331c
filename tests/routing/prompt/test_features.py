import numpy as np
import pytest

from x25.routing.prompt.features import DOCUMENTED_FEATURES, FEATURE_NAMES, MOST_CHARS, extract


def user(text, **options):
    return extract([{"role": "user", "content": text}], options)


def test_there_are_forty_or_more_features_of_distinct_names():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) >= 40
    assert user("hello").values.shape == (len(FEATURE_NAMES),)
    assert user("hello").values.dtype == np.float64


@pytest.mark.parametrize(
    "text", ["", " ", "x", "\x00", "\ud800", "漢字" * 5_000, "a" * 100_000, "\n" * 9_000]
)
def test_features_of_any_text_are_finite(text):
    assert np.isfinite(user(text).values).all()


def test_no_messages_have_features_too():
    assert np.isfinite(extract([], {}).values).all()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code_fences", "```python\nx\n```"),
        ("math_symbols", "∑ x ≤ 3"),
        ("backslashes", r"\frac{1}{2}"),
        ("digit_share", "12345"),
        ("cjk_share", "漢字"),
        ("cyrillic_greek_share", "привет"),
        ("lettered_options", "Pick one.\nA) red\nB) blue"),
        ("question_words", "Why is it so?"),
        ("task_verbs", "Write it."),
        ("reasoning_phrases", "Think step by step"),
        ("list_items", "Do:\n- a\n- b"),
        ("uppercase_share", "SHOUT"),
        ("urls", "see https://example.org"),
        ("length_limits", "in 50 words or less"),
    ],
)
def test_a_feature_answers_to_its_name(name, text):
    assert user(text)[name] > 0.0 == user("it is so")[name]


def test_options_and_conversation_are_features():
    tools = [{"type": "function", "function": {"name": "f"}}]
    rich = extract(
        [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        ],
        {"tools": tools, "response_format": {"type": "json_object"}, "max_tokens": 50},
    )
    plain = user("a")
    for name in ("turns", "has_system", "tools", "has_schema", "images", "answer_limit_log_tokens"):
        assert rich[name] > plain[name], name
    assert rich.prompt_tokens > plain.prompt_tokens


def test_a_short_text_is_kept_whole():
    assert user("x" * MOST_CHARS).text == "x" * MOST_CHARS


def test_a_long_text_keeps_head_tail_and_the_last_user_request():
    history = [{"role": "assistant", "content": "HEAD" + "a" * 8_000}]
    request = [{"role": "user", "content": "REQUEST please" + "b" * 8_000 + "TAIL"}]
    text = extract([*history, *request], {}).text
    assert len(text) <= MOST_CHARS
    assert text.startswith("HEAD")
    assert "REQUEST please" in text
    assert text.endswith("TAIL")


def test_the_last_marker_in_a_flat_transcript_is_the_request():
    text = user("User: old" + "c" * 9_000 + "\nUser: NEW question" + "d" * 9_000).text
    assert len(text) <= MOST_CHARS
    assert "User: NEW question" in text


def test_length_counts_what_is_not_looked_at():
    assert user("a b " * 50_000)["log_chars"] == pytest.approx(np.log1p(200_000))
    assert user("a b " * 50_000)["log_words"] == pytest.approx(np.log1p(100_000), rel=0.01)


@pytest.mark.parametrize("text", [" " * 6_000, "\n1" * 3_000, "1." * 3_000, "http" * 1_500, "(a" * 3_000])
def test_hostile_texts_are_read_to_their_end(text):
    """A pattern that backtracks would keep the suite here for minutes."""
    assert np.isfinite(user(text).values).all()


def test_fifteen_features_or_more_are_documented_and_given_by_name():
    assert len(DOCUMENTED_FEATURES) >= 15
    assert set(DOCUMENTED_FEATURES) <= set(FEATURE_NAMES)
    assert all(DOCUMENTED_FEATURES.values())
    shown = user("What is 6 * 7?").documented()
    assert list(shown) == list(DOCUMENTED_FEATURES)
    assert shown["question_marks"] == pytest.approx(np.log(2), abs=1e-4)


SYSTEM = "You are the assistant of a bank. Write SQL, prove theorems, translate. def f(x): return x\n" * 35


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("question", ["Hi!", "Prove that 2 is prime.", "word " * 3_000])
def test_a_constant_system_prompt_changes_nothing_but_its_own_flag_and_the_tokens(role, question):
    assert len(SYSTEM) > 3_000
    bare, spoken = user(question), [{"role": "user", "content": question}]
    instructed = extract([{"role": role, "content": SYSTEM}, *spoken], {})
    different = np.flatnonzero(instructed.values != bare.values)
    assert [FEATURE_NAMES[index] for index in different] == ["has_system"]
    assert instructed.text == bare.text
    assert instructed.prompt_tokens > bare.prompt_tokens + 500
