"""What one answer teaches: evidence about its arm, and what it tells the drift detector."""

import math
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Watch:
    """What one observation tells the drift detector; `Watch()` tells it nothing."""

    rise: float = 0.0
    """What its sum for a better arm grows by, in nats; the sum never falls below zero."""
    fall: float = 0.0
    """The same for a worse arm."""
    watched: int = 0
    """1 where the detector looked, else 0."""
    fast_gamma: float = 0.93
    """What one observation leaves of the fast sums."""
    return_hazard: float = 0.0
    """What each call of the org adds to the odds that an arm which became worse is repaired."""
    return_ratio: float = 1.0
    """What this observation multiplies those odds with."""
    most_odds: float = 20.0

    @classmethod
    def after(cls, surprise: tuple[float, float] | None, fast_gamma: float, return_hazard: float) -> Self:
        """Return what an observation of this surprise tells; None where nothing was expected of its arm.

        Repaired is what better by as much as the detector looks for is called of an arm that became worse.
        """
        if surprise is None:
            return cls(fast_gamma=fast_gamma, return_hazard=return_hazard)
        rise, fall = surprise
        return cls(rise, fall, 1, fast_gamma, return_hazard, return_ratio=math.exp(rise))

    def columns(self) -> dict[str, float]:
        """Return the values by parameter name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one answer teaches of its arm."""

    step: int
    """Which answer of its call: 0 for the first, then up."""
    model_id: str
    tier: str
    task_cell: str
    success: float
    """The reward, 0 to 1."""
    failure: float
    """Its complement."""
    selection: tuple[float, float] | None
    """Learning weight and prediction, where it moves what selection reads."""
    rescued: bool | None = None
    """Of an answer given after an escalation: whether it was better than those before."""
    watch: Watch = field(default=Watch())

    def check(self) -> None:
        """Raise ValueError when a count or probability is negative or a number is not finite."""
        weight, predicted = self.selection or (0.0, 0.0)
        for name, value in (("success", self.success), ("failure", self.failure), ("predicted", predicted)):
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{name} must be finite and at least 0, got {value!r}")
        if not math.isfinite(weight):
            raise ValueError(f"the learning weight must be finite, got {weight!r}")
