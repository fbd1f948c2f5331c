"""How labelled answers spread over the score bins of each judge. The database counts; nothing is overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ..database import Database
from ..schema import judge_counts


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
    """Reads the counts; labels add to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, org: str, edges: Sequence[float]) -> dict[str, JudgeCounts]:
        """Return the org's counts under these inner bin edges, by judge; one without labels is absent."""
        columns = judge_counts.c
        query = select(columns.judge, columns.bin, columns.right, columns.wrong).where(
            columns.org == org, columns.edges == edges_key(edges)
        )
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        found: dict[str, tuple[list[float], list[float]]] = {}
        for judge, place, right, wrong in rows:
            of_judge = found.setdefault(judge, ([0.0] * (len(edges) + 1), [0.0] * (len(edges) + 1)))
            of_judge[0][place], of_judge[1][place] = right, wrong
        return {
            judge: JudgeCounts(tuple(right), tuple(wrong)) for judge, (right, wrong) in sorted(found.items())
        }


def edges_key(edges: Sequence[float]) -> str:
    """Return the name of a set of bin edges: counts under others say nothing about these bins."""
    return ",".join(f"{edge:g}" for edge in edges)


def count_label(  # noqa: PLR0913, PLR0917 - one label, spelled out
    connection: Connection, org: str, judge: str, edges: Sequence[float], score_bin: int, right: float
) -> None:
    """Add one label to a judge's counts, inside the connection's transaction."""
    insert = insert_postgres if connection.dialect.name == "postgresql" else insert_sqlite
    row = {"org": org, "judge": judge, "edges": edges_key(edges), "bin": score_bin}
    add = insert(judge_counts).values(**row, right=right, wrong=1.0 - right)
    connection.execute(add.on_conflict_do_update(
        index_elements=["org", "judge", "edges", "bin"],
        set_={
            "right": judge_counts.c.right + add.excluded.right,
            "wrong": judge_counts.c.wrong + add.excluded.wrong,
        },
    ))  # fmt: skip
