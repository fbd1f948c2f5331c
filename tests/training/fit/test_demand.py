from pathlib import Path

import pytest

from x25.routing.prompt.demand import INTERCEPT, WEIGHTS
from x25.training.fit.demand import fit, read_questions

GOLDEN = Path(__file__).parents[2] / "golden"


def test_what_is_served_is_what_the_golden_requests_give():
    weights, intercept = fit(*read_questions(GOLDEN))
    assert weights == pytest.approx(dict(WEIGHTS), abs=2e-4)
    assert intercept == pytest.approx(INTERCEPT, abs=2e-3)
