"""How labelled answers spread over models, context cells and the score bins of each judge. The database counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ..database import Database
from ..label_counts import NO_FIRST_ANSWER, LabelCount
from ..schema import columns_for, label_counts

_KEY = ("org", "source", "model_id", "task_cell", "judge", "edges", "place", "epoch")
_SUMS = ("right", "wrong", "predicted")


@dataclass(frozen=True, slots=True)
class JudgeCounts:
    """Labelled answers of one judge by score bin, lowest first; a label of .5 counts half on either side."""

    right: tuple[float, ...]
    wrong: tuple[float, ...]

    @property
    def labels(self) -> float:
        """How many answers were labelled."""
        return sum(self.right) + sum(self.wrong)


class JudgeTables:
    """Reads the counts; labels add to them and take back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def label_counts(self, org: str, edges: Sequence[float]) -> list[LabelCount]:
        """Return what the org's labels add up to under these inner bin edges, in a fixed order."""
        columns = columns_for(label_counts, LabelCount)
        mine = (label_counts.c.org == org) & (label_counts.c.edges.in_([edges_key(edges), ""]))
        query = select(*columns).where(mine).order_by(*(label_counts.c[name] for name in _KEY))
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [LabelCount(**row._asdict()) for row in rows]

    async def counts(self, org: str, edges: Sequence[float]) -> dict[str, JudgeCounts]:
        """Return the org's counts under these inner bin edges, by judge; one without labels is absent."""
        found: dict[str, tuple[list[float], list[float]]] = {}
        for one in await self.label_counts(org, edges):
            if not one.judge:
                continue
            of_judge = found.setdefault(one.judge, ([0.0] * (len(edges) + 1), [0.0] * (len(edges) + 1)))
            of_judge[0][one.place] += one.right
            of_judge[1][one.place] += one.wrong
        return {
            judge: JudgeCounts(tuple(right), tuple(wrong)) for judge, (right, wrong) in sorted(found.items())
        }


def edges_key(edges: Sequence[float]) -> str:
    """Return the name of a set of bin edges: counts under others say nothing about these bins."""
    return ",".join(f"{edge:g}" for edge in edges)


def count_label(  # noqa: PLR0913, PLR0917 - one label, spelled out
    connection: Connection, org: str, judge: str, edges: Sequence[float], score_bin: int, right: float
) -> None:
    """Add one audited label to a judge's counts, of no model's, inside the connection's transaction."""
    key = {
        "org": org, "source": "audit", "model_id": "", "task_cell": "", "judge": judge, "edges": edges_key(edges),
        "place": score_bin, "epoch": NO_FIRST_ANSWER,
    }  # fmt: skip
    add_counts(connection, key, {"right": right, "wrong": 1.0 - right, "predicted": 0.0})


def add_counts(connection: Connection, key: Mapping[str, Any], sums: Mapping[str, float]) -> None:
    """Add to the counts of one kind of label, or take back what was added before, below 0.

    What nothing is left of goes: labels taken back leave no trace.
    """
    insert = insert_postgres if connection.dialect.name == "postgresql" else insert_sqlite
    columns = label_counts.c
    add = insert(label_counts).values(**key, **sums)
    connection.execute(add.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: columns[name] + add.excluded[name] for name in _SUMS}
    ))  # fmt: skip
    same = [columns[name] == key[name] for name in _KEY]
    connection.execute(label_counts.delete().where(*same, columns.right == 0.0, columns.wrong == 0.0))
