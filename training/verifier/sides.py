"""Train and test side of a recorded source, ready for fitting and measuring a verifier."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids
from ..data.design import EmbedsMany, design_matrix
from ..data.recorded import Recorded, is_held_out, read_recorded
from .answer_matrix import Answers, Progress, read_answers
from .fit import Labelled, Usual, fit_prior, labelled_of
from .measures import calibration_per_model, per_model

Floats = NDArray[np.float64]
Figures = dict[str, Any]

FRONTIER = {
    "zeroeval": "claude-3-5-sonnet-20241022",
    "mmlu_pro": "gemini-1.5-pro-002",
    "reasoning_gym": "claude-sonnet-4",
    "routerbench": "gpt-4-1106-preview",
}
"""Source → the model left out of the averages: nobody looks at the last tier's answer before going on."""


@dataclass(frozen=True)
class Side:
    """One side of a source, ready to fit on or to measure."""

    recorded: Recorded
    answers: Answers
    labelled: Labelled
    design: Floats

    @property
    def counted(self) -> list[int]:
        """Columns of the small and mid models."""
        frontier = FRONTIER.get(self.recorded.source)
        return [column for column, model in enumerate(self.answers.models) if model != frontier]

    def measure(self, scores: Floats) -> Figures:
        """Return the AUCs and the calibration error of log odds of shape (prompts, models)."""
        known = self.labelled.known
        correct = np.where(known, self.labelled.correct, np.nan)
        figures: Figures = per_model(scores, correct, self.recorded.datasets, self.counted)
        figures["ece"] = calibration_per_model(sigmoids(scores), correct, self.counted)
        return figures


def read_sides(  # noqa: PLR0913, PLR0917 - where from, what with, whom to tell
    data_dir: Path,
    test_dir: Path | None,
    source: str,
    encoder: EmbedsMany,
    cache: Path | None = None,
    say: Progress | None = None,
) -> tuple[Side, Side]:
    """Return train and test side of a source; the train side's priors are out of fold."""
    recorded = read_recorded(data_dir, source)
    answers = read_answers(data_dir, recorded, cache, say)
    design = design_matrix(recorded.prompts, encoder, cache)
    if test_dir is None:
        held_out = is_held_out(recorded.groups)
        rows, test_rows = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        test, asked, test_design = recorded.take(test_rows), answers.take(test_rows), design[test_rows]
        recorded, answers, design = recorded.take(rows), answers.take(rows), design[rows]
    else:
        test = read_recorded(test_dir, source)
        asked = read_answers(test_dir, test, cache, say)
        test_design = design_matrix(test.prompts, encoder, cache)
    models = [model for model in answers.models if model in asked.models and model in test.models]
    answers, asked = answers.choose(models), asked.choose(models)
    prior = fit_prior(recorded, design, models)
    usual = Usual.of(answers, recorded.correct[:, recorded.columns(models)])
    return (
        Side(recorded, answers, labelled_of(recorded, answers, prior.train_probs, usual), design),
        Side(test, asked, labelled_of(test, asked, prior.probs(test_design), usual), test_design),
    )
