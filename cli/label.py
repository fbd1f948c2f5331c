"""`x25 label`: say whether an answer was right."""

from dataclasses import asdict
from typing import Annotated

import typer

from ..routing.belief.judge_table import DEFAULT_TABLE
from ..state.learning.labels import Labelled, LabelSource
from ..state.names import check_call_id, check_org
from ..state.store import open_store
from .console import AsJson, Database, err, print_json, run, settings_for


def label(
    org: Annotated[str, typer.Argument(help="Whose call it was.")],
    call_id: Annotated[str, typer.Argument(help="Id of the call.")],
    is_right: Annotated[bool, typer.Option("--right/--wrong", help="How the answer turned out.")],
    step: Annotated[
        int | None, typer.Option(min=0, help="Which answer of the call, 0 = the first [the returned one].")
    ] = None,
    source: Annotated[LabelSource, typer.Option(help="Who says so.")] = "feedback",
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Say whether an answer was right: the judge who scored it is measured by that, or, without one, its model."""

    async def work() -> Labelled:
        async with await open_store(settings_for(db).store_url) as store:
            return await store.labels.add(
                check_org(org), check_call_id(call_id), right=float(is_right), source=source,
                edges=DEFAULT_TABLE.edges, step=step,
            )  # fmt: skip

    done: Labelled = run(work())
    if as_json:
        print_json(asdict(done))
        return
    if not done.is_new:
        err.print(f"answer {done.step} of call {call_id} was labelled before; the first label stays")
    elif done.judge is None:
        err.print(f"answer {done.step} of call {call_id} is labelled; no judge had scored it")
    else:
        err.print(
            f"answer {done.step} of call {call_id} is labelled; {done.judge} had scored it {done.score:g}"
        )
