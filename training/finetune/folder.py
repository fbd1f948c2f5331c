"""What is in a folder of training data? Examples, a manifest that proves them, the scripts, and a model card."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...graph.training_erasure import facts_of
from ...graph.training_folders import CALLS, MODE_OF_FILES, part_of
from ...state.gathering import Gathering
from ...state.improvements import Improvement
from .card import card
from .gather import Example, Gathered
from .recipe import Recipe, script

REQUIREMENTS = """\
# train_peft.py needs these; train_unsloth.py needs unsloth as well, which brings its own versions of them.
torch>=2.4
transformers>=4.56
peft>=0.17
trl>=0.23
datasets>=3
accelerate>=1.4
# unsloth; sys_platform == "linux"
# bitsandbytes  # 4-bit weights in train_peft.py, on a GPU
"""


def write_folder(folder: Path, job: Improvement, wanted: Gathering, gathered: Gathered) -> dict[str, Any]:
    """Write the folder of a job, aside first and then under its name, and return its manifest.

    A process that dies in between leaves no folder of that name; what it left aside is written anew. A folder that is
    there already, of a job that was worked on twice, is put in the place of the earlier one.
    """
    aside = part_of(folder)
    shutil.rmtree(aside, ignore_errors=True)
    for made in (
        aside.parent.parent,
        aside.parent,
        aside,
    ):  # the mode of mkdir is that of the last folder alone
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
    recipe = Recipe(base_model=wanted.base_model, name=f"{job.org}-{job.job_id[:12]}")
    texts = {
        "train.jsonl": _jsonl(gathered.train),
        "held_out.jsonl": _jsonl(gathered.held_out),
        CALLS: _index({"train.jsonl": gathered.train, "held_out.jsonl": gathered.held_out}),
        "train_unsloth.py": script(recipe, "unsloth"),
        "train_peft.py": script(recipe, "peft"),
        "requirements.txt": REQUIREMENTS,
    }
    manifest = _manifest(job, wanted, gathered, recipe, texts)
    texts["README.md"] = card(manifest)
    manifest["files"] = {name: facts_of(text.encode()) for name, text in sorted(texts.items())}
    texts["manifest.json"] = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    for name, text in texts.items():
        (aside / name).touch(mode=MODE_OF_FILES)
        (aside / name).write_bytes(text.encode())
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
    return manifest


def _jsonl(examples: Iterable[Example]) -> str:
    return "".join(f"{_line(one)}\n" for one in examples)


def _line(example: Example) -> str:
    # A lone surrogate has no UTF-8 form: the escape keeps it JSON.
    line = json.dumps(asdict(example.row), ensure_ascii=False)
    return line.encode("utf-8", "backslashreplace").decode()


def _index(files: Mapping[str, Iterable[Example]]) -> str:
    """Return which call each line came of, so that a call that is erased later can be taken out again."""
    rows = (
        {"call_id": one.call.call_id, "file": name, "sha256": sha256(_line(one).encode()).hexdigest()}
        for name, examples in files.items()
        for one in examples
    )
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _manifest(
    job: Improvement, wanted: Gathering, gathered: Gathered, recipe: Recipe, texts: dict[str, str]
) -> dict[str, Any]:
    examples = [*gathered.train, *gathered.held_out]
    calls = [one.call for one in examples]
    return {
        "org": job.org,
        "job_id": job.job_id,
        "made_by": f"x25 {version('x25')}",
        "made_at": None if job.seen_at is None else job.seen_at.isoformat(),
        "format": "alpaca: instruction, input, output; with an input the instruction is the system message",
        "examples": {"train": len(gathered.train), "held_out": len(gathered.held_out)},
        "calls": {
            "from": min(one.created_at for one in calls).isoformat(),
            "to": max(one.created_at for one in calls).isoformat(),
            "above_min_quality": gathered.looked_at,
        },
        "quality": {
            "lowest": min(one.quality_score for one in calls),
            "looked_at": sum(one.is_looked_at for one in calls),
            "sources": dict(Counter(one.quality_source for one in calls)),
        },
        "models": dict(Counter(one.model_id for one in calls).most_common()),
        "task_types": dict(Counter(one.task_type for one in calls).most_common()),
        "left_out": gathered.left_out,
        "personal_data": {"rule": wanted.personal_data, "replaced": gathered.redacted},
        "is_simulated": gathered.is_simulated,
        "options": wanted.to_dict(),
        "recipe": recipe.to_dict(),
        "files": {name: facts_of(text.encode()) for name, text in sorted(texts.items())},
    }
