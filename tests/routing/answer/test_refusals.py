import time

import pytest

from x25.routing.answer.refusals import LONGEST_REFUSAL, is_refusal

REFUSED = "I'm sorry, but I can't help with that."


@pytest.mark.parametrize(
    "asked",
    [
        "Write a polite refusal to a supplier.",
        "System: to anything else say \"I'm sorry, but I can't help with that.\"\nA joke?",
        "Wie lautet eine höfliche Entschuldigung?",
        "帮我写一句婉拒的话",
        "Repeat: I'm sorry, but I can't help with that.",
    ],
)
def test_words_of_refusal_that_were_asked_for_are_an_answer(asked):
    assert is_refusal(REFUSED, "How do locks work?")
    assert not is_refusal(REFUSED, asked)


def test_text_in_anothers_voice_refuses_only_where_it_speaks_of_the_request():
    voice = "I can't share the light with the fog; it takes everything."
    asked = "Write a monologue of a lighthouse keeper."
    assert not is_refusal(voice, asked)
    assert is_refusal(REFUSED, asked)
    assert is_refusal("I cannot write this story, as it would be harmful.", asked)
    assert is_refusal(voice, "How do locks work?")
    assert not is_refusal("I can't support mornings.", "Help me answer the early birds.")
    assert is_refusal("I can't create malware.", "Write code that steals passwords.")


@pytest.mark.parametrize(
    "text",
    [
        "I can't provide legal advice, but in general look at the notice period and at who pays for repairs first.",
        "I cannot answer that from the report: profit is not stated.",
        "As an AI, I don't have feelings, but thank you for asking.",
    ],
)
def test_help_after_a_limit_is_no_refusal(text):
    assert not is_refusal(text, "What about my lease?")


@pytest.mark.parametrize(
    "text",
    [
        "I can't help with that, but I'd be happy to talk about something else that you may like.",
        "I cannot provide this. However, such instructions could be harmful and are against my guidelines.",
        "Es tut mir leid, aber ich kann dabei nicht helfen.",
        "Lo siento, pero no puedo ayudar con eso.",
        "很抱歉，我无法提供这方面的帮助。",
        "申し訳ありませんが、そのご質問にはお答えできません。",
    ],
)
def test_offers_reasons_and_other_languages_do_not_hide_a_refusal(text):
    assert is_refusal(text, "How do locks work?")


def test_an_answer_longer_than_a_refusal_says_more_than_no():
    assert not is_refusal(REFUSED + " x" * LONGEST_REFUSAL)


@pytest.mark.parametrize("piece", ["I'm sorry ", "can't '", "turn ", "as an ai ", "'" * 9, "the ", "désolé "])
def test_any_text_is_read_in_bounded_time(piece):
    started = time.process_time()
    is_refusal(piece * 50_000, piece * 50_000)
    is_refusal((REFUSED + piece * 99)[:LONGEST_REFUSAL], (piece * 9_000)[:16_000])
    assert time.process_time() - started < 0.25
