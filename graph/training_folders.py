"""Where folders of training data lie: one an org and job, below the data folder, for nobody else to read."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from ..state.errors import InvalidRequest, NotFound
from ..state.names import check_call_id, check_org
from .settings import Settings

PART = ".part"
CALLS = "calls.jsonl"
"""Which line of which file came of which call: its id, and the SHA-256 of the line, no word of it."""
MODE_OF_FILES = 0o600
FILES = (
    "README.md", CALLS, "held_out.jsonl", "manifest.json", "requirements.txt", "train.jsonl", "train_peft.py",
    "train_unsloth.py",
)  # fmt: skip
"""What a finished folder holds, by name; nothing else is ever read from one."""


def folder_of(settings: Settings, org: str, job_id: str) -> Path:
    """Return where the folder of a job is or will be; InvalidRequest where a name could lead elsewhere."""
    return _folder_of_org(settings, org) / check_call_id(job_id)


def part_of(folder: Path) -> Path:
    """Return where a folder is written before it is whole: a name that no job has."""
    return folder.with_name(f".{folder.name}{PART}")


def file_of(settings: Settings, org: str, job_id: str, name: str) -> Path:
    """Return a file of a finished folder.

    Raises
    ------
    InvalidRequest
        For a name that is none of `FILES`.
    NotFound
        Where this machine has no such folder.
    """
    if name not in FILES:
        raise InvalidRequest(f"file must be one of {', '.join(FILES)}", field="file")
    path = folder_of(settings, org, job_id) / name
    if not path.is_file():
        raise NotFound(f"job {job_id!r} of org {org!r} has no {name} on this machine")
    return path


def delete_folder(folder: Path) -> bool:
    """Delete the folder of a job, and what was begun of it; False where there was none."""
    shutil.rmtree(part_of(folder), ignore_errors=True)
    if not folder.is_dir():
        return False
    shutil.rmtree(folder)
    return True


def folders_of(settings: Settings, org: str | None = None) -> list[Path]:
    """Return the folders of an org, of everybody for None, those that are being written among them."""
    root = _root(settings)
    orgs = [_folder_of_org(settings, org)] if org is not None else [*root.glob("*")]
    return [folder for one in orgs if one.is_dir() for folder in sorted(one.iterdir()) if folder.is_dir()]


def delete_folders(settings: Settings, *, org: str | None = None, before: datetime | None = None) -> int:
    """Delete the folders of an org, of everybody for None, made before `before`; return how many went.

    Raises
    ------
    OSError
        When one cannot be deleted; those before it are.
    """
    jobs = folders_of(settings, org)
    due = [job for job in jobs if before is None or datetime.fromtimestamp(job.stat().st_mtime, UTC) < before]
    for job in due:
        shutil.rmtree(job)
    return sum(not job.name.endswith(PART) for job in due)


def _folder_of_org(settings: Settings, org: str) -> Path:
    return _root(settings) / check_org(org)


def _root(settings: Settings) -> Path:
    return settings.data_dir / "improve"
