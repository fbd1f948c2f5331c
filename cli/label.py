"""`x25 label`: say how an answer turned out."""

from dataclasses import asdict
from typing import Annotated

import typer

from ..graph.feedback import Feedback, Outcome, Taken, give_feedback
from ..graph.settings import Settings
from ..routing.belief.judge_table import DEFAULT_TABLE
from ..state.label_counts import LabelSource
from .console import AsJson, Database, err, existing_store, print_json, run, settings_for

_BECAME = {
    "new": "is labelled",
    "changed": "is labelled anew; the newest label counts",
    "unchanged": "was labelled so before: nothing changes",
    "retracted": "is no longer labelled",
    "none": "had no label to take back",
}


Right = Annotated[bool, typer.Option("--right", help="The answer turned out right.")]
Wrong = Annotated[bool, typer.Option("--wrong", help="It turned out wrong.")]
Said = Annotated[
    Outcome | None, typer.Option(help="The same in the door's words; retracted takes a label back.")
]
Score = Annotated[float | None, typer.Option(min=0.0, max=1.0, help="How right it was.")]
Corrected = Annotated[str | None, typer.Option(help="What would have been right; kept where text is stored.")]
Note = Annotated[str | None, typer.Option(help="A remark; kept where text is stored.")]
Step = Annotated[
    int | None, typer.Option(min=0, help="Which answer of the call, 0 = the first [the returned one].")
]
SampledProb = Annotated[
    float | None,
    typer.Option(help="Probability with which the call was picked, as 'x25 bound --pick' picks; above 0."),
]
Source = Annotated[
    LabelSource,
    typer.Option(help="Who says so: feedback counts as far as it is trusted, the others in full."),
]


def label(
    org: Annotated[str, typer.Argument(help="Whose call it was.")],
    call_id: Annotated[str, typer.Argument(help="Id of the call.")],
    is_right: Right = False,
    is_wrong: Wrong = False,
    outcome: Said = None,
    score: Score = None,
    corrected: Corrected = None,
    note: Note = None,
    step: Step = None,
    source: Source = "feedback",
    sampled_prob: SampledProb = None,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Say how an answer turned out, as POST /feedback does: it teaches of the model, and of the judge who scored it."""
    if is_right + is_wrong + (outcome is not None) + (score is not None) != 1:
        raise typer.BadParameter("give one of --right, --wrong, --outcome and --score")
    if is_right or is_wrong:
        outcome = "good" if is_right else "bad"
    given = Feedback(
        outcome=outcome,
        score=score,
        step=step,
        note=note,
        corrected_answer=corrected,
        sampled_prob=sampled_prob,
    )
    taken: Taken = run(_give(org, call_id, given, source, settings_for(db)))
    done = taken.labelled
    if as_json:
        print_json(asdict(done) | {"is_new": done.is_new, "not_kept": taken.not_kept, "stage": taken.stage})
        return
    err.print(
        f"answer {done.step} of call {call_id} {_BECAME[done.became]}; {_scored(taken)}", soft_wrap=True
    )
    if taken.not_kept:
        err.print(f"not kept, since X25_STORE_PROMPTS is off: {', '.join(taken.not_kept)}", soft_wrap=True)


async def _give(org: str, call_id: str, given: Feedback, source: LabelSource, settings: Settings) -> Taken:
    async with await existing_store(settings) as store:
        return await give_feedback(
            store, org, call_id, given,
            edges=DEFAULT_TABLE.edges, keeps_text=settings.store_prompts, source=source,
        )  # fmt: skip


def _scored(taken: Taken) -> str:
    done = taken.labelled
    return "no judge had scored it" if done.judge is None else f"{done.judge} had scored it {done.score:g}"
