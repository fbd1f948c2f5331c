"""How mature an org's routing is, by the calls it has made."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from ...state.errors import StageNotReached

STAGE_NAMES = ("Explore", "Exploit", "Feedback", "Fine-tune")
STAGE_STARTS = (0, 50, 200, 500)
"""Calls at which each stage begins."""
FEEDBACK_STAGE, FINE_TUNE_STAGE = 3, 4
"""Stages that open `POST /feedback`, and training a model of the org's own."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where an org stands after `total_calls` calls."""

    stage: int
    """1 to 4."""
    total_calls: int

    @property
    def name(self) -> str:
        """Name of the stage."""
        return STAGE_NAMES[self.stage - 1]

    @property
    def calls_to_next_stage(self) -> int:
        """Calls until the next stage begins; 0 in the last."""
        return 0 if self.stage == len(STAGE_STARTS) else STAGE_STARTS[self.stage] - self.total_calls

    @property
    def progress_in_stage(self) -> float:
        """Share of this stage's calls made, 0 to 1, three decimals; 1 in the last stage."""
        if self.stage == len(STAGE_STARTS):
            return 1.0
        start, end = STAGE_STARTS[self.stage - 1 : self.stage + 1]
        return round((self.total_calls - start) / (end - start), 3)

    @property
    def improvement_available(self) -> bool:
        """Whether something can be called that improves the org from its own calls.

        From stage 3 on feedback and a refit of its estimators (`x25 train --from-log`), from stage 4 on training data
        for a model of its own (`POST /improve/{project}`).
        """
        return self.stage >= FEEDBACK_STAGE

    def to_json(self) -> dict[str, Any]:
        """Return the stage as the wire spells it."""
        return {
            "stage": self.stage,
            "stage_name": self.name,
            "total_calls": self.total_calls,
            "calls_to_next_stage": self.calls_to_next_stage,
            "progress_in_stage": self.progress_in_stage,
            "improvement_available": self.improvement_available,
        }


def stage_of(total_calls: int) -> Stage:
    """Return the stage of an org with that many calls.

    Raises
    ------
    ValueError
        If `total_calls` is negative.
    """
    if total_calls < 0:
        raise ValueError(f"total_calls must be >= 0, got {total_calls}")
    return Stage(stage=bisect_right(STAGE_STARTS, total_calls), total_calls=total_calls)


def require_stage(total_calls: int, stage: int, what: str) -> None:
    """Raise unless an org with that many calls has reached a stage.

    Parameters
    ----------
    stage
        1 to 4, such as `FEEDBACK_STAGE`.
    what
        What it would open, as the beginning of a sentence: "feedback".

    Raises
    ------
    StageNotReached
        Saying how many calls are still needed.
    """
    now, needed = stage_of(total_calls), STAGE_STARTS[stage - 1] - total_calls
    if needed > 0:
        raise StageNotReached(
            f"{what} opens at stage {stage} ({STAGE_NAMES[stage - 1]}), after {STAGE_STARTS[stage - 1]} calls; this "
            f"org made {total_calls} and is at stage {now.stage} ({now.name}): {needed} more calls are needed",
            calls_needed=needed, stage=now.stage, required_stage=stage,
        )  # fmt: skip
