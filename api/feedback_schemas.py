"""Bodies of the feedback doors."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..graph.feedback import Feedback

MOST_NOTE, MOST_CORRECTED = 1_000, 200_000
"""Longest note and corrected answer, characters."""
Outcome = Literal["good", "bad", "retracted"]
Score = Annotated[float, Field(ge=0.0, le=1.0, strict=True, description="How right the answer was, 0 to 1.")]
Corrected = Annotated[
    str,
    Field(
        min_length=1, max_length=MOST_CORRECTED, description="What would have been right; kept where text is."
    ),
]
Note = Annotated[
    str, Field(min_length=1, max_length=MOST_NOTE, description="A remark; kept where text is stored.")
]
CorrectModel = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="Model that would have been right; with a wrong answer only.",
    ),
]


class FeedbackRequest(BaseModel):
    """What became known of an answer."""

    model_config = ConfigDict(extra="forbid")

    call_id: Annotated[str, Field(description="Id of the call, as its reply said.")]
    org: Annotated[str | None, Field(description="Whose call; a key's own org where one is sent.")] = None
    outcome: Annotated[
        Outcome | None, Field(description="Either this or a score; retracted takes back what was said.")
    ] = None
    score: Score | None = None
    step: Annotated[
        int | None,
        Field(ge=0, le=1_000, strict=True, description="Which answer, 0 = the first; the returned one."),
    ] = None
    corrected_answer: Corrected | None = None
    correct_model: CorrectModel | None = None
    note: Note | None = None

    def feedback(self) -> Feedback:
        """Return what is said."""
        return Feedback(**self.model_dump(exclude={"call_id", "org"}))


class FeedbackPatch(BaseModel):
    """What became known of a call's answer; the call is the path's."""

    model_config = ConfigDict(extra="forbid")

    outcome: Annotated[
        Outcome | None, Field(description="Either this or a score; retracted takes back what was said.")
    ] = None
    score: Score | None = None
    corrected_answer: Corrected | None = None
    correct_model: CorrectModel | None = None
    note: Note | None = None


class FeedbackTaken(BaseModel):
    """What became of feedback."""

    accepted: bool
    org: str
    call_id: str
    step: Annotated[int, Field(description="Answer of the call, 0 = the first.")]
    became: Annotated[
        Literal["new", "changed", "unchanged", "retracted", "none"],
        Field(description="What it did to what was known; none: there was nothing to take back."),
    ]
    arm_updated: Annotated[
        str | None, Field(description="Model whose labels changed; null where nothing changed.")
    ]
    judge: Annotated[str | None, Field(description="Judge that scored the answer, and is measured by this.")]
    judge_score: float | None
    weight: Annotated[
        float,
        Field(
            description="What labels of this model count now, 0 to 1: by their agreement with checks and judge."
        ),
    ]
    not_kept: Annotated[
        list[str], Field(description="Texts sent and not stored: this gateway stores no text.")
    ]
    stage: int


class CallFeedback(BaseModel):
    """The feedback a call carries."""

    id: str
    feedback: Annotated[dict[str, str | float | None] | None, Field(description="Null once retracted.")]
    not_kept: Annotated[
        list[str], Field(description="Texts sent and not stored: this gateway stores no text.")
    ]
