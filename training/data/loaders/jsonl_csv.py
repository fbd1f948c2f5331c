"""What do plain rows say? prompt_id, prompt, model_id, score and, where known, cost_usd, latency_s and task."""

from pathlib import Path

from ..outcomes import Outcome, Outcomes
from .rows import Row, collect, read_csv, read_json_lines

REQUIRED = ("prompt_id", "prompt", "model_id", "score")


def load_jsonl(path: Path) -> Outcomes:
    """Return the outcomes of a file with one JSON object a line.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a row lacks a required field or holds an impossible value, naming the line; if there are no rows.
    """
    source = f"jsonl:{path.stem}"
    return collect((_outcome(row, source) for row in read_json_lines(path)), path)


def load_csv(path: Path) -> Outcomes:
    """Return the outcomes of a comma-separated file whose first line names the columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        As `load_jsonl`; also if a required column is missing or a row has too many or too few cells.
    """
    source = f"csv:{path.stem}"
    return collect((_outcome(row, source) for row in read_csv(path, REQUIRED)), path)


def _outcome(row: Row, source: str) -> Outcome:
    return row.outcome(
        prompt_id=row.text("prompt_id"),
        prompt=row.text("prompt"),
        model_id=row.text("model_id"),
        score=row.number("score"),
        cost_usd=row.optional_number("cost_usd"),
        latency_s=row.optional_number("latency_s"),
        task=row.optional_text("task"),
        source=source,
    )
