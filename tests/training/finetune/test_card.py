import pytest

from x25.training.finetune.card import card
from x25.training.finetune.recipe import Recipe


def manifest(**changes):
    return {
        "org": "acme", "recipe": Recipe(base_model="b/m", name="acme-1").to_dict(), "options": {"min_quality": 0.7},
        "examples": {"train": 90, "held_out": 10}, "calls": {"from": "2026-01-01T00:00", "to": "2026-02-01T00:00"},
        "quality": {"looked_at": 40}, "models": {"v/m": 99, "v|x": 1}, "left_out": {"multi_turn": 3},
        "personal_data": {"rule": "redact", "replaced": {"email": 2}}, "is_simulated": False, **changes,
    }  # fmt: skip


def test_a_card_says_what_it_is_made_of_and_what_is_missing():
    text = card(manifest())
    assert text.startswith("---\nbase_model: b/m\n")
    for said in ("90 examples to train on", "10 held out", "40 of the answers were looked at", "| multi_turn | 3 |",
                 "2 x email", "| v/x | 1 |", "x25 improve register acme own/acme-1", "2026-02-01"):  # fmt: skip
        assert said in text, said
    assert "Simulated" not in text


def test_a_card_of_simulated_answers_says_that_they_are_good_for_nothing():
    assert "Simulated models gave the answers" in card(manifest(is_simulated=True, left_out={}))


@pytest.mark.parametrize(
    ("rule", "said"),
    [("keep", "it was not looked for"), ("drop", "calls in which any was found were left out")],
)
def test_a_card_says_what_was_done_about_personal_data(rule, said):
    assert said in card(manifest(personal_data={"rule": rule, "replaced": {}}))
