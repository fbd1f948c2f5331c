"""Taking an erased call's lines out of folders of training data that were gathered before."""

import json
import os
import shutil
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..nodes.records.log_row import digest
from ..state.improvements import Improvement
from .settings import Settings
from .training_folders import CALLS, MODE_OF_FILES, PART, folders_of

if sys.platform != "win32":
    import fcntl

MANIFEST = "manifest.json"
LEFT_AFTER_S = 60.0
"""Age at which what is begun of a folder is nobody's: writing one takes a second."""


@dataclass(frozen=True, slots=True)
class Unlearnt:
    """What became of a call in an org's folders of training data."""

    lines: int = 0
    """Lines that went, of files to train on and of those held out."""
    unsure: tuple[str, ...] = ()
    """Folders that may hold the call still, each with the reason."""

    def __add__(self, other: "Unlearnt") -> "Unlearnt":
        """Return both together."""
        return Unlearnt(self.lines + other.lines, tuple(dict.fromkeys((*self.unsure, *other.unsure))))


def erase_lines(
    settings: Settings, org: str, call_ids: Collection[str], prompt_sha256: str | None = None
) -> Unlearnt:
    """Take the lines of some calls out of every folder of the org on this machine.

    Each file is written aside and put in the place of the one before, so that whoever reads it sees the one or the
    other. A folder that says which line came of which call is asked that; in an older one a line goes whose prompt is
    the one that was erased. What was made of the lines, such as a model, stays.

    Parameters
    ----------
    prompt_sha256
        Of the words of the one call's messages, as the log has it; None where it is not known.
    """
    found = Unlearnt()
    try:
        folders = [folder for folder in folders_of(settings, org) if not is_begun(folder)]
    except OSError as error:
        return Unlearnt(unsure=(f"{settings.data_dir / 'improve' / org}: {_reason(error)}",))
    for folder in folders:
        try:
            found += _erase_in(folder, call_ids, prompt_sha256)
        except (OSError, ValueError) as error:
            found += Unlearnt(unsure=(f"{folder}: {_reason(error)}",))
    return found


def folders_elsewhere(settings: Settings, jobs: Collection[Improvement]) -> tuple[str, ...]:
    """Return the folders that jobs wrote and that are not in this gateway's data folder: nothing was done to them."""
    written = [str(job.result["folder"]) for job in jobs if job.result and job.result.get("folder")]
    root = (settings.data_dir / "improve").resolve()
    return tuple(
        f"{folder}: not in the data folder of the process that erased"
        for folder in written
        if not Path(folder).is_relative_to(root)
    )


def _erase_in(folder: Path, call_ids: Collection[str], prompt_sha256: str | None) -> Unlearnt:
    with _alone_in(folder):
        index = folder / CALLS
        known = _rows(index) if index.is_file() else None
        mine = {row["sha256"] for row in known or () if row.get("call_id") in call_ids}
        if known is not None and not mine:
            return Unlearnt()
        gone = sum(
            _drop_lines(path.resolve(), mine, prompt_sha256)
            for path in sorted(folder.glob("*.jsonl"))
            if path.name != CALLS
        )
        if known is None:
            return Unlearnt(gone, () if gone or prompt_sha256 is None else _doubt(folder))
        if gone >= len(mine):
            _put(index, _lines(row for row in known if row.get("call_id") not in call_ids))
        if gone:
            _note_in_manifest(folder, gone)
        return Unlearnt(
            gone, () if gone >= len(mine) else (f"{folder}: a line was changed since it was written",)
        )


def is_begun(folder: Path) -> bool:
    """Return whether somebody writes a folder, who looks for erased calls at the end; one that was left goes."""
    if not folder.name.endswith(PART):
        return False
    if time.time() - folder.stat().st_mtime > LEFT_AFTER_S:
        shutil.rmtree(folder)
    return True


def _doubt(folder: Path) -> tuple[str, ...]:
    return (
        f"{folder}: it was gathered before folders said which call a line is of, and no line has its prompt",
    )


def _drop_lines(path: Path, hashes: Collection[str], prompt_sha256: str | None) -> int:
    """Write a file without the lines of these hashes, or of this prompt; return how many went."""
    lines = path.read_bytes().split(b"\n")
    kept = [line for line in lines if not (line and _is_of(line, hashes, prompt_sha256))]
    if len(kept) < len(lines):
        _put(path, b"\n".join(kept))
    return len(lines) - len(kept)


def _is_of(line: bytes, hashes: Collection[str], prompt_sha256: str | None) -> bool:
    if sha256(line).hexdigest() in hashes:
        return True
    # Of a line that was changed, and in a folder without an index, the prompt tells.
    try:
        row = json.loads(line)
    except ValueError:
        return False
    if not isinstance(row, dict) or prompt_sha256 is None:
        return False
    asked = [row.get("instruction"), row.get("input")]
    return digest("\n\n".join(one for one in asked if isinstance(one, str) and one)) == prompt_sha256


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    if not all(isinstance(row, dict) and isinstance(row.get("sha256"), str) for row in rows):
        raise ValueError("expected rows with a hash")
    return rows


def _lines(rows: Iterator[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _note_in_manifest(folder: Path, gone: int) -> None:
    """Have the manifest say what the files hold now, and how many lines were erased of them."""
    path = folder / MANIFEST
    if not path.is_file():
        return
    manifest = json.loads(path.read_bytes())
    for name in manifest.get("files", {}):
        if (folder / name).is_file():
            manifest["files"][name] = facts_of((folder / name).read_bytes())
    for name in manifest.get("examples", {}):
        manifest["examples"][name] = manifest["files"].get(f"{name}.jsonl", {}).get("lines", 0)
    manifest["erased"] = manifest.get("erased", 0) + gone
    _put(path, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())


def facts_of(data: bytes) -> dict[str, Any]:
    """Return what a manifest says of a file."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data), "lines": data.count(b"\n")}


def _put(path: Path, data: bytes) -> None:
    """Put a file in the place of another at once, and only when it is on the disk."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    try:
        aside.touch(mode=MODE_OF_FILES)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes that erase from a folder out of it: each writes what it read."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else f"{CALLS} cannot be read"
