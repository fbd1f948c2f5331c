import pytest

from x25.demo.generated import ask_each_model, make_items, score
from x25.demo.items import Item

MODELS = {"slm": "sim/tiny-1", "frontier": "sim/xlarge-6"}


def test_the_same_seed_makes_the_same_prompts() -> None:
    assert make_items(20, seed=1) == make_items(20, seed=1)
    assert make_items(20, seed=1) != make_items(20, seed=2)
    assert {item.org for item in make_items(20, seed=1)} == {"demo"}
    assert len({item.kind for item in make_items(20, seed=1)}) > 3


def test_the_truth_is_worth_one_and_anything_else_nothing() -> None:
    for item in make_items(12, seed=3):
        assert score(item, f"Let me see.\nAnswer: {item.truth}") == 1.0
        assert score(item, "Answer: no idea") == 0.0


def test_a_prompt_of_somebody_else_has_no_score() -> None:
    with pytest.raises(ValueError, match="not a generated prompt: 'Tell me a joke'"):
        score(Item("Tell me a joke", "jokes", "demo"), "Knock, knock.")


async def test_baselines_are_what_each_model_answered_and_billed(simulator) -> None:
    billed = len(simulator.bills())
    steps: list[None] = []
    items = make_items(10, seed=5)
    asked = await ask_each_model(
        items, MODELS, simulator.url, concurrency=4, advance=lambda: steps.append(None)
    )
    assert [item.prompt for item in asked] == [item.prompt for item in items]
    assert len(steps) == 10
    bills = simulator.bills(after=billed)
    for model in MODELS.values():
        paid = sum(bill["cost_usd"] for bill in bills if bill["model"] == model)
        assert sum(item.model_to_cost_usd[model] for item in asked) == pytest.approx(paid)
        assert {item.model_to_score[model] for item in asked} <= {0.0, 1.0}
