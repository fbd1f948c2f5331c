from datetime import date
from pathlib import Path

import pytest
import yaml

from x25.state.queries.periods import Period
from x25.terminal.chat.reader import Known, read

TODAY = date(2026, 11, 28)
MODELS = ["sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/large-5", "sim/xlarge-6"]
KNOWN = Known(["acme", "beta"], MODELS, TODAY)
PHRASINGS = yaml.safe_load((Path(__file__).parent / "phrasings.yaml").read_text())
ALIKE = {"top_model": "calls_by_model"}
"""Kinds that are looked up alike."""


def outcomes(part):
    """Return how each question of a part is understood: right, wrong, or not at all."""
    found = {"right": [], "wrong": [], "none": []}
    for kind, questions in PHRASINGS[part].items():
        for question in questions:
            asked = read(question, KNOWN)
            is_right = asked is not None and ALIKE.get(asked.kind, asked.kind) == ALIKE.get(kind, kind)
            found["none" if asked is None else "right" if is_right else "wrong"].append(question)
    return found


@pytest.mark.parametrize(("part", "least"), [("seen", 0.97), ("revised", 0.95), ("unseen", 0.9)])
def test_nine_of_ten_phrasings_are_understood_and_none_is_misread(part, least):
    found = outcomes(part)
    assert found["wrong"] == []
    assert len(found["right"]) / sum(map(len, found.values())) >= least


def test_there_are_enough_phrasings_of_enough_kinds():
    counts = {part: sum(map(len, PHRASINGS[part].values())) for part in ("seen", "revised", "unseen")}
    assert sum(counts.values()) >= 300
    assert counts["unseen"] >= counts["seen"]
    assert len(PHRASINGS["unseen"]) >= 30


@pytest.mark.parametrize("question", PHRASINGS["other"])
def test_what_no_rule_answers_is_not_answered(question):
    assert read(question, KNOWN) is None


def test_a_question_is_narrowed_to_what_it_names():
    asked = read("How much did we spend on sim/large-5 for acme last week?", KNOWN)
    assert (asked.kind, asked.model, asked.org) == ("spend", "sim/large-5", "acme")
    assert asked.period == Period(date(2026, 11, 15), date(2026, 11, 21))
    assert read("top 3 most expensive frontier calls", KNOWN).count == 3
    assert read("How many calls went to tiny-1?", KNOWN).model == "sim/tiny-1"
    assert read("How much did we spend?", KNOWN).is_default_span


def test_two_stretches_are_compared_the_newer_one_first():
    asked = read("Compare spend last week with this week", KNOWN)
    assert (asked.period.last, asked.other.period.last) == (TODAY, date(2026, 11, 21))
    since = read("How did spending change since last week?", KNOWN)
    assert (since.period, since.other.period) == (asked.period, asked.other.period)
    assert read("How much did we spend since last week?", KNOWN).period == Period(date(2026, 11, 15), TODAY)
    assert read("spend since yesterday", KNOWN).period == Period(date(2026, 11, 27), TODAY)
    alone = read("Compare this month", KNOWN)
    assert alone.other.period == alone.period.before


def test_names_that_the_asker_may_not_know_are_no_words():
    assert read("How much did gamma spend?", KNOWN) is None
    assert read("How much did beta spend?", Known(["acme"], MODELS, TODAY)) is None
    assert read("x" * 501, KNOWN) is None
