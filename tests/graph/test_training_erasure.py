"""An erased call's lines leave folders of training data that were gathered before."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from x25.graph.settings import load_settings
from x25.graph.training_erasure import Unlearnt, erase_lines, facts_of, folders_elsewhere
from x25.graph.training_folders import CALLS, folder_of, part_of
from x25.nodes.records.log_row import digest
from x25.state.improvements import Improvement

NOON = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Improvement("acme", "j1", "done", NOON, NOON, NOON, {}, "ended", 1, 1)


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path)


def row(number):
    return {"instruction": f"Prompt {number} é\u2028", "input": "", "output": f"Answer {number}"}


def make(settings, numbers=range(6), org="acme", job_id="j1", *, indexed=True):
    """Write a folder as a job does: the first two calls are held out."""
    folder = folder_of(settings, org, job_id)
    folder.mkdir(parents=True)
    files = {"held_out.jsonl": [*numbers][:2], "train.jsonl": [*numbers][2:]}
    index = []
    for name, which in files.items():
        lines = [json.dumps(row(number), ensure_ascii=False) for number in which]
        (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode())
        index += [
            {"call_id": f"c{number}", "file": name, "sha256": sha256(line.encode()).hexdigest()}
            for number, line in zip(which, lines, strict=True)
        ]
    if indexed:
        (folder / CALLS).write_text("".join(f"{json.dumps(one)}\n" for one in index))
    names = [path.name for path in folder.iterdir()]
    manifest = {
        "examples": {"train": len(files["train.jsonl"]), "held_out": 2},
        "files": {name: facts_of((folder / name).read_bytes()) for name in names},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def asked(folder):
    return {
        name: [
            json.loads(line)["instruction"][7] for line in (folder / name).read_bytes().split(b"\n") if line
        ]
        for name in ("held_out.jsonl", "train.jsonl")
    }


def test_a_calls_line_goes_from_whichever_file_has_it_and_the_manifest_proves_the_rest(settings):
    folders = [make(settings), make(settings, job_id="j2"), make(settings, org="other")]
    assert erase_lines(settings, "acme", ("c0",)) == Unlearnt(2)
    assert erase_lines(settings, "acme", ("c3", "c5")) == Unlearnt(4)
    for folder in folders[:2]:
        assert asked(folder) == {"held_out.jsonl": ["1"], "train.jsonl": ["2", "4"]}
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["examples"] == {"train": 2, "held_out": 1}
        assert manifest["erased"] == 3
        for name, facts in manifest["files"].items():
            assert facts == facts_of((folder / name).read_bytes()), name
        assert "c3" not in (folder / CALLS).read_text()
        assert {path.stat().st_mode & 0o777 for path in folder.glob("*.jsonl")} == {0o600}
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert asked(folders[2]) == {"held_out.jsonl": ["0", "1"], "train.jsonl": ["2", "3", "4", "5"]}


def test_what_is_not_there_changes_no_byte(settings):
    folder = make(settings)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    for names in (("c9",), ("",), ("c",), ("é",), ()):
        assert erase_lines(settings, "acme", names, digest(row(1)["instruction"])) == Unlearnt()
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    assert erase_lines(settings, "nobody", ("c1",)) == Unlearnt()


def test_copies_and_sorted_files_in_a_folder_are_looked_through_as_well(settings):
    folder = make(settings)
    lines = (folder / "train.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "sorted.jsonl").write_bytes(b"".join(reversed(lines)) + b"not JSON\n\xff\n[1]\n")
    assert erase_lines(settings, "acme", ("c4",)) == Unlearnt(2)
    assert b"Prompt 4" not in (folder / "sorted.jsonl").read_bytes()
    assert (folder / "sorted.jsonl").read_bytes().endswith(b"not JSON\n\xff\n[1]\n")


def test_a_folder_without_an_index_is_searched_by_the_prompt_and_told_where_that_finds_nothing(settings):
    folder = make(settings, indexed=False)
    with_system = {"instruction": "Be brief.", "input": "Prompt 9", "output": "x"}
    (folder / "more.jsonl").write_text(json.dumps(with_system) + "\n")
    assert erase_lines(settings, "acme", ("c4",), digest(row(4)["instruction"])) == Unlearnt(1)
    assert asked(folder)["train.jsonl"] == ["2", "3", "5"]
    assert erase_lines(settings, "acme", ("c9",), digest("Be brief.\n\nPrompt 9")) == Unlearnt(1)
    found = erase_lines(settings, "acme", ("c7",), digest("something else"))
    assert found.lines == 0
    (said,) = found.unsure
    assert said.startswith(str(folder))
    assert "before folders said which call" in said


def test_a_line_that_was_changed_by_hand_goes_by_its_prompt_or_is_told(settings):
    folder = make(settings)
    text = (folder / "train.jsonl").read_text("utf-8")
    (folder / "train.jsonl").write_text(
        text.replace("Answer 3", "Better 3").replace("Prompt 4", "Better 4"), "utf-8"
    )
    assert erase_lines(settings, "acme", ("c3",), digest(row(3)["instruction"])) == Unlearnt(1)
    found = erase_lines(settings, "acme", ("c4",), digest(row(4)["instruction"]))
    assert (found.lines, found.unsure) == (0, (f"{folder}: a line was changed since it was written",))
    assert "c4" in (folder / CALLS).read_text()  # so that it is found when it is asked for again


@pytest.mark.parametrize("index", [b"{", b"\xff\n", b"[]\n", b'{"call_id": "c3"}\n', b'{"sha256": 7}\n'])
def test_an_index_that_cannot_be_read_is_told_and_nothing_is_lost(settings, index):
    folder = make(settings)
    (folder / CALLS).write_bytes(index)
    whole = make(settings, job_id="j2")
    found = erase_lines(settings, "acme", ("c3",))
    assert (found.lines, found.unsure) == (1, (f"{folder}: {CALLS} cannot be read",))
    assert len(asked(folder)["train.jsonl"]) == 4
    assert asked(whole)["train.jsonl"] == ["2", "4", "5"]


def test_a_file_that_cannot_be_written_is_told_and_stays_whole(settings, monkeypatch):
    folder = make(settings)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        found = erase_lines(settings, "acme", ("c3",))
    assert found == Unlearnt(0, (f"{folder}: No space left on device",))
    assert asked(folder)["train.jsonl"] == ["2", "3", "4", "5"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert erase_lines(settings, "acme", ("c3",)) == Unlearnt(1)


def test_a_file_that_lies_elsewhere_and_is_linked_is_written_there(settings, tmp_path):
    folder = make(settings)
    away = tmp_path / "away.jsonl"
    (folder / "train.jsonl").rename(away)
    (folder / "train.jsonl").symlink_to(away)
    assert erase_lines(settings, "acme", ("c3",)) == Unlearnt(1)
    assert b"Prompt 3" not in away.read_bytes()
    assert (folder / "train.jsonl").is_symlink()


def test_what_is_being_written_is_left_to_its_writer_and_what_was_left_behind_goes(settings):
    make(settings)
    begun, left = (part_of(folder_of(settings, "acme", name)) for name in ("j2", "j3"))
    for part in (begun, left):
        part.mkdir()
        (part / "train.jsonl").write_text("{")
    long_ago = time.time() - 3_600
    os.utime(left, (long_ago, long_ago))
    assert erase_lines(settings, "acme", ("c3",)) == Unlearnt(1)
    assert (begun.exists(), left.exists()) == (True, False)


def test_folders_in_another_place_are_named(settings, tmp_path):
    here = replace(JOB, result={"folder": str((tmp_path / "improve" / "acme" / "j1").resolve())})
    away = replace(JOB, result={"folder": "/elsewhere/improve/acme/j2"})
    assert folders_elsewhere(settings, [here, JOB, replace(JOB, result={})]) == ()
    (said,) = folders_elsewhere(settings, [here, away])
    assert said.startswith("/elsewhere/improve/acme/j2: ")


ERASES = """
import sys
from x25.graph.settings import load_settings
from x25.graph.training_erasure import erase_lines
settings = load_settings({}, data_dir=sys.argv[1])
sys.stdin.readline()
for call_id in sys.argv[2:]:
    assert erase_lines(settings, "acme", (call_id,)).lines == 1, call_id
"""


def test_processes_that_erase_at_once_bring_no_line_back(settings):
    folder = make(settings, range(62))
    halves = [[f"c{number}" for number in range(2 + start, 62, 2)] for start in (0, 1)]
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ERASES, str(settings.data_dir), *names], stdin=subprocess.PIPE
        )
        for names in halves
    ]
    for one in both:
        one.stdin.write(b"go\n")
        one.stdin.flush()
    assert [one.wait(60) for one in both] == [0, 0]
    assert asked(folder)["train.jsonl"] == []
    assert (folder / CALLS).read_text().count("\n") == 2
