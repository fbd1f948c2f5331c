from collections import Counter
from random import Random

import pytest

from x25.simulator.tasks import chance, final_answer, generate, is_correct, solve, wrong_answer
from x25.state.types import TASK_TYPES


def test_truth_of_two_thousand_tasks_is_recovered_from_their_text() -> None:
    tasks = generate(11, 2000)
    lost = [task for task in tasks if (found := solve(task.prompt)) is None or found.truth != task.truth]
    assert lost == []


def test_generated_tasks_cover_six_families_of_known_types_within_the_difficulty_range() -> None:
    tasks = generate(1, 600)
    assert set(Counter(task.family for task in tasks).values()) == {100}
    assert {task.task_type for task in tasks} <= set(TASK_TYPES)
    assert all(-2.5 <= task.difficulty <= 2.5 for task in tasks)
    assert len({task.prompt for task in tasks}) > 570


def test_a_seed_decides_the_tasks() -> None:
    assert generate(4, 50) == generate(4, 50)
    assert generate(4, 50) != generate(5, 50)


def test_truth_is_correct_and_a_wrong_answer_is_wrong_for_every_task() -> None:
    rng = Random(0)
    for task in generate(12, 1200):
        solved = solve(task.prompt)
        assert solved is not None
        assert is_correct(task.prompt, f"Because of this. Answer: {task.truth}") is True
        assert is_correct(task.prompt, f"Answer: {wrong_answer(solved, rng)}") is False


def test_a_prompt_that_is_no_task_has_no_truth() -> None:
    assert solve("Write me a poem about the sea.") is None
    assert is_correct("Write me a poem about the sea.", "Answer: blue") is None


@pytest.mark.parametrize(
    "prompt",
    [
        'Extract the amount paid of Omar from this message: "nobody paid"',
        "Paragraph: Nothing here.\nQuestion: In which city does Mira live?",
    ],
)
def test_a_text_that_only_resembles_a_task_has_no_truth(prompt: str) -> None:
    assert solve(prompt) is None


def test_a_task_is_recognised_inside_a_longer_text() -> None:
    task = generate(2, 1)[0]
    found = solve(f"Please help.\n\n{task.prompt}\nThank you!")
    assert found is not None
    assert found.truth == task.truth


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("It is 3. Answer: 4\nor rather answer: 5", "5"),
        ('{"answer": "Oslo", "simulated": true}', "Oslo"),
        ("Some reasoning.\n42", "42"),
        ("{broken", "{broken"),
    ],
)
def test_final_answer_is_the_last_claim(text: str, claim: str) -> None:
    assert final_answer(text) == claim


@pytest.mark.parametrize("text", ["", "Answer:", "37 or 38", "I cannot tell."])
def test_an_answer_without_the_truth_is_wrong(text: str) -> None:
    assert is_correct("Calculate 30 + 7. Give the number.", text) is False


def test_letter_case_and_punctuation_do_not_make_an_answer_wrong() -> None:
    assert is_correct('Reverse the letters of the word "lumen".', ' Answer: **"Nemul".** ') is True


def test_chance_is_repeatable_and_uniform() -> None:
    draws = [chance(3, "x", str(index)) for index in range(4000)]
    assert draws[7] == chance(3, "x", "7")
    assert chance(3, "a", "b") != chance(3, "ab")
    shares = Counter(int(draw * 10) for draw in draws)
    assert all(330 < shares[tenth] < 470 for tenth in range(10))  # 400 expected, sd 19
