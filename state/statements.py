"""Statements that every call executes: compiled once a dialect, run on the driver's own cursor.

SQLAlchemy takes several times as long to execute such a statement as SQLite does. What is sent is what it would send:
its text, its order of parameters and its types' conversions.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


class Statement:
    """One statement, for SQLite and Postgres.

    Parameters
    ----------
    clause
        With bound parameters only; none whose number depends on values.
    columns
        Names of the parameters of an INSERT or UPDATE that sets columns; None = all of the table.
    """

    def __init__(self, clause: ClauseElement, columns: Sequence[str] | None = None) -> None:
        self._clause = clause
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def count(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Execute it and return how many rows it changed."""
        number: int = self._execute(connection, values).rowcount
        return number

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it and return its rows as the driver gives them: no type converts them."""
        found: list[tuple[Any, ...]] = self._execute(connection, values).fetchall()
        return found

    def row(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Execute it and return its first row."""
        rows = self.rows(connection, values)
        return rows[0] if rows else None

    def _execute(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._clause, dialect, self._columns)
        try:
            parameters = compiled.parameters(values)
        except (TypeError, ValueError) as error:
            raise _named(dialect, error, compiled.sql) from error
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.sql, parameters)
        except dialect.loaded_dbapi.Error as error:
            raise _named(dialect, error, compiled.sql) from error
        return cursor


def _named(dialect: Dialect, error: BaseException, sql: str) -> BaseException:
    """Return an error as SQLAlchemy's, which tells no parameters."""
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


class _Compiled:
    """A statement as one dialect is sent it."""

    def __init__(self, clause: ClauseElement, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled: Any = clause.compile(dialect=dialect, column_keys=columns)
        self.sql: str = compiled.string
        self._is_positional: bool = compiled.positional
        self._constants = {name: one.value for name, one in compiled.binds.items() if one.value is not None}
        self._converts: list[tuple[str, Convert | None]] = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in (compiled.positiontup if compiled.positional else compiled.binds)
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        if self._constants:
            values = {**self._constants, **values}
        if self._is_positional:
            return [
                values[name] if convert is None else convert(values[name]) for name, convert in self._converts
            ]
        return {
            name: values[name] if convert is None else convert(values[name])
            for name, convert in self._converts
        }
