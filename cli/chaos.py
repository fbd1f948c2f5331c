"""`x25 chaos`: every fault of the simulator through a real gateway, and the promises it keeps."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

MARKS = {True: "yes", False: "NO"}


def chaos(
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault, such as 503 or cut_stream;after=3; may be given again. All when absent."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a trial, a line each.")] = False,
) -> None:
    """Let every fault happen to the first, the second and all of three simulated models, streamed and not.

    Starts a gateway and a simulator of its own, and touches no other. Exits with 1 where a promise is broken: answered
    while anybody can, an error told where nobody can, within the deadline, billed once, and no failure taught from.
    """
    from ..bench.chaos import FAULTS, run, trials  # noqa: PLC0415 - starts processes, which importing the CLI should not load
    from ..simulator.faults import parse_fault  # noqa: PLC0415

    for one in fault or ():
        if one not in FAULTS:
            try:
                parse_fault(one)
            except ValueError as error:
                raise typer.BadParameter(str(error)) from error
    table = Table(
        "fault", "asked", "where", "status", "outcome", "attempts", "seconds", "billed once", "posterior"
    )
    count = broken = 0
    with tempfile.TemporaryDirectory() as folder:
        for result in run(Path(folder), trials(fault or FAULTS)):
            count, broken = count + 1, broken + bool(result.broken)
            if as_json:
                typer.echo(json.dumps(result.row()))
                continue
            outcome = result.outcome + "".join(f"; {one}" for one in result.broken)
            table.add_row(
                result.trial.fault, "stream" if result.trial.stream else "whole", result.trial.where,
                str(result.status), outcome, str(result.attempts), f"{result.took_s:.2f}",
                MARKS[result.billed_once], "untouched" if result.posterior_untouched else "TOUCHED",
                style="red" if result.broken else None,
            )  # fmt: skip
    if not as_json:
        Console().print(table)
        typer.echo(f"{count} trials (simulated), {broken} broken promises")
    if broken:
        raise typer.Exit(1)
