import pytest

from x25.state.observations import Observation


def seen(outcome, *, is_due):
    return Observation(outcome, None, None, None, seen_prob=0.5, is_due=is_due)


@pytest.mark.parametrize("outcome", ["failed_check", "scored"])
def test_what_was_to_be_looked_at_anyway_teaches(outcome):
    assert seen(outcome, is_due=True).teaches


@pytest.mark.parametrize("outcome", ["failed_check", "scored"])
def test_what_was_looked_at_because_of_how_it_came_out_teaches_nothing(outcome):
    assert not seen(outcome, is_due=False).teaches


@pytest.mark.parametrize("is_due", [True, False])
def test_what_nobody_saw_teaches_nothing(is_due):
    assert not seen("unseen", is_due=is_due).teaches
