"""Fitted parameters of an org: every version kept, at most one of a kind live, each change a link of the chain."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, get_args

from sqlalchemy import Connection, case, func, insert, select, update

from ..audit.chain import append_entry
from ..audit.entries import AuditEntry
from ..changes import note_change
from ..database import Database
from ..errors import NotFound, StoreError
from ..schema import artifacts, posteriors

ArtifactStatus = Literal["candidate", "live", "retired", "rejected"]
Restated = Mapping[tuple[str, str], float]
"""What predictions made before are multiplied with, by task cell and model id; cell "*" = any other cell."""

_PREDICTIONS = (
    ("predicted_sum", "weight"), ("predicted_total", "weight_total"), ("fast_predicted", "fast_weight"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Artifact:
    """One version of one kind of fitted parameters of one org."""

    org: str
    kind: str
    version: int
    """1 for the first of its kind, then up."""
    created_at: datetime
    status: ArtifactStatus
    parameters: str
    """JSON text as written; whoever reads it checks it."""
    metrics: dict[str, Any]
    replaces: int | None = None
    """Version that was live before this one; None = none was, the bundled artifact served."""

    @property
    def parameters_sha256(self) -> str:
        """What the audit chain says of the parameters."""
        return sha256(self.parameters.encode()).hexdigest()


_COLUMNS = [artifacts.c[name] for name in Artifact.__dataclass_fields__]


class Artifacts:
    """Keeps versions, puts one live, and takes it back. Every query names the org."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_candidate(self, org: str, kind: str, parameters: str, metrics: dict[str, Any]) -> Artifact:
        """Keep newly fitted parameters as the org's next version; an older candidate is superseded."""
        now = datetime.now(UTC)

        def add(connection: Connection) -> Artifact:
            mine = (artifacts.c.org == org) & (artifacts.c.kind == kind)
            older = update(artifacts).where(mine, artifacts.c.status == "candidate")
            connection.execute(older.values(status="rejected"))
            newest = connection.scalar(select(func.max(artifacts.c.version)).where(mine)) or 0
            made = Artifact(org, kind, newest + 1, now, "candidate", parameters, metrics)
            row = {name: getattr(made, name) for name in Artifact.__dataclass_fields__}
            connection.execute(insert(artifacts).values(**row))
            return made

        return await self._database.transact(add)

    async def go_live(self, candidate: Artifact, restated: Restated, record: Mapping[str, Any]) -> AuditEntry:
        """Serve a candidate: retire the former version, restate earlier predictions, extend the chain; all or nothing.

        Parameters
        ----------
        restated
            Evidence is read as the difference of what was observed and what was predicted. The new version has
            learnt from what was observed, so the predictions are restated as it would have made them; otherwise
            the difference would count twice.
        record
            What the chain says beside kind, version and the hash of the parameters.

        Raises
        ------
        StoreError
            Unless it is still a candidate.
        """

        def put_live(connection: Connection) -> AuditEntry:
            org, kind = candidate.org, candidate.kind
            former = _live(connection, org, kind)
            if former is not None:
                _set_status(connection, former, "retired")
            values = {"replaces": None if former is None else former.version}
            if not _set_status(connection, candidate, "live", was="candidate", **values):
                raise StoreError(
                    f"version {candidate.version} of {kind} of org {org!r} is no candidate any more"
                )
            _restate(connection, org, restated)
            return _chain(connection, candidate, "live", {**record, **values})

        return await self._database.transact(put_live)

    async def reject(self, candidate: Artifact, record: Mapping[str, Any]) -> AuditEntry:
        """Keep a candidate that did not win, and say so in the chain; what is live stays live."""

        def put_away(connection: Connection) -> AuditEntry:
            _set_status(connection, candidate, "rejected", was="candidate")
            return _chain(connection, candidate, "rejected", record)

        return await self._database.transact(put_away)

    async def roll_back(
        self, org: str, kind: str, restated: Restated, record: Mapping[str, Any]
    ) -> Artifact | None:
        """Take the live version back and serve the one before it; return that one, None = the bundled artifact.

        Raises
        ------
        NotFound
            When no version is live.
        """

        def take_back(connection: Connection) -> Artifact | None:
            live = _live(connection, org, kind)
            if live is None:
                raise NotFound(
                    f"no version of {kind!r} is live for org {org!r}: the bundled estimators serve it"
                )
            _set_status(connection, live, "rejected")
            former = None if live.replaces is None else _get(connection, org, kind, live.replaces)
            if former is not None:
                _set_status(connection, former, "live")
            _restate(connection, org, restated)
            served = {"restored": None if former is None else former.version}
            _chain(connection, live, "rolled back", {**record, **served})
            return former

        return await self._database.transact(take_back)

    async def live(self, org: str, kind: str) -> Artifact | None:
        """Return the version that serves; None = the bundled artifact does."""
        return await self._database.query(lambda connection: _live(connection, org, kind))

    async def live_version(self, org: str, kind: str) -> int | None:
        """Return the number of the version that serves, without its parameters."""
        query = select(artifacts.c.version).where(artifacts.c.org == org, artifacts.c.live_of == kind)
        return await self._database.query(lambda connection: connection.scalar(query))

    async def list(self, org: str, kind: str) -> list[Artifact]:
        """Return all versions of a kind, the first one first."""
        query = select(*_COLUMNS).where(artifacts.c.org == org, artifacts.c.kind == kind)
        query = query.order_by(artifacts.c.version)
        rows = await self._database.query(lambda connection: connection.execute(query).all())
        return [Artifact(*row) for row in rows]


def _live(connection: Connection, org: str, kind: str) -> Artifact | None:
    query = select(*_COLUMNS).where(artifacts.c.org == org, artifacts.c.live_of == kind)
    row = connection.execute(query).one_or_none()
    return None if row is None else Artifact(*row)


def _get(connection: Connection, org: str, kind: str, version: int) -> Artifact | None:
    query = select(*_COLUMNS).where(
        artifacts.c.org == org, artifacts.c.kind == kind, artifacts.c.version == version
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Artifact(*row)


def _set_status(
    connection: Connection,
    one: Artifact,
    status: ArtifactStatus,
    was: ArtifactStatus | None = None,
    **values: Any,
) -> bool:
    """Change a version's status, from `was` alone where that is given; return whether it was changed."""
    assert status in get_args(ArtifactStatus)
    change = update(artifacts).where(
        artifacts.c.org == one.org, artifacts.c.kind == one.kind, artifacts.c.version == one.version
    )
    if was is not None:
        change = change.where(artifacts.c.status == was)
    live_of = one.kind if status == "live" else None
    return connection.execute(change.values(status=status, live_of=live_of, **values)).rowcount == 1


def _restate(connection: Connection, org: str, restated: Restated) -> None:
    """Multiply what was predicted, never beyond one a observation."""
    if not restated:
        return
    note_change(connection, org)
    keys = select(posteriors.c.task_cell, posteriors.c.model_id).where(posteriors.c.org == org)
    for cell, model_id in connection.execute(keys).all():
        ratio = restated.get((cell, model_id), restated.get(("*", model_id)))
        if ratio is None:
            continue
        # The database multiplies: calls go on adding evidence meanwhile.
        values = {
            name: case(
                (posteriors.c[name] * ratio > posteriors.c[weight], posteriors.c[weight]),
                else_=posteriors.c[name] * ratio,
            )
            for name, weight in _PREDICTIONS
        }
        where = (posteriors.c.org == org, posteriors.c.task_cell == cell, posteriors.c.model_id == model_id)
        connection.execute(update(posteriors).where(*where).values(**values))


def _chain(connection: Connection, one: Artifact, action: str, record: Mapping[str, Any]) -> AuditEntry:
    said = {
        "kind": "artifact", "action": action, "artifact": one.kind, "version": one.version,
        "parameters_sha256": one.parameters_sha256, "at": datetime.now(UTC).isoformat(), **record,
    }  # fmt: skip
    return append_entry(connection, one.org, said)[0]
