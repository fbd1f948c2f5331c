"""What did LLMRouterBench record? A folder or a .tar.gz of `bench/<task>/<split>/<model>/<run>.json`.

Source: LLMRouterBench, arXiv 2601.07206; github.com/ynulihao/LLMRouterBench.
"""

import re
import tarfile
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any

from ..outcomes import Outcome, Outcomes
from .rows import Row, as_row, collect, parse_json, parse_json_lines

SOURCE = "llmrouterbench"

_ROOTS = {"bench", "bench-release"}
_STAMP = re.compile(r"\d{8}_\d{6}\.json$")


def load_llmrouterbench(path: Path) -> Outcomes:
    """Return the outcomes of a folder, or of an archive that is read as a stream and never unpacked to disk.

    Files end in .json (a list of records, or an object that holds them under `records`) or .jsonl (a record a
    line). A record holds `prompt` or `origin_query`, `score`, `cost` in USD where known, and may say its own
    `prompt_id`, `model_id` and `dataset`; else the file's `model_name`, `dataset_name` and `split` count, else
    the folders it lies in. Records of one task, split and text are of one prompt.

    Skipped and counted are: all but the newest of the runs that lie side by side with a time in their names,
    the records of runs marked `demo`, and records without a score.

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path.
    ValueError
        If the archive, a file or a record cannot be read, naming the file and the record.
    """
    if not path.exists():
        raise FileNotFoundError(f"expected a folder or a .tar.gz of results at {path}, found nothing")
    found = _names(path)
    names = _newest(found)
    skipped = Counter({"older run": len(found) - len(names)}) if len(found) > len(names) else Counter[str]()
    return collect(_outcomes(path, names, skipped), path, skipped)


def _outcomes(path: Path, names: list[str], skipped: Counter[str]) -> Iterator[Outcome]:
    prompts: dict[str, str] = {}  # one text for all models: memory grows with the prompts, not with the rows
    for name, text in _texts(path, set(names)):
        for row in _scored(_records(text, name, f"{path}:{name}"), skipped):
            yield _outcome(row, prompts)


def _names(path: Path) -> list[str]:
    """Return the result files of a folder or an archive, by their path inside it."""
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
    else:
        names = [member.name for member, _ in _members(path)]
    return sorted(name for name in names if name.endswith((".json", ".jsonl")))


def _texts(path: Path, names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the named files with their content: a folder's in the order of their names, an archive's in its own."""
    if path.is_dir():
        yield from ((name, _decode((path / name).read_bytes(), f"{path}:{name}")) for name in sorted(names))
        return
    for member, archive in _members(path):
        file = archive.extractfile(member) if member.name in names else None
        if file is not None:
            yield member.name, _decode(file.read(), f"{path}:{member.name}")


def _decode(content: bytes, where: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: expected UTF-8 text, got {error}") from error


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    try:
        with tarfile.open(path, "r|gz") as archive:
            yield from ((member, archive) for member in archive if member.isfile())
    except (tarfile.TarError, EOFError) as error:
        raise ValueError(f"expected a folder or a .tar.gz archive at {path}, got {error}") from error


def _newest(names: list[str]) -> list[str]:
    """Return the sorted names without the runs that a later one in the same folder replaces."""
    stamped = [name for name in names if _STAMP.search(name)]
    newest = {_STAMP.sub("", name): name for name in stamped}
    replaced = set(stamped) - set(newest.values())
    return [name for name in names if name not in replaced]


def _place(name: str) -> tuple[str, str, str]:
    """Return the task, split and model that a file's folders stand for; empty where they do not say."""
    folders = list(PurePosixPath(name).parts[:-1])
    roots = [index for index, folder in enumerate(folders) if folder in _ROOTS]
    if roots:
        folders = folders[roots[-1] + 1 :]
    if len(folders) >= 3:
        return folders[0], folders[1], "/".join(folders[2:])
    task, model = ["", "", *folders][-2:]
    return task, "", model


def _records(text: str, name: str, where: str) -> Iterator[Row]:
    """Yield a file's records, each with what its file and its folders say about it."""
    task, split, model = _place(name)
    said: dict[str, Any] = {"dataset_name": task, "split": split, "model_name": model}
    if name.endswith(".jsonl"):
        yield from (
            Row({**said, **row.values}, row.where) for row in parse_json_lines(text.split("\n"), where)
        )
        return
    content = parse_json(text, where)
    if not isinstance(content, list):
        run = as_row(content, where)
        content = run.required("records")
        if not isinstance(content, list):
            raise run.error("records to be a list", type(content).__name__)
        said |= {key: run.value(key) for key in (*said, "demo") if run.value(key) is not None}
    for number, record in enumerate(content, start=1):
        row = as_row(record, f"{where}, record {number}")
        yield Row({**said, **row.values}, row.where)


def _scored(rows: Iterator[Row], skipped: Counter[str]) -> Iterator[Row]:
    for row in rows:
        if row.value("demo"):
            skipped["demo run"] += 1
        elif row.value("score") is None:
            skipped["no score"] += 1
        else:
            yield row


def _prompt_id(row: Row) -> str:
    own = row.optional_text("prompt_id")
    if own is not None:
        return own
    parts = (row.text("dataset", "dataset_name"), row.optional_text("split") or "", _prompt(row))
    return f"{SOURCE}:{blake2b(chr(31).join(parts).encode(), digest_size=12).hexdigest()}"


def _prompt(row: Row) -> str:
    return row.text("prompt", "origin_query")


def _outcome(row: Row, prompts: dict[str, str]) -> Outcome:
    prompt_id = _prompt_id(row)
    return row.outcome(
        prompt_id=prompt_id,
        prompt=prompts.setdefault(prompt_id, _prompt(row)),
        model_id=row.text("model_id", "model_name"),
        score=row.number("score"),
        cost_usd=row.optional_number("cost"),
        task=row.text("dataset", "dataset_name"),
        source=SOURCE,
    )
