"""Which answer of a call a label is about, and what had been seen of it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ..errors import NotFound
from ..label_counts import FAILED_CHECK, NO_FIRST_ANSWER, UNJUDGED
from ..schema import attempts, calls, evidence_log, posteriors
from .judge_tables import edges_key
from .posterior_statements import POOLED


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSeen:
    """An answer as labels count it: the fields are columns of `label_counts`, but for `step` and `score`."""

    step: int
    score: float | None
    model_id: str
    task_cell: str
    judge: str
    edges: str
    place: int
    epoch: int
    predicted: float

    def key(self, org: str, source: str) -> dict[str, Any]:
        """Return which count a label of it moves."""
        names = ("model_id", "task_cell", "judge", "edges", "place", "epoch")
        return {"org": org, "source": source} | {name: getattr(self, name) for name in names}


def find_answer(
    connection: Connection, org: str, call_id: str, step: int | None, edges: Sequence[float]
) -> AnswerSeen:
    """Return what is known of an answer of a logged call, held until the transaction ends; `step` None = the returned.

    Raises
    ------
    NotFound
        If the org has no such call, or the call no such answer.
    """
    query = select(calls).where(calls.c.org == org, calls.c.call_id == call_id)
    if connection.dialect.name == "postgresql":
        query = (
            query.with_for_update()
        )  # who says something of the same call waits; SQLite has one writer anyway
    call = connection.execute(query).first()
    answered = None if call is None else _step_of(connection, call, step)
    if call is None or answered is None:
        which = "" if step is None else f" at step {step}"
        raise NotFound(f"org {org!r} has no call {call_id!r} with an answer{which}")
    at, model_id = answered
    taught = connection.execute(
        select(evidence_log).where(
            evidence_log.c.org == org, evidence_log.c.call_id == call_id, evidence_log.c.step == at
        )
    ).first()
    judge, place, score = _looked_at(connection, call, at, taught, edges)
    predicted = _prediction(call, at, model_id, taught)
    return AnswerSeen(
        step=at,
        score=score,
        model_id=model_id,
        task_cell=call.task_cell,
        judge=judge,
        edges=edges_key(edges) if judge else "",
        place=place,
        epoch=NO_FIRST_ANSWER if predicted is None else _epoch(connection, call, model_id, taught),
        predicted=predicted or 0.0,
    )


def _step_of(connection: Connection, call: Row[Any], step: int | None) -> tuple[int, str] | None:
    """Return the step that holds the answer, and its model; of a call whose attempts are gone none."""
    query = (
        select(attempts.c.step, attempts.c.model_id)
        .where(attempts.c.org == call.org, attempts.c.call_id == call.call_id)
        .where(attempts.c.kind == "answer", attempts.c.status == "finished")
        .order_by(attempts.c.step.desc())
        .limit(1)
    )
    if step is not None:
        query = query.where(attempts.c.step == step)
    elif call.model_id is None:
        return None
    else:
        query = query.where(attempts.c.model_id == call.model_id)
    row = connection.execute(query).first()
    return None if row is None else (row.step, row.model_id)


def _looked_at(
    connection: Connection, call: Row[Any], step: int, taught: Row[Any] | None, edges: Sequence[float]
) -> tuple[str, int, float | None]:
    """Return the judge of an answer, empty for none, its place among what can be seen, and the score."""
    seen = call.decision.get("first_verdict") or {}
    judge = connection.scalar(
        select(func.max(attempts.c.model_id)).where(
            attempts.c.org == call.org, attempts.c.call_id == call.call_id, attempts.c.step == step,
            attempts.c.kind == "judge", attempts.c.status == "finished",
        )
    )  # fmt: skip
    score = taught.success if taught is not None else seen.get("score") if step == 0 else None
    if judge is not None and score is not None:
        return judge, bisect_right(list(edges), score), score
    if step == 0 and seen:
        return "", FAILED_CHECK if seen.get("outcome") == "failed_check" else UNJUDGED, None
    return "", FAILED_CHECK if taught is not None and taught.success == 0.0 else UNJUDGED, None


def _prediction(call: Row[Any], step: int, model_id: str, taught: Row[Any] | None) -> float | None:
    """Return the probability predicted for a first answer of the decided model; None of any other."""
    decision = call.decision
    if step > 0 or decision.get("model_id", model_id) != model_id:
        return None
    predicted: float | None = taught.predicted if taught is not None else None
    return decision.get("predicted_prob", None) if predicted is None else predicted


def _epoch(connection: Connection, call: Row[Any], model_id: str, taught: Row[Any] | None) -> int:
    """Return how often the model had changed when it answered: an answer before its last change is another model's.

    Of an answer that taught nothing the index of its entry in the chain stands for the calls before it.
    """
    row = connection.execute(
        select(posteriors.c.drifts, posteriors.c.drifted_at).where(
            posteriors.c.org == call.org, posteriors.c.task_cell == POOLED, posteriors.c.model_id == model_id
        )
    ).first()
    if row is None or not row.drifts:
        return 0
    calls_before = call.audit_idx if taught is None else taught.org_calls
    return int(row.drifts) if calls_before >= row.drifted_at else NO_FIRST_ANSWER
