"""Which outcomes lie in the layout of `training.data.recorded`? A table of prompts and one of outcomes a source."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..outcomes import Outcome, Outcomes
from ..parquet import read_columns
from .rows import Row, collect, require_columns

PROMPTS = ("prompt_id", "group", "prompt")
OUTCOMES = ("prompt_id", "task_type", "model", "score", "cost_usd")


def load_recorded(data_dir: Path, sources: Sequence[str] | None = None) -> Outcomes:
    """Return the outcomes of the named sources, all that are in the folder by default, with their groups.

    Each source is on a scale of its own.

    Raises
    ------
    FileNotFoundError
        If the folder or a source is not there.
    ModuleNotFoundError
        If the `train` extra is not installed.
    ValueError
        If a column is missing, a row cannot be read, or an outcome is of a prompt that is not in its table.
    """
    names = sorted(path.stem for path in data_dir.glob("outcomes/*.parquet")) if sources is None else sources
    if not names:
        raise FileNotFoundError(
            f"expected recorded outcomes in {data_dir / 'outcomes'}, found no parquet file"
        )
    return Outcomes.join(_load_source(data_dir, name) for name in names)


def _load_source(data_dir: Path, source: str) -> Outcomes:
    path = data_dir / "prompts" / f"{source}.parquet"
    table = read_columns(path)
    require_columns(table, PROMPTS, str(path))
    prompts = dict(zip(table["prompt_id"], table["prompt"], strict=True))
    groups = {
        prompt_id: f"{source}:{group}"
        for prompt_id, group in zip(table["prompt_id"], table["group"], strict=True)
        if group is not None
    }
    path = data_dir / "outcomes" / f"{source}.parquet"
    return collect(_outcomes(path, source, prompts), path, groups=groups)


def _outcomes(path: Path, source: str, prompts: dict[str, str]) -> Iterator[Outcome]:
    table = read_columns(path)
    require_columns(table, OUTCOMES, str(path))
    columns = [table[name] for name in OUTCOMES]
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        row = Row(dict(zip(OUTCOMES, cells, strict=True)), f"{path}, row {number}")
        prompt_id = row.text("prompt_id")
        if prompt_id not in prompts:
            raise row.error("a prompt_id of the table of prompts", repr(prompt_id))
        yield row.outcome(
            prompt_id=prompt_id,
            prompt=prompts[prompt_id],
            model_id=row.text("model"),
            score=row.number("score"),
            cost_usd=row.optional_number("cost_usd"),
            task=row.optional_text("task_type"),
            source=source,
        )
