from typing import get_args

from x25.state.label_counts import FAILED_CHECK, NO_FIRST_ANSWER, UNJUDGED, LabelSource


def test_places_and_epochs_that_stand_for_something_else_are_no_bins_and_no_counts():
    assert len({FAILED_CHECK, UNJUDGED}) == 2
    assert max(FAILED_CHECK, UNJUDGED, NO_FIRST_ANSWER) < 0


def test_three_may_label():
    assert get_args(LabelSource) == ("feedback", "audit", "check")
