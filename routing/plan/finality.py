"""Whether an answer stands whatever is found out about it."""

from collections.abc import Sequence

from ...state.records import Arm
from ...state.types import TIERS
from ...state.working_memory import Strategy


def is_final(tier: str, others: Sequence[Arm], strategy: Strategy, escalations_left: int) -> bool:
    """Return whether no verdict on an answer of this tier can lead to another model: see `decide.proceed`.

    Parameters
    ----------
    others
        Who else may be asked. An answer that cannot be used is followed by one of the same tier, too.
    escalations_left
        How often the call may still climb.
    """
    if strategy == "threshold" or escalations_left < 1:
        return True
    return not any(arm.rank >= TIERS.index(tier) for arm in others)
