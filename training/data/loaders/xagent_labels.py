"""How did judges label agents' prompts? JSON lines of a candidate model's answer and a judge's score for it."""

from pathlib import Path

from ..outcomes import Outcome, Outcomes
from .rows import Row, as_row, collect, read_json_lines

SOURCE = "xagent-labels"


def load_xagent_labels(path: Path) -> Outcomes:
    """Return the outcomes of a label file.

    A row holds `prompt`, `candidate_model`, `judge.score` in [0, 1] and, where known, `category`,
    `candidate_usage.cost` in USD, and `prompt_sha256` or else `event_id` and `end_event_id`, by which the rows
    of one prompt find each other.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a row has no label, lacks a required field or holds an impossible value, naming the line.
    """
    return collect((_outcome(row) for row in read_json_lines(path)), path)


def _outcome(row: Row) -> Outcome:
    return row.outcome(
        prompt_id=_prompt_id(row),
        prompt=row.text("prompt"),
        model_id=row.text("candidate_model"),
        score=_label(row),
        cost_usd=_part(row, "candidate_usage").optional_number("cost"),
        task=f"xagent:{row.optional_text('category') or 'unknown'}",
        source=SOURCE,
    )


def _prompt_id(row: Row) -> str:
    digest = row.optional_text("prompt_sha256")
    if digest is not None:
        return f"xagent:{digest}"
    return f"xagent:{row.text('event_id')}:{row.text('end_event_id')}"


def _label(row: Row) -> float:
    """Return the judge's score; a row without one is not a label and must not pass as a failure."""
    score = _part(row, "judge").number("score")
    if not 0.0 <= score <= 1.0:
        raise row.error("judge.score in [0, 1]", str(score))
    return score


def _part(row: Row, name: str) -> Row:
    return as_row(row.value(name) or {}, f"{row.where}, {name}")
