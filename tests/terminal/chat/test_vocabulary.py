from datetime import date

import pytest

from x25.terminal.chat.reader import Known, read
from x25.terminal.chat.vocabulary import IGNORED, KINDS, PHRASES, RULES, WORDS

KNOWN = Known(["acme"], ["sim/tiny-1"], date(2026, 11, 28))


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if "…" not in rule.example], ids=lambda rule: rule.example
)
def test_every_example_is_understood_as_its_own_kind(rule):
    example = rule.example.replace("a token cost", "a token of sim/tiny-1 cost")
    assert read(example, KNOWN).kind == rule.kind


def test_no_word_means_two_things_and_every_concept_is_used():
    assert not IGNORED & WORDS.keys()
    used = {concept for rule in RULES for concept in rule.needs | rule.may}
    assert {*WORDS.values(), *(concept for _, concepts in PHRASES for concept in concepts)} <= used
    assert len(KINDS) >= 30
