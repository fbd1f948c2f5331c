from dataclasses import replace

import pytest

from x25.nodes.answer.lesson import is_only_checked, lesson_of
from x25.routing.belief.likelihood import FAILED_CHECK, PASSED_CHECKS, posterior


async def test_what_the_checks_say_is_on_average_what_was_predicted(walk_to_model, services):
    """Passing 96.8 % and failing 3.2 % of the time, as a model right in .8 of its answers does."""
    prob = 0.8
    fails = prob * FAILED_CHECK[0] + (1.0 - prob) * FAILED_CHECK[1]
    mean = fails * posterior(prob, FAILED_CHECK) + (1.0 - fails) * posterior(prob, PASSED_CHECKS)
    assert mean == pytest.approx(prob)
    alone = replace(services, judge=None)
    call = await walk_to_model("judge", using=alone)
    (answer,) = call.answers
    lesson = lesson_of(call, answer, alone)
    expected = posterior(answer.predicted_prob, PASSED_CHECKS)
    assert lesson.selection == (pytest.approx(expected), answer.predicted_prob)
    assert (lesson.success, lesson.failure) == (pytest.approx(expected), pytest.approx(1.0 - expected))


async def test_a_later_answer_moves_the_counts_but_not_what_selection_reads(walk_to_model, services):
    alone = replace(services, judge=None)
    call = await walk_to_model("judge", using=alone)
    lesson = lesson_of(call, replace(call.answers[0], step=1), alone)
    assert (lesson.selection, lesson.watch.watched) == (None, 0)


async def test_an_answer_another_call_bought_teaches_there(walk_to_model, services):
    alone = replace(services, judge=None)
    call = await walk_to_model("judge", using=alone)
    (answer,) = call.answers
    assert is_only_checked(call, answer, alone)
    assert not is_only_checked(call, replace(answer, is_inherited=True), alone)
    assert not is_only_checked(call, answer, services)
