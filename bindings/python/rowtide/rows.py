"""Run one statement and read its rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from . import _native
from ._native import Handle
from .errors import InvalidError
from .values import Value

Parameters = Sequence[Value] | Mapping[str, Value]
"""Values for ``?`` in order, or for ``:name`` by name."""


def bind(stmt: Handle, params: Parameters) -> None:
    """Bind all parameters of a statement; too many or too few are an error."""
    count = _native.stmt_parameter_count(stmt)
    if isinstance(params, Mapping):
        for name, value in params.items():
            index = _native.stmt_parameter_index(stmt, name)
            if index == 0:
                raise InvalidError(f'the statement has no parameter "{name}"')
            _native.stmt_bind(stmt, index, value)
        if len(params) < count:
            raise InvalidError(f"the statement has {count} parameters, not {len(params)}")
        return
    if len(params) != count:
        raise InvalidError(f"the statement has {count} parameters, not {len(params)}")
    for index, value in enumerate(params, 1):
        _native.stmt_bind(stmt, index, value)


class Rows(Iterator[tuple[Value, ...]]):
    """The rows of a statement, read one by one as tuples.

    ``columns`` names them. Use it in the thread that uses the connection.
    """

    __slots__ = ("_next", "_stmt", "columns")

    columns: tuple[str, ...]

    def __init__(self, stmt: Handle) -> None:
        count = _native.stmt_column_count(stmt)
        self.columns = tuple(_native.stmt_column_name(stmt, i) or "" for i in range(count))
        self._next = _native.stmt_row(stmt)
        self._stmt: Handle | None = stmt if self._next is not None else None

    @classmethod
    def query(cls, db: Handle, sql: str, params: Parameters = ()) -> Self:
        """Prepare, bind and start a statement."""
        stmt = _native.stmt_prepare(db, sql)
        bind(stmt, params)
        return cls(stmt)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[Value, ...]:
        row = self._next
        if row is None:
            raise StopIteration
        if self._stmt is not None:
            self._next = None
            try:
                self._next = _native.stmt_row(self._stmt)
            finally:
                if self._next is None:
                    self._stmt = None
        return row

    def fetchone(self) -> tuple[Value, ...] | None:
        """Give the next row, or None."""
        return next(self, None)

    def fetchall(self) -> list[tuple[Value, ...]]:
        """Give all rows that are left."""
        return list(self)

    def close(self) -> None:
        """Stop reading. May be called again."""
        self._next = self._stmt = None
