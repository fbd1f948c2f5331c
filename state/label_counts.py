"""What labels of answers add up to: what trust in labels, judge tables and beliefs about models are worked out from."""

from dataclasses import dataclass
from typing import Literal

LabelSource = Literal["feedback", "audit", "check"]
"""Who says so: the caller, somebody who looked at a sample, or a check that was run."""

FAILED_CHECK, UNJUDGED = -2, -1
"""Places beside the judge's score bins: the answer failed a free check; it passed them and no judge scored it."""
NO_FIRST_ANSWER = -1
"""Epoch of answers that say nothing unbiased of their model: asked for after a failure, or by a model's former self."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """Labels alike: of one source, on answers of one model in one context cell that were found alike."""

    source: str
    model_id: str
    """Empty for labels given before models were noted."""
    task_cell: str
    judge: str
    """Judge that scored them; empty where none did."""
    place: int
    """The judge's score bin, 0 to 4, or `UNJUDGED`, or `FAILED_CHECK`."""
    epoch: int
    """How often the model had changed when it gave these first answers; `NO_FIRST_ANSWER` for others."""
    right: float
    """How right they were, summed; a label of .5 counts half on either side."""
    wrong: float
    predicted: float
    """Probabilities predicted for them, summed; 0 where they are no first answers."""
