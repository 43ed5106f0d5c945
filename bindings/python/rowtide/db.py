"""Connections: the standard library's with our methods, and our own small one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Self

from . import _native
from ._native import Change, Handle
from ._types import DiffOptions
from .apply import OnConflict, ProgressCallback, Report, apply_changes, apply_options
from .audit import AuditLog
from .capture import Capture
from .changeset import AnyChangeset, Changeset
from .crdt import Crdt, CrdtReport, Mergeable, merge_changes
from .errors import ClosedError, MisuseError, ThreadError, UnsupportedError
from .replication import Primary, Replica
from .rows import Parameters, Rows, bind
from .schema import Model, Schema, as_schema
from .schema_plan import Plan, Renames, SchemaReport, plan_options
from .stream import Path, Sink, Source, open_sink
from .tables import Tables, table_names
from .undo import UndoLog


class Recorder:
    """What every connection of Rowtide can do."""

    __slots__ = ()

    def _db(self) -> Handle:
        raise NotImplementedError

    def capture(
        self,
        *tables: str,
        schema: str = "main",
        filter: Tables | None = None,
        patchset: bool = False,
        indirect: bool = False,
        track_size: bool = False,
        memory_limit: int | None = None,
    ) -> Capture:
        """Record what a ``with`` block writes on this connection.

        Without `tables`, records every table that has a primary key; `filter` says
        yes or no to a table. A named table that does not exist or cannot be recorded
        raises :class:`~rowtide.SchemaError`. `patchset` makes the smaller form that
        cannot be inverted, `indirect` marks all changes as made by something else.
        `track_size` counts bytes for ``size_bound``. Over `memory_limit` bytes of
        memory the end raises :class:`~rowtide.TooBigError`.
        """
        return Capture(
            self._db,
            tables,
            schema=schema,
            filter=filter,
            patchset=patchset,
            indirect=indirect,
            track_size=track_size,
            memory_limit=memory_limit,
        )

    def apply(
        self,
        changes: AnyChangeset | Source,
        on_conflict: OnConflict = None,
        *,
        tables: Tables | None = None,
        change_filter: Callable[[Change], object] | None = None,
        invert: bool = False,
        ignore_noop: bool = False,
        fk_no_action: bool = False,
        triggers: bool = True,
        skip_indirect: bool = False,
        skip_misfits: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Report:
        """Apply a changeset: all of it, or nothing if anything raises.

        Inside a transaction it works in a savepoint and leaves the transaction open;
        else it commits. `changes` may also be bytes, a path or a reader; these are
        streamed where possible.

        `on_conflict` is an action for all conflicts, a mapping of kinds to actions
        (kinds left out abort), or a callable that is given a :class:`Conflict` and
        returns an action. Actions are ``"omit"``, ``"replace"`` (for the kinds
        ``data`` and ``conflict`` only) and ``"abort"``, which raises
        :class:`~rowtide.ConflictError`. What a callable raises passes through.

        `tables` and `change_filter` choose what to apply. `invert` applies the
        inverse. `ignore_noop` passes over what the database has already.
        `fk_no_action` keeps foreign key actions from running, ``triggers=False``
        keeps triggers from firing, `skip_indirect` leaves out what triggers did.
        `skip_misfits` leaves out tables that do not fit the schema, which otherwise
        raise :class:`~rowtide.SchemaError`. `progress` is told how far it is, in
        bytes, and cancels by returning False.
        """
        options = apply_options(
            on_conflict,
            tables=tables,
            change_filter=change_filter,
            invert=invert,
            ignore_noop=ignore_noop,
            fk_no_action=fk_no_action,
            triggers=triggers,
            skip_indirect=skip_indirect,
            skip_misfits=skip_misfits,
            progress=progress,
        )
        return apply_changes(self._db(), changes, options)

    def diff(
        self,
        from_schema: str,
        to_schema: str,
        *,
        tables: Tables | None = None,
        patchset: bool = False,
        progress: ProgressCallback | None = None,
    ) -> Changeset:
        """Find what would turn the tables of one schema into those of another.

        Both are schemas of this connection: ``"main"``, ``"temp"`` or attached. A
        table that is in one only, or looks different, raises
        :class:`~rowtide.SchemaError` unless `tables` leaves it out.
        """
        options = diff_options(tables, patchset, progress)
        return Changeset._wrap(
            _native.changeset_diff(self._db(), from_schema, to_schema, options)
        )

    def diff_to(
        self,
        sink: Sink,
        from_schema: str,
        to_schema: str,
        *,
        tables: Tables | None = None,
        patchset: bool = False,
        progress: ProgressCallback | None = None,
    ) -> None:
        """As :meth:`diff`, written to a path or writer in bounded memory."""
        options = diff_options(tables, patchset, progress)
        with open_sink(sink) as out:
            _native.changeset_diff_stream(self._db(), from_schema, to_schema, options, out)

    def audit_log(self) -> AuditLog:
        """Open the audit log of the database, making it if needed."""
        return AuditLog(self._db)

    def undo_log(self, limit: int = 100, *, byte_limit: int = 0) -> UndoLog:
        """Open the undo log of the database, making it if needed.

        Keeps at most `limit` steps and `byte_limit` bytes of changes; 0 is no limit.
        """
        return UndoLog(self._db, limit, byte_limit)

    def primary(self, directory: Path) -> Primary:
        """Publish changes of this database in a directory, which is made if needed."""
        return Primary(self._db, directory)

    def replica(self, directory: Path) -> Replica:
        """Follow the primary that publishes in a directory."""
        return Replica(self._db, directory)

    @property
    def crdt(self) -> Crdt:
        """Tables that several databases change and merge; see :class:`Crdt`."""
        return Crdt(self._db)

    def merge(self, changes: Mergeable) -> CrdtReport:
        """Merge changes of another database: all of them, or none if anything raises.

        `changes` is what :meth:`Crdt.pull` or :meth:`Crdt.payload` gave: an iterator
        or any rows like :class:`CrdtChange`, or a payload as bytes, a path or a
        reader. Inside a transaction it works in a savepoint and leaves the
        transaction open; else it commits.
        """
        return merge_changes(self._db(), changes)

    # -- The schema

    def schema(self, *tables: str, schema: str = "main", internal: bool = False) -> Schema:
        """Read the schema of the database, or of some of its tables.

        A table that does not exist is not there. `schema` may be ``"temp"`` or what
        was attached. With `internal`, tables are there that Rowtide and cr-sqlite
        keep for themselves.
        """
        options = {
            "schema": schema,
            "tables": table_names(tables) if tables else None,
            "internal": internal,
        }
        return Schema._wrap(_native.schema_read(self._db(), options))

    def auto_migrate(
        self, *models: Model, foreign_keys: bool = False, dry_run: bool = False
    ) -> SchemaReport:
        """Add what the database lacks: tables, columns, indexes, views, triggers.

        Nothing is ever dropped, renamed or retyped. It is one transaction, or one
        savepoint in yours. What SQLite cannot add, and what differs without being
        missing, is in the report as refused, with the reason. Models are what
        :class:`Schema` takes.

        With `foreign_keys`, relations of the model become foreign keys in tables that
        are made now; `dry_run` writes nothing and says what would be done.
        """
        options = {"foreign_keys": foreign_keys, "dry_run": dry_run}
        model = as_schema(*models)
        return SchemaReport(_native.schema_auto_migrate(self._db(), model._handle, options))

    def plan(
        self,
        *models: Model,
        allow: str | Collection[str] = (),
        renames: Renames | None = None,
        undeclared: str = "remove",
    ) -> Plan:
        """Plan how the database becomes what the models say; nothing is written.

        Steps that convert values or remove something are refused unless `allow` has
        ``"lossy"`` or ``"destructive"``. Without a hint in `renames` a new name is a
        new thing. With ``undeclared="ignore"`` tables, views and triggers that the
        models do not have at all are left alone.
        """
        options = plan_options(allow, renames, undeclared)
        db = self._db()
        return Plan(_native.schema_plan(db, as_schema(*models)._handle, options), self._db)

    def rebuild(
        self,
        sql: str,
        *,
        allow: str | Collection[str] = (),
        renames: Renames | None = None,
        progress: ProgressCallback | None = None,
    ) -> SchemaReport:
        """Rebuild a table so that `sql`, a CREATE TABLE statement, defines it.

        Columns keep their values by name. Triggers, views, rowids and what else
        refers to the table stay. The options are those of :meth:`plan` and
        :meth:`Plan.apply`.
        """
        options = plan_options(allow, renames, "remove")
        return SchemaReport(_native.schema_rebuild(self._db(), sql, options, progress))


def diff_options(
    tables: Tables | None, patchset: bool, progress: ProgressCallback | None
) -> DiffOptions:
    """Bring the options of a diff into the form of the native call."""
    flags = _native.CAPTURE_PATCHSET if patchset else 0
    if tables is None or callable(tables):
        return (None, tables, flags, progress)
    return (table_names(tables), None, flags, progress)


def diff(
    from_path: Path,
    to_path: Path,
    *,
    tables: Tables | None = None,
    patchset: bool = False,
    progress: ProgressCallback | None = None,
) -> Changeset:
    """Find what would turn one database file into another; neither is written."""
    return Changeset._wrap(
        _native.changeset_diff_files(
            os.fsencode(from_path),
            os.fsencode(to_path),
            diff_options(tables, patchset, progress),
        )
    )


# -- The standard library's connections


def check_usable(connection: sqlite3.Connection) -> None:
    """Let the connection itself say whether it is open and this its thread."""
    try:
        sqlite3.Connection.cursor(connection, sqlite3.Cursor)
    except sqlite3.ProgrammingError as error:
        text = str(error)
        if "closed" in text:
            raise ClosedError("the connection is closed") from None
        if "thread" in text:
            raise ThreadError(text) from None
        raise MisuseError(text) from None


def shares_library() -> bool:
    """Tell whether this Python's sqlite3 uses the SQLite library that we use."""
    probe = sqlite3.connect(":memory:")
    try:
        return ask(probe) is not None
    except sqlite3.Error:
        return False
    finally:
        probe.close()


def ask(connection: sqlite3.Connection) -> Handle | None:
    """Have the connection run the function that shows which one it is."""

    def execute(sql: str) -> None:
        cursor = sqlite3.Cursor(connection)
        try:
            cursor.execute(sql)
        finally:
            cursor.close()

    return _native.adopt(execute)


def adopt_handle(connection: sqlite3.Connection) -> Handle:
    """Find the connection behind the object, and use it."""
    check_usable(connection)
    reason: sqlite3.Error | None = None
    try:
        handle = ask(connection)
        if handle is not None:
            return handle
    except sqlite3.Error as error:
        reason = error
    if not shares_library():
        raise UnsupportedError(
            "this Python's sqlite3 carries its own copy of SQLite "
            f"({sqlite3.sqlite_version}); use rowtide.open() instead of sqlite3 connections"
        ) from reason
    if reason is not None and "no such function" not in str(reason):
        raise MisuseError(f"the connection cannot be adopted: {reason}") from reason
    raise MisuseError(
        "the connection was opened before rowtide was imported; import rowtide first"
    ) from reason


class Connection(sqlite3.Connection, Recorder):
    """A :class:`sqlite3.Connection` that can record and apply changes.

    Everything else is as in the standard library, transactions too: inside one that
    Python has begun, :meth:`apply` leaves the commit to you. Threads are checked as
    the standard library does. Make it with :func:`rowtide.connect`, or by passing it
    as ``factory`` to anything that calls :func:`sqlite3.connect`.
    """

    _adopted: Handle | None = None

    def _db(self) -> Handle:
        if self._adopted is None:
            self._adopted = adopt_handle(self)
        else:
            check_usable(self)
        return self._adopted

    def close(self) -> None:
        """Close the connection; captures that are open end without a result.

        From inside a callback of a call that uses it this raises
        :class:`~rowtide.MisuseError`, and nothing is closed.
        """
        if self._adopted is not None:
            try:
                check_usable(self)
            except (ClosedError, ThreadError):
                pass  # sqlite3 has its own words for these
            else:
                _native.db_close(self._adopted)
                self._adopted = None
        super().close()


def connect(path: Path, **options: Any) -> Connection:
    """Open a database as :func:`sqlite3.connect` does, with the same options.

    Raises :class:`~rowtide.UnsupportedError` where Python's sqlite3 carries its own
    copy of SQLite; :func:`rowtide.open` works there.
    """
    factory = options.pop("factory", Connection)
    if not (isinstance(factory, type) and issubclass(factory, Connection)):
        raise TypeError("factory must be a subclass of rowtide.Connection")
    connection: Connection = sqlite3.connect(path, factory=factory, **options)
    try:
        connection._db()
    except BaseException:
        connection.close()
        raise
    return connection


# -- Our own connection


class Database(Recorder):
    """A small connection of our own, for where sqlite3 cannot be used.

    Statements commit by themselves outside :meth:`transaction`. Any thread may use
    it, one at a time: another one that comes meanwhile gets
    :class:`~rowtide.ThreadError`. Close it, or use it in a ``with`` block.
    """

    __slots__ = ("__weakref__", "_adopted", "_depth", "_handle")

    def __init__(self, handle: Handle, adopted: sqlite3.Connection | None = None) -> None:
        self._handle: Handle | None = handle
        self._adopted = adopted
        self._depth = 0

    def _db(self) -> Handle:
        if self._handle is None:
            raise ClosedError("the database is closed")
        if self._adopted is not None:
            check_usable(self._adopted)
        return self._handle

    def execute(self, sql: str, params: Parameters = ()) -> Rows:
        """Run one statement; iterate over the result for its rows.

        `params` are values for ``?`` in order, or a mapping for ``:name``.
        """
        return Rows.query(self._db(), sql, params)

    def executemany(self, sql: str, rows: Iterable[Parameters]) -> int:
        """Run one statement once for each row of parameters; say how often."""
        stmt = _native.stmt_prepare(self._db(), sql)
        count = 0
        for params in rows:
            bind(stmt, params)
            while _native.stmt_step(stmt):
                pass
            _native.stmt_reset(stmt)
            count += 1
        return count

    def executescript(self, sql: str) -> None:
        """Run several statements; rows are thrown away."""
        _native.db_exec(self._db(), sql)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Self]:
        """Commit a ``with`` block, or undo it if it raises. May be nested."""
        db = self._db()
        if _native.db_in_transaction(db):
            self._depth += 1
            name = f"rowtide_{self._depth}"
            begin, commit = f"SAVEPOINT {name}", f"RELEASE {name}"
            rollback = f"ROLLBACK TO {name}; RELEASE {name}"
        else:
            begin, commit, rollback = "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
        _native.db_exec(db, begin)
        try:
            yield self
            _native.db_exec(db, commit)
        except BaseException:
            if _native.db_is_open(db) and _native.db_in_transaction(db):
                _native.db_exec(db, rollback)
            raise

    @property
    def in_transaction(self) -> bool:
        """True inside a transaction."""
        return bool(_native.db_in_transaction(self._db()))

    @property
    def changes(self) -> int:
        """Rows that the last INSERT, UPDATE or DELETE changed."""
        return _native.db_changes(self._db())

    @property
    def last_insert_rowid(self) -> int:
        """Rowid of the last row inserted."""
        return _native.db_last_insert_rowid(self._db())

    @property
    def path(self) -> str:
        """The file of the main database, empty for one in memory."""
        return _native.db_path(self._db()) or ""

    @property
    def is_open(self) -> bool:
        """True until it is closed."""
        return self._handle is not None and bool(_native.db_is_open(self._handle))

    def interrupt(self) -> None:
        """Stop the call that runs on it; any thread may do this at any time."""
        if self._handle is not None:
            _native.db_interrupt(self._handle)

    def close(self) -> None:
        """Close it; one that was adopted is only let go. May be called again."""
        if self._handle is None:
            return
        if self._adopted is None:
            _native.db_close(self._handle)
        self._handle = self._adopted = None

    def __enter__(self) -> Self:
        self._db()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None and self._adopted is None:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, stacklevel=2)

    def __repr__(self) -> str:
        if self._handle is None or not _native.db_is_open(self._handle):
            return "<rowtide.Database, closed>"
        return f"<rowtide.Database {_native.db_path(self._handle) or ':memory:'}>"


def open(
    path: Path, *, read_only: bool = False, must_exist: bool = False, timeout: float = 5.0
) -> Database:
    """Open a database file, ``":memory:"`` or a ``"file:"`` URI.

    `timeout` is how many seconds to wait for a lock.
    """
    options = (int(read_only), int(must_exist), round(timeout * 1000))
    return Database(_native.db_open(os.fsencode(path), options))


def adopt(connection: sqlite3.Connection) -> Database:
    """Use a connection of the standard library that was opened after the import.

    The caller still closes it; this one then answers
    :class:`~rowtide.ClosedError`. Works for any thread, pool or factory. Raises
    :class:`~rowtide.UnsupportedError` where Python's sqlite3 carries its own copy
    of SQLite, :class:`~rowtide.MisuseError` for a connection that was opened before
    rowtide was imported.
    """
    if isinstance(connection, Recorder):
        return Database(connection._db(), connection)
    if not isinstance(connection, sqlite3.Connection):
        raise TypeError(f"a sqlite3.Connection is needed, not {type(connection).__name__}")
    return Database(adopt_handle(connection), connection)


AnyConnection = Connection | Database | sqlite3.Connection
"""Where column names can come from."""


def handle_of(connection: AnyConnection) -> Handle:
    """Find the native connection of any of ours or of the standard library's."""
    if isinstance(connection, Recorder):
        return connection._db()
    return adopt_handle(connection)
