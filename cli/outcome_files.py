"""Recorded outcomes of models on benchmarks: fetch them, take a sample, sum them up as benchmark profiles.

A folder, a .tar.gz or a file of results: `.json` (a list of records, or an object that holds them under `records`) or
`.jsonl` (a record a line), as a rule at `<task>/<split>/<model>/<run>.json`.
"""

import json
import shutil
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from ..state.errors import ConfigError

T = TypeVar("T")

SUFFIXES = (".json", ".jsonl")
_CONNECT_S = 10.0
_BLOCK_BYTES = 1 << 20


def fetch(source: str, folder: Path, wanted_sha256: str | None = None) -> tuple[Path, str]:
    """Copy a file from a URL or a path into the folder; return where it is and its SHA-256.

    A file that did not arrive whole never takes its final name.

    Raises
    ------
    ConfigError
        The source cannot be reached or is not what `wanted_sha256` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_url = source.startswith(("http://", "https://"))
    name = PurePosixPath(urlsplit(source).path).name if is_url else Path(source).name
    if not name:
        raise ConfigError(f"{source} names no file")
    target, partial = folder / name, folder / f"{name}.part"
    digest = sha256()
    try:
        with partial.open("wb") as file:
            for block in _blocks_of_url(source) if is_url else _blocks_of_file(Path(source)):
                digest.update(block)
                file.write(block)
        if wanted_sha256 is not None and digest.hexdigest() != wanted_sha256.lower():
            raise ConfigError(f"{source} has SHA-256 {digest.hexdigest()}, not the expected {wanted_sha256}")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target, digest.hexdigest()


def _blocks_of_url(url: str) -> Iterator[bytes]:
    try:
        with httpx.stream(
            "GET", url, follow_redirects=True, timeout=httpx.Timeout(60.0, connect=_CONNECT_S)
        ) as reply:
            reply.raise_for_status()
            yield from reply.iter_bytes(_BLOCK_BYTES)
    except httpx.HTTPStatusError as error:
        raise ConfigError(f"{url} answered {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise ConfigError(
            f"cannot reach {urlsplit(url).netloc} ({type(error).__name__}): is there a network? Without one, bring the "
            "file here by other means; `x25 models sample` and `x25 models extract-profile` read it from disk"
        ) from error


def _blocks_of_file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def read_results(path: Path) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """Yield each result file: its path inside, what it says besides its records, and the records.

    Raises
    ------
    ConfigError
        There is nothing at the path, or a file is not of the shape above.
    """
    if not path.exists():
        raise ConfigError(f"there is no file or folder {path}")
    for name, raw in _raw_files(path):
        try:
            if name.endswith(".jsonl"):
                whole: Any = [json.loads(line) for line in raw.decode("utf-8").splitlines() if line.strip()]
            else:
                whole = json.loads(raw)
        except ValueError as error:
            raise ConfigError(f"{path}: {name} is not JSON: {error}") from error
        records = whole.get("records") if isinstance(whole, dict) else whole
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise ConfigError(f"{path}: {name} holds no list of records")
        head = (
            {key: value for key, value in whole.items() if key != "records"}
            if isinstance(whole, dict)
            else {}
        )
        yield name, head, records


def _raw_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix in SUFFIXES and file.is_file():
                yield file.relative_to(path).as_posix(), file.read_bytes()
    elif path.suffix in SUFFIXES:
        yield path.name, path.read_bytes()
    else:
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    content = archive.extractfile(member)
                    if member.name.endswith(SUFFIXES) and content is not None:
                        yield member.name, content.read()
        except (tarfile.TarError, OSError) as error:
            raise ConfigError(f"{path} is neither a folder, .json, .jsonl nor an archive: {error}") from error


@dataclass(frozen=True, slots=True)
class SampleSize:
    """At most how much of recorded results to keep."""

    records: int
    files: int
    records_per_file: int


def sample(
    source: Path, target: Path, size: SampleSize, seed: int, *, overwrite: bool = False
) -> dict[str, int]:
    """Write a random part of the results to a new folder, files keeping their places; return what was kept.

    The same seed keeps the same records of the same results, and of every model's results on a task the same prompts:
    only a prompt that several models answered says how hard it is.

    Raises
    ------
    ConfigError
        The target holds something and `overwrite` is not set, or lies inside the source.
    """
    if target.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"{target} lies inside {source}: the sample would be part of the next one")
    if target.exists() and any(target.iterdir()):
        if not overwrite:
            raise ConfigError(f"{target} is not empty; pass --overwrite to replace what is there")
        shutil.rmtree(target)
    found = list(read_results(source))
    left, kept_files = size.records, 0
    for name, head, rows in _drawn(found, size.files, seed, key=lambda result: result[0]):
        kept = _drawn(rows, min(size.records_per_file, left), seed, key=_prompt_of)
        if kept:
            file = target / PurePosixPath(name).with_suffix(".json")
            if not file.resolve().is_relative_to(target.resolve()):
                raise ConfigError(f"{source}: {name} points outside its archive")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({**head, "records": kept}, ensure_ascii=False), encoding="utf-8")
            left, kept_files = left - len(kept), kept_files + 1
    return {"files": kept_files, "records": size.records - left, "files_found": len(found)}


def _drawn(items: Sequence[T], most: int, seed: int, key: Callable[[T], str]) -> list[T]:
    """Return at most so many items in their order, drawn by a hash of the seed and each item's key."""
    ranks = [sha256(f"{seed}:{key(item)}".encode("utf-8", "surrogatepass")).digest() for item in items]
    kept = sorted(range(len(items)), key=lambda place: (ranks[place], place))[:most]
    return [items[place] for place in sorted(kept)]


def _prompt_of(record: dict[str, Any]) -> str:
    return str(record.get("prompt_id") or record.get("prompt") or record.get("origin_query"))


def extract_profiles(source: Path) -> list[dict[str, Any]]:
    """Return each model's mean score by task, 0 to 100, as benchmark profiles that `load_profiles` reads.

    A task whose scores all lie in 0 to 1 is taken as shares. The level of every figure is "dataset_aggregate".
    """
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    highest: dict[str, float] = defaultdict(float)
    for name, head, records in read_results(source):
        *_, task_dir, _, model_dir = ("", "", "", *PurePosixPath(name).parent.parts)
        for record in records:
            score = record.get("score")
            if isinstance(score, bool) or not isinstance(score, int | float):
                continue
            model_id = str(record.get("model_id") or head.get("model_name") or model_dir)
            task = str(record.get("dataset") or head.get("dataset_name") or task_dir)
            scores[model_id][task].append(float(score))
            highest[task] = max(highest[task], float(score))
    return [
        {
            "model_id": model_id,
            "benchmarks": {
                task: round(min(100.0, sum(found) / len(found) * (100.0 if highest[task] <= 1.0 else 1.0)), 2)
                for task, found in sorted(tasks.items())
            },
            "benchmark_sources": {task: {"level": "dataset_aggregate"} for task in sorted(tasks)},
        }
        for model_id, tasks in sorted(scores.items())
    ]
