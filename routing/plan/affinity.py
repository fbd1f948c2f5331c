"""Who may go on with a conversation: nobody weaker than the model whose answer it builds on.

The rule chooses among whom is drawn, so that propensities are those of the arms it leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...state.records import Arm
from ...state.types import TIERS


@dataclass(frozen=True, slots=True)
class Author:
    """The model that gave the newest answer of a conversation."""

    model_id: str
    tier: str


@dataclass(frozen=True, slots=True)
class Following:
    """Who may answer a follow-up."""

    arms: tuple[Arm, ...]
    removed: dict[str, str]
    """Model id to why it may not."""
    exception: str | None = None
    """Why a weaker model is asked all the same; None where none is."""


def follow_up(arms: Sequence[Arm], author: Author | None) -> Following:
    """Return the arms of the author's tier and above, or all of them where there is none; `author` None = unknown."""
    if author is None:
        return Following(tuple(arms), {})
    rank = TIERS.index(author.tier)
    kept = tuple(arm for arm in arms if arm.rank >= rank)
    if not kept:
        exception = (
            f"the conversation builds on {author.model_id} ({author.tier}), and nobody as strong may be asked"
        )
        return Following(tuple(arms), {}, exception)
    why = f"conversation: weaker than {author.model_id} ({author.tier}), whose answer it builds on"
    return Following(kept, {arm.model_id: why for arm in arms if arm.rank < rank})
