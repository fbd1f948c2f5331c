from dataclasses import replace

import pytest

from x25.nodes.answer.best import best_answer
from x25.state.answers import Failure


@pytest.fixture
async def judged(walk_to_model):
    return await walk_to_model("judge")


def answers_of(call, *means, failed_checks=(), thetas=()):
    """Return the call with one answer for each mean belief; `failed_checks` are steps, `thetas` the draws."""
    (answer,) = call.answers
    return replace(
        call,
        answers=tuple(
            replace(
                answer,
                step=step,
                verdict=replace(
                    answer.verdict,
                    failed_check="not_empty" if step in failed_checks else None,
                    belief=replace(answer.verdict.belief, mean=mean, theta=thetas[step] if thetas else mean),
                ),
            )
            for step, mean in enumerate(means)
        ),
    )


async def test_the_best_answer_is_the_likeliest_and_the_later_of_equals(judged):
    assert best_answer(answers_of(judged, 0.4, 0.7, 0.7)).step == 2
    assert best_answer(answers_of(judged, 0.7, 0.4)).step == 0


async def test_an_answer_that_failed_a_free_check_comes_after_one_that_passed(judged):
    assert best_answer(answers_of(judged, 0.9, 0.3, failed_checks={0})).step == 1
    assert best_answer(answers_of(judged, 0.9, 0.3, failed_checks={0, 1})).step == 0


async def test_the_mean_belief_decides_and_not_the_draw(judged):
    assert best_answer(answers_of(judged, 0.6, 0.5, thetas=(0.1, 0.9))).step == 0


async def test_failures_are_no_answers(judged):
    (answer,) = judged.answers
    failed = replace(
        answer, step=1, message=None, verdict=None, failure=Failure("server", "ProviderServer", "no")
    )
    assert best_answer(replace(judged, answers=(answer, failed))) == answer
    assert best_answer(replace(judged, answers=(failed,))) is None
    assert best_answer(replace(judged, answers=())) is None
