"""Feedback on a call's answer: the one way in for the door and the command line."""

from dataclasses import dataclass
from typing import Literal

from ..routing.belief.stage import FEEDBACK_STAGE, require_stage, stage_of
from ..routing.plan.org_settings import OrgSettings
from ..state.errors import InvalidRequest
from ..state.label_counts import LabelSource
from ..state.learning.labels import Labelled
from ..state.names import check_call_id, check_org
from ..state.org_wishes import is_unstored
from ..state.store import Store

Outcome = Literal["good", "bad", "retracted"]
OUTCOME_TO_RIGHT = {"good": 1.0, "bad": 0.0}
_TEXTS = ("note", "corrected_answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody says of an answer: an outcome or a score, and words."""

    outcome: Outcome | None = None
    score: float | None = None
    """How right it was, 0 to 1."""
    step: int | None = None
    """Which answer of the call, 0 = the first; None = the one that was returned."""
    correct_model: str | None = None
    """Model that would have been right; with a wrong answer only. It is kept and teaches nothing: a model that is
    named only where another failed says nothing of how often it is right."""
    note: str | None = None
    corrected_answer: str | None = None
    sampled_prob: float | None = None
    """Probability with which the call was picked to be labelled, above 0; None = unknown, or the same for all."""

    def check(self) -> None:
        """Refuse a combination that says nothing, or two things; InvalidRequest names the field."""
        if (self.outcome is None) == (self.score is None):
            raise InvalidRequest(
                "give either outcome (good, bad, retracted) or score (0 to 1)", field="outcome"
            )
        if self.outcome == "retracted":
            for name in ("correct_model", "note", "corrected_answer"):
                if getattr(self, name) is not None:
                    raise InvalidRequest(f"{name} cannot come with a retraction", field=name)
        if self.correct_model is not None and self.right == 1.0:
            raise InvalidRequest("correct_model comes with a wrong answer only", field="correct_model")

    @property
    def right(self) -> float:
        """How right the answer is said to be, 0 to 1."""
        return OUTCOME_TO_RIGHT.get(self.outcome or "", 0.0) if self.score is None else self.score


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of feedback."""

    labelled: Labelled
    not_kept: tuple[str, ...]
    """Texts that were sent and are not stored, since this gateway, the org or the call lets no words be kept."""
    stage: int


async def give_feedback(  # noqa: PLR0913 - whose, of what, and how it is kept
    store: Store,
    org: str,
    call_id: str,
    given: Feedback,
    *,
    edges: tuple[float, ...],
    keeps_text: bool,
    source: LabelSource = "feedback",
) -> Taken:
    """Take feedback on an answer, the newest in the place of what the source said before, or take that back.

    Parameters
    ----------
    edges
        Inner edges of the score bins judges are counted in.
    keeps_text
        Whether this gateway stores notes and corrected answers; an org that lets no words be kept is obeyed, and so
        is a request that said `store: false`.

    Raises
    ------
    InvalidRequest
        If the feedback, the org's or the call's name breaks a rule.
    Forbidden
        Before stage 3.
    NotFound
        If the org has no such call, or the call no such answer.
    """
    given.check()
    calls = await store.orgs.call_count(check_org(org))
    require_stage(calls, FEEDBACK_STAGE, "feedback")
    check_call_id(call_id)
    if given.outcome == "retracted":
        labelled = await store.labels.retract(org, call_id, source=source, edges=edges, step=given.step)
        return Taken(labelled=labelled, not_kept=(), stage=stage_of(calls).stage)
    texts = {name: getattr(given, name) for name in _TEXTS}
    keeps_text = keeps_text and await _keeps_words(store, org, call_id)
    labelled = await store.labels.add(
        org, call_id, right=given.right, source=source, edges=edges, step=given.step,
        correct_model=given.correct_model, sampled_prob=given.sampled_prob, **(texts if keeps_text else {}),
    )  # fmt: skip
    not_kept = () if keeps_text else tuple(name for name, text in texts.items() if text is not None)
    return Taken(labelled=labelled, not_kept=not_kept, stage=stage_of(calls).stage)


async def _keeps_words(store: Store, org: str, call_id: str) -> bool:
    """Return whether an org, and the request of the call, let words be kept."""
    if not OrgSettings.parse(await store.org_settings.read(org)).wishes.keeps_words:
        return False
    call = await store.calls.get(org, call_id)
    return call is None or not is_unstored(call.decision)
