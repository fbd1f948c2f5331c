"""How did agents do on tasks? A file of responses, a row an agent, and a file of the tasks' texts.

Source: github.com/dariakryvosheieva/agent-psychometrics, `data/<dataset>/`.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..outcomes import Outcome, Outcomes
from .rows import Row, as_row, collect, read_json_lines

RESPONSES = "responses.jsonl"
TASKS = "tasks.jsonl"


def load_agentic(path: Path, tasks: Path | None = None) -> Outcomes:
    """Return the outcomes of a dataset folder, or of a responses file.

    A responses row holds `subject_id` and `responses`, which maps a task to 0 or 1, or to `successes` and
    `trials`. A tasks row holds `task_id` or `instance_id`, and `problem_statement`; the file is `tasks`, by
    default the tasks.jsonl beside the responses. A subject is a model in a scaffold, so none is profiled.
    Responses to tasks without text are skipped and counted.

    Raises
    ------
    FileNotFoundError
        If the responses or the tasks are not there.
    ValueError
        If a row cannot be read, naming the line, or no task has a text.
    """
    responses = path / RESPONSES if path.is_dir() else path
    texts_file = responses.parent / TASKS if tasks is None else tasks
    if not texts_file.is_file():
        raise FileNotFoundError(
            f"expected the text of the tasks at {texts_file}, found no such file; "
            "name a file of task_id and problem_statement with tasks="
        )
    skipped: Counter[str] = Counter()
    return collect(_outcomes(responses, _texts(texts_file), skipped), responses, skipped)


def _texts(path: Path) -> dict[str, str]:
    """Return the text of each task that has one."""
    return {
        row.text("task_id", "instance_id"): row.text("problem_statement")
        for row in read_json_lines(path)
        if row.value("problem_statement") is not None
    }


def _outcomes(path: Path, texts: dict[str, str], skipped: Counter[str]) -> Iterator[Outcome]:
    dataset = path.resolve().parent.name
    for row in read_json_lines(path):
        subject_id = row.text("subject_id")
        for task_id, response in _responses(row).items():
            score = _score(row, task_id, response)
            if task_id not in texts:
                skipped["no task text"] += 1
            elif score is None:
                skipped["no trials"] += 1
            else:
                yield row.outcome(
                    prompt_id=f"agentic:{dataset}:{task_id}",
                    prompt=texts[task_id],
                    model_id=subject_id,
                    score=score,
                    task=dataset,
                    source=f"agentic:{dataset}",
                    subject_profiled=False,
                )


def _responses(row: Row) -> dict[str, Any]:
    """Return the responses; some files hold them written out as a Python dict."""
    found = row.required("responses")
    if isinstance(found, str):
        try:
            found = ast.literal_eval(found)
        except (ValueError, SyntaxError) as error:
            raise row.error(
                "responses to be a mapping of tasks", repr(row.values["responses"][:80])
            ) from error
    return dict(as_row(found, f"{row.where}, responses").values)


def _score(row: Row, task_id: str, response: Any) -> float | None:
    """Return the share of trials that succeeded, or None if there were none."""
    trials = successes = 1.0
    if isinstance(response, dict):
        attempts = as_row(response, f"{row.where}, task {task_id!r}")
        successes, trials = attempts.number("successes"), attempts.number("trials")
    else:
        successes = Row({task_id: response}, row.where).number(task_id)
    if not 0.0 <= successes <= trials:
        raise row.error(f"task {task_id!r} to be 0, 1 or successes out of trials", repr(response))
    return successes / trials if trials else None
