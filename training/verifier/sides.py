"""Which answers of a source is a verifier fitted on? Those of the train side; the other measures it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...routing.prompt.logistic import sigmoids
from ..data.recorded import Recorded
from ..data.sides import Designed, Folders
from .answer_matrix import Answers, read_answers
from .fit import Answered, Labelled, fit_prior
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

    answered: Answered
    labelled: Labelled
    design: Floats

    @property
    def recorded(self) -> Recorded:
        """The prompts."""
        return self.answered.recorded

    @property
    def answers(self) -> Answers:
        """Their answers."""
        return self.answered.answers

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


def read_sides(folders: Folders, source: str) -> tuple[Side, Side]:
    """Return train and test side of a source, of the models whose answers both hold; raises as `read_answers` does."""
    train, test = folders.sides(source)
    given = read_answers(folders.train, train.recorded, folders.cache)
    asked = read_answers(folders.test or folders.train, test.recorded, folders.cache)
    models = [model for model in given.models if model in asked.models and model in test.recorded.models]
    return sides_of((train, given.choose(models)), (test, asked.choose(models)))


def sides_of(train: tuple[Designed, Answers], test: tuple[Designed, Answers]) -> tuple[Side, Side]:
    """Return both sides with the priors of heads fitted on train, those of train out of fold."""
    (seen, given), (fresh, asked) = train, test
    prior = fit_prior(seen.recorded, seen.design, given.models)
    answered = Answered(seen.recorded, given, prior.train_probs)
    usual = answered.usual()
    other = replace(answered, recorded=fresh.recorded, answers=asked, priors=prior.probs(fresh.design))
    return (
        Side(answered, answered.labelled(usual), seen.design),
        Side(other, other.labelled(usual), fresh.design),
    )
