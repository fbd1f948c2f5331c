"""Labels: what became known of an answer after it was given. The newest word of each source counts, until taken back.

A label is counted where answers found alike are counted (`label_counts`), and nowhere else: beliefs about models, judge
tables and trust are worked out from the counts when they are read. Its row keeps what it was counted as, and sums are
of multiples of 2^-20, so a label that is changed or taken back leaves the counts exactly as if it had never been.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ..column_types import UNSTORABLE
from ..database import Database
from ..errors import InvalidRequest
from ..label_counts import NO_FIRST_ANSWER, LabelSource
from ..schema import labels
from .judge_tables import add_counts
from .labelled_answers import AnswerSeen, find_answer

Became = Literal["new", "changed", "unchanged", "retracted", "none"]
"""What became of a word about an answer; "none": there was nothing to take back."""
_GRAIN = 2.0**20
_COUNTED_AS = ("model_id", "task_cell", "judge", "edges", "place", "epoch")
_WORDS = ("correct_model", "note", "corrected_answer")
_SAID = (*_WORDS, "sampled_prob")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word about an answer."""

    right: float
    """0 (wrong) to 1 (right)."""
    correct_model: str | None = None
    """Model that would have been right, by whoever labels."""
    note: str | None = None
    corrected_answer: str | None = None
    sampled_prob: float | None = None
    """Probability with which the call was picked to be labelled, above 0; None = unknown, or the same for all."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of a label."""

    step: int
    """Answer of the call it belongs to: 0 = the first."""
    became: Became
    model_id: str
    """Who gave the answer."""
    judge: str | None
    """Judge whose counts it moved; None where no judge had scored the answer."""
    score: float | None
    """That judge's score."""

    @property
    def is_new(self) -> bool:
        """Whether nobody of this source had labelled the answer."""
        return self.became == "new"


class Labels:
    """Adds labels, changes them and takes them back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(  # noqa: PLR0913 - one label, spelled out
        self,
        org: str,
        call_id: str,
        *,
        right: float,
        source: LabelSource,
        edges: Sequence[float],
        step: int | None = None,
        sampled_prob: float | None = None,
        **words: str | None,
    ) -> Labelled:
        """Keep how right an answer was, and count it, in one transaction.

        One label is kept per answer and source, the newest; the same again changes nothing. Two sources count twice.

        Parameters
        ----------
        right
            0 (wrong) to 1 (right); kept to 2^-20.
        edges
            Inner edges of the score bins the judge is counted in, rising.
        step
            Answer of the call; None = the one that was returned.
        sampled_prob, words
            Fields of `Label`.

        Raises
        ------
        InvalidRequest
            If `right` is outside [0, 1], the source unknown, or the probability none.
        NotFound
            If the org has no such call, or the call no such answer.
        """
        if not 0.0 <= right <= 1.0:
            raise InvalidRequest(f"right must be between 0 and 1, got {right!r}", field="right")
        _check_source(source)
        if sampled_prob is not None and not 0.0 < sampled_prob <= 1.0:
            raise InvalidRequest(
                f"sampled_prob must be above 0 and at most 1, got {sampled_prob!r}", field="sampled_prob"
            )
        kept = {name: storable(word) for name, word in words.items()}
        label = Label(right=_grained(right), sampled_prob=sampled_prob, **kept)

        def add(connection: Connection) -> Labelled:
            answer = find_answer(connection, org, call_id, step, edges)
            return _say(connection, (org, call_id, answer.step, source), answer, label)

        return await self._database.transact(add)

    async def retract(
        self, org: str, call_id: str, *, source: LabelSource, edges: Sequence[float], step: int | None = None
    ) -> Labelled:
        """Take a label back, with all that it counted; where there is none nothing changes. Errors as `add`."""
        _check_source(source)

        def take_back(connection: Connection) -> Labelled:
            answer = find_answer(connection, org, call_id, step, edges)
            mine = _is_of((org, call_id, answer.step, source))
            row = connection.execute(select(labels).where(mine)).first()
            if row is not None:
                _uncount(connection, row, answer)
                connection.execute(delete(labels).where(mine))
            return _labelled(answer, "none" if row is None else "retracted")

        return await self._database.transact(take_back)

    async def count(self, org: str) -> int:
        """Return how many labels the org has given."""
        query = select(func.count()).select_from(labels).where(labels.c.org == org)
        found: int = await self._database.query(lambda connection: connection.scalars(query).one())
        return found

    async def of_answers(
        self, org: str, weight: Callable[[str, str], float] = lambda _source, _model: 1.0
    ) -> dict[tuple[str, int], tuple[float, float]]:
        """Return how right each labelled answer was, and what that counts, by call id and step.

        Where several sources said so, their mean by what each counts. `weight` is told source and model, which is empty
        where it was not noted; what counts nothing is left out.
        """
        columns = labels.c
        query = select(columns.call_id, columns.step, columns.source, columns.model_id, columns.right).where(
            columns.org == org
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        said: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for call_id, step, source, model_id, right in rows:
            if (counts := weight(source, model_id or "")) > 0.0:
                said.setdefault((call_id, step), []).append((right, counts))
        return {
            answer: (
                sum(right * counts for right, counts in words) / sum(counts for _, counts in words),
                max(counts for _, counts in words),
            )
            for answer, words in said.items()
        }

    async def words(self, org: str, call_id: str) -> list[Mapping[str, Any]]:
        """Return what was said of a call's answers: step, source, right and the words, first answer first."""
        columns = [labels.c[name] for name in ("step", "source", "right", "created_at", *_WORDS)]
        query = (
            select(*columns)
            .where(labels.c.org == org, labels.c.call_id == call_id)
            .order_by(labels.c.step, labels.c.source)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [row._asdict() for row in rows]


def _check_source(source: str) -> None:
    if source not in get_args(LabelSource):
        known = ", ".join(get_args(LabelSource))
        raise InvalidRequest(f"source must be one of {known}, got {source!r}", field="source")


def storable(word: str | None) -> str | None:
    """Return a word as it will be read back, so that the same again is seen to be the same."""
    return None if word is None else UNSTORABLE.sub("\ufffd", word)


def _grained(value: float) -> float:
    return round(value * _GRAIN) / _GRAIN


def _say(
    connection: Connection, place: tuple[str, str, int, str], answer: AnswerSeen, label: Label
) -> Labelled:
    """Put a label in the place of the one before it."""
    insert = insert_postgres if connection.dialect.name == "postgresql" else insert_sqlite
    org, call_id, step, source = place
    row = {"org": org, "call_id": call_id, "step": step, "source": source, "right": label.right}
    row["created_at"] = datetime.now(UTC)
    once = insert(labels).values(**row).on_conflict_do_nothing().returning(labels.c.step)
    is_new = connection.execute(once).first() is not None
    before = connection.execute(select(labels).where(_is_of(place))).one()
    said = before._asdict()
    words = {name: getattr(label, name) for name in _SAID}
    if not is_new:
        if before.right == label.right and all(said[name] == words[name] for name in _SAID):
            return _labelled(answer, "unchanged")
        _uncount(connection, before, answer)
    counted = answer.key(org, source)
    predicted = _grained(answer.predicted)
    add_counts(
        connection, counted, {"right": label.right, "wrong": 1.0 - label.right, "predicted": predicted}
    )
    kept = {name: counted[name] for name in _COUNTED_AS}
    connection.execute(
        update(labels)
        .where(_is_of(place))
        .values(**kept, **words, right=label.right, predicted=predicted, created_at=row["created_at"])
    )
    return _labelled(answer, "new" if is_new else "changed")


def _uncount(connection: Connection, row: Row[Any], answer: AnswerSeen) -> None:
    """Take back what a label counted; one from before models were noted counted for the answer's judge alone."""
    if row.place is not None:
        whole = row._asdict()
        key = {name: whole[name] for name in ("org", "source", *_COUNTED_AS)}
        predicted = row.predicted
    elif answer.judge:
        key = answer.key(row.org, "audit") | {"model_id": "", "task_cell": "", "epoch": NO_FIRST_ANSWER}
        predicted = 0.0
    else:
        return
    add_counts(connection, key, {"right": -row.right, "wrong": row.right - 1.0, "predicted": -predicted})


def _is_of(place: tuple[str, str, int, str]) -> Any:
    org, call_id, step, source = place
    columns = labels.c
    return (
        (columns.org == org)
        & (columns.call_id == call_id)
        & (columns.step == step)
        & (columns.source == source)
    )


def _labelled(answer: AnswerSeen, became: Became) -> Labelled:
    return Labelled(answer.step, became, answer.model_id, answer.judge or None, answer.score)
