"""An audit log: who changed what and when, kept in the same database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import _native
from ._native import Handle
from ._types import AuditEntryOptions
from .capture import Recording
from .changeset import AnyChangeset, Changeset
from .closing import Closing
from .errors import MisuseError
from .rows import Rows
from .tables import Tables, fold
from .values import ChangeKind, Value


class AuditEntry(NamedTuple):
    """One entry of the log."""

    id: int
    time: str
    """UTC, ISO 8601 with milliseconds."""
    author: str | None
    label: str | None


class AuditChange(NamedTuple):
    """One change of an entry, with values by column name."""

    entry: int
    position: int
    table: str
    kind: ChangeKind
    indirect: bool
    primary_key: dict[str, Value]
    old: dict[str, Value] | None
    new: dict[str, Value] | None


class AuditRecording(Recording, AnyChangeset):
    """The ``with`` block of :meth:`AuditLog.entry`.

    After the block ``id`` is the entry's number, and it can do what a
    :class:`Changeset` can.
    """

    __slots__ = ("_changeset", "_entry", "_id", "_log")

    def __init__(
        self,
        log: AuditLog,
        entry: AuditEntryOptions,
        tables: tuple[str, ...],
        filter: Tables | None,
    ) -> None:
        super().__init__(tables, None, filter)
        self._log = log
        self._entry = entry
        self._id: int | None = None
        self._changeset: Changeset | None = None

    def _begin(self) -> None:
        _native.audit_begin(self._log._get(), self._options)

    def _commit(self) -> None:
        self._id = _native.audit_commit(self._log._get(), self._entry) or None

    def _rollback(self) -> None:
        _native.audit_rollback(self._log._get())

    @property
    def id(self) -> int | None:
        """The number of the entry; None if nothing was changed."""
        return self._id

    @property
    def changeset(self) -> Changeset:
        """What was recorded, once the block has ended."""
        if self._state != "ended":
            raise MisuseError(f"there is no changeset: the recording {self._state}")
        if self._changeset is None:
            self._changeset = Changeset() if self._id is None else self._log.changeset(self._id)
        return self._changeset

    def _get(self) -> Handle:
        return self.changeset._get()


class AuditLog(Closing):
    """The audit log of a database, made if it is not there.

    It is two ordinary tables, ``rowtide_audit`` and ``rowtide_audit_change``, that
    can be queried with SQL. An entry is written in the transaction of its changes.
    Use it in the thread that uses the connection; ``close()`` or ``with`` ends it.

    >>> log = db.audit_log()
    >>> with log.entry(author="ada", label="rename"):
    ...     db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    """

    __slots__ = ("_db",)

    _name = "audit log"

    def __init__(self, db: Callable[[], Handle]) -> None:
        self._db = db
        super().__init__(_native.audit_open(db()))

    def entry(
        self,
        *,
        author: str | None = None,
        label: str | None = None,
        time: str | None = None,
        tables: tuple[str, ...] | list[str] | str | None = None,
        filter: Tables | None = None,
    ) -> AuditRecording:
        """Record a ``with`` block as one entry, in a transaction of its own.

        `tables` are the tables to record, else all that can be. `time` replaces the
        present time, as ISO 8601. If nothing changes there is no entry.
        """
        names = (tables,) if isinstance(tables, str) else tuple(tables or ())
        return AuditRecording(self, (author, label, time), names, filter)

    def append(
        self,
        changes: AnyChangeset,
        *,
        author: str | None = None,
        label: str | None = None,
        time: str | None = None,
    ) -> int | None:
        """Add changes that were captured elsewhere as an entry; give its number."""
        entry = (author, label, time)
        return _native.audit_append(self._get(), changes._get(), entry) or None

    def entries(
        self, *, author: str | None = None, newest_first: bool = False
    ) -> Iterator[AuditEntry]:
        """Give the entries, the oldest first."""
        self._get()
        order = "DESC" if newest_first else "ASC"
        rows = Rows.query(
            self._db(),
            "SELECT id, time, author, label FROM rowtide_audit "
            f"WHERE ?1 IS NULL OR author = ?1 ORDER BY id {order}",
            (author,),
        )
        return (AuditEntry(*row) for row in rows)  # type: ignore[arg-type]

    def changes(
        self, entry: int | None = None, *, table: str | None = None
    ) -> Iterator[AuditChange]:
        """Give the changes of one entry or of all, of one table or of all."""
        self._get()
        rows = Rows.query(
            self._db(),
            "SELECT entry, position, table_name, kind, indirect, primary_key, "
            "old_values, new_values FROM rowtide_audit_change "
            "WHERE (?1 IS NULL OR entry = ?1) AND (?2 IS NULL OR lower(table_name) = ?2) "
            "ORDER BY entry, position",
            (entry, None if table is None else fold(table)),
        )
        return (read_change(row) for row in rows)

    def changeset(self, id: int) -> Changeset:
        """Give the changeset of an entry: to undo it, to ship it.

        An unknown number raises :class:`~rowtide.NotFoundError`.
        """
        return Changeset._wrap(_native.audit_changeset(self._get(), id))

    def prune(self, *, before: str | None = None, keep: int | None = None) -> int:
        """Delete old entries, and say how many there were.

        Either those older than a time such as ``"2026-01-31"``, or all but the
        newest `keep`.
        """
        if (before is None) == (keep is None):
            raise TypeError("prune() needs either before or keep")
        return _native.audit_prune(self._get(), before, keep or 0)

    def __repr__(self) -> str:
        return f"<rowtide.AuditLog{'' if self._handle else ', closed'}>"


def read_change(row: tuple[Value, ...]) -> AuditChange:
    """Read a row of ``rowtide_audit_change``."""
    entry, position, table, kind, indirect, key, old, new = row
    return AuditChange(
        int(entry or 0),
        int(position or 0),
        str(table),
        ChangeKind(str(kind)),
        bool(indirect),
        read_values(key) or {},
        read_values(old),
        read_values(new),
    )


def read_values(text: Value) -> dict[str, Value] | None:
    """Read a JSON object of column values."""
    if text is None:
        return None
    values: dict[str, Any] = json.loads(str(text))
    return {column: read_value(value) for column, value in values.items()}


def read_value(value: Any) -> Value:
    """Read a value; what JSON cannot say by itself is an object of one member."""
    plain: Value
    match value:
        case {"blob": str(digits)}:
            plain = bytes.fromhex(digits)
        case {"text": str(digits)}:
            plain = bytes.fromhex(digits).decode("utf-8", "surrogateescape")
        case {"real": ("inf" | "-inf") as name}:
            plain = float(name)
        case {"real": str()}:
            plain = float("nan")
        case _:
            plain = value
    return plain
