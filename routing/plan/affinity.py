"""Who may go on with a conversation: nobody weaker than the model whose answer it builds on.

The rule chooses among whom is drawn, so that propensities are those of the arms it leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...state.records import Arm
from ...state.types import TIERS
from ...state.working_memory import Start


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


def begin(arms: Sequence[Arm], start: Start, author: Author | None) -> Following:
    """Return who may give the first answer of a call.

    An overriding model alone; else those of the tiers the caller named, where there is one; of these the author of
    the conversation where the caller keeps to it, whoever is as strong where nothing was said of it.

    Parameters
    ----------
    author
        Who gave the newest answer of the conversation or chain; None = nobody, or not known.
    """
    if start.model_id is not None:
        why = f"routing_override: {start.model_id} is asked first"
        kept = tuple(arm for arm in arms if arm.model_id == start.model_id)
        return Following(kept, {arm.model_id: why for arm in arms if arm.model_id != start.model_id})
    named = tuple(arm for arm in arms if arm.tier in start.tiers)
    if not named:
        return _go_on(arms, start, author)
    following = _go_on(named, start, author)
    why = f"{start.why} begins with {' or '.join(start.tiers)}"
    aside = {arm.model_id: why for arm in arms if arm.tier not in start.tiers}
    return Following(following.arms, aside | following.removed, following.exception)


def _go_on(arms: Sequence[Arm], start: Start, author: Author | None) -> Following:
    if start.chain_routing == "mixed":
        return Following(tuple(arms), {})
    if start.chain_routing == "sticky" and author is not None:
        kept = tuple(arm for arm in arms if arm.model_id == author.model_id)
        if kept:
            why = f"chain_routing: {author.model_id} goes on"
            return Following(kept, {arm.model_id: why for arm in arms if arm not in kept})
    return follow_up(arms, author)
