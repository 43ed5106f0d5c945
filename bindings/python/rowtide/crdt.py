"""Databases that change apart and merge later."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from . import _native
from ._native import CrdtChanges, Handle
from ._types import PullOptions
from .errors import Error, InvalidError
from .rows import Rows
from .stream import Buffer, Path, Reader, Sink, is_stream, open_sink, open_source, writer_sink
from .tables import table_names
from .values import Value

if TYPE_CHECKING:
    from .db import AnyConnection

Mergeable = Iterable[Sequence[object]] | Buffer | Path | Reader
"""Changes as rows, or a payload as bytes, a path or a reader."""


class CrdtChange(NamedTuple):
    """One change: a cell that was set, or a row that was made or deleted.

    It is a row of the table ``crsql_changes``, with its columns in their order, and
    can be inserted there. Their names in SQL are ``cid``, ``val``, ``col_version``,
    ``cl`` and ``seq``.
    """

    table: str
    pk: bytes
    """The primary key, packed; see :attr:`primary_key`."""
    column: str
    """Its name; ``"-1"`` stands for the row itself."""
    value: Value
    """None for the row itself."""
    column_version: int
    """How often the cell was changed."""
    db_version: int
    """When: versions of the database that gave the change."""
    site_id: bytes | None
    """Who made it. None, when it is merged, is the database itself."""
    causal_length: int
    """Odd while the row is alive, even once it is deleted."""
    sequence: int
    """Its place among the changes with the same `db_version`."""

    @property
    def primary_key(self) -> tuple[Value, ...]:
        """The values of the primary key, as a tuple in key order."""
        return _native.crdt_key(self.pk)

    @property
    def is_row(self) -> bool:
        """True if it is about the row itself, not one of its cells."""
        return self.column == "-1"


_native.crdt_setup(CrdtChange)


class CrdtTableReport(NamedTuple):
    """What a merge did to one table."""

    applied: int
    """Changes that won."""
    ignored: int
    """Changes that were known already, or lost."""


class CrdtReport:
    """What a merge did. Immutable."""

    __slots__ = ("applied", "ignored", "tables", "version")

    applied: int
    """Changes that won."""
    ignored: int
    """Changes that were known already, or lost."""
    tables: Mapping[str, CrdtTableReport]
    """Each table that changes came for."""
    version: int
    """The greatest ``db_version`` that was read: pull what comes after it next."""

    def __init__(self, handle: Handle) -> None:
        self.applied = _native.crdt_report_applied(handle)
        self.ignored = _native.crdt_report_ignored(handle)
        self.version = _native.crdt_report_version(handle)
        tables = {}
        for index in range(_native.crdt_report_table_count(handle)):
            (table, applied), ignored = _native.crdt_report_table(handle, index)
            tables[table] = CrdtTableReport(applied, ignored)
        self.tables = tables

    @property
    def count(self) -> int:
        """Changes that were read."""
        return self.applied + self.ignored

    def __repr__(self) -> str:
        return f"<rowtide.CrdtReport {self.applied} applied, {self.ignored} ignored>"


class CrdtPeers(Mapping[bytes, int]):
    """How far a database has come in pulling from others, by their ``site_id``.

    It is kept in the table ``crsql_tracked_peers``. :meth:`Crdt.fetch`, payloads and
    :func:`rowtide.sync` keep it up by themselves; set a version after having merged
    rows by hand. A version never goes back. A peer that is not known has version 0.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Callable[[], Handle]) -> None:
        self._db = db

    def __getitem__(self, site_id: bytes) -> int:
        return _native.crdt_peer_version(self._db(), site_id)

    def __setitem__(self, site_id: bytes, version: int) -> None:
        _native.crdt_peer_set_version(self._db(), site_id, version)

    def __contains__(self, site_id: object) -> bool:
        return any(known == site_id for known in self)

    def __iter__(self) -> Iterator[bytes]:
        db = self._db()
        _native.crdt_open(db)
        rows = Rows.query(
            db,
            "SELECT site_id FROM main.crsql_tracked_peers "
            "WHERE tag = 0 AND event = 0 ORDER BY site_id",
        ).fetchall()
        return (site_id for (site_id,) in rows if isinstance(site_id, bytes))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<rowtide.CrdtPeers {len(self)} known>"


class Crdt:
    """What ``db.crdt`` gives: tables that several databases change and merge.

    >>> phone.crdt.enable("notes")
    >>> laptop.crdt.enable("notes")
    >>> rowtide.sync(phone, laptop)

    For each row, the side wins that deleted it or brought it back last; for each
    cell, the side that changed it more often, and of two that changed it equally
    often the greater value. Whoever has seen the same changes holds the same rows,
    in whatever order they came. Use it in the thread that uses the connection.
    """

    __slots__ = ("_db",)

    def __init__(self, db: Callable[[], Handle]) -> None:
        self._db = db

    # -- Tables

    def open(self) -> None:
        """Give the connection the table ``crsql_changes`` and the SQL functions.

        All other methods do it by themselves. A connection that only writes to
        tables that take part needs it, or its writes fail.
        """
        _native.crdt_open(self._db())

    def enable(self, table: str) -> None:
        """Let a table take part; rows that it has become changes.

        It needs a primary key that is NOT NULL, defaults for other columns that are,
        and no other UNIQUE index, AUTOINCREMENT or foreign keys: else
        :class:`~rowtide.SchemaError` says what it is.
        """
        _native.crdt_enable(self._db(), table)

    def disable(self, table: str) -> None:
        """Take a table out, forgetting what changed when; rows are kept."""
        _native.crdt_disable(self._db(), table)

    def is_enabled(self, table: str) -> bool:
        """Tell whether a table takes part."""
        return _native.crdt_is_enabled(self._db(), table)

    @contextlib.contextmanager
    def alter(self, table: str) -> Iterator[None]:
        """Alter the columns of a table in a ``with`` block.

        The block is one transaction, or a savepoint in the caller's. If it raises,
        all of it is undone.
        """
        db = self._db()
        _native.crdt_begin_alter(db, table)
        try:
            yield
            _native.crdt_commit_alter(self._db(), table)
        except BaseException:
            if _native.db_is_open(db) and _native.db_in_transaction(db):
                with contextlib.suppress(Error):
                    _native.crdt_rollback_alter(db, table)
            raise

    # -- Who and when

    @property
    def site_id(self) -> bytes:
        """The name of this database among its peers: 16 bytes."""
        return _native.crdt_site_id(self._db())

    @property
    def version(self) -> int:
        """The version of the last committed change; 0 if there is none."""
        return _native.crdt_version(self._db())

    # -- Changes

    def pull(
        self,
        since: int = 0,
        *,
        until: int | None = None,
        exclude: Buffer | None = None,
        tables: str | Iterable[str] | None = None,
        only_local: bool = False,
    ) -> CrdtChanges:
        """Read changes, the oldest first, as they are asked for.

        Gives those with a ``db_version`` after `since`, up to `until`; not those made
        by the site `exclude`, usually the one that will merge them; only those of
        some tables; or only those that this database made itself. Hand the iterator
        to :meth:`Connection.merge` of another database, or take its
        :class:`CrdtChange` values one by one. Without `until` it gives what is
        committed: nobody who merged the rest would hear of a rollback.
        """
        options = pull_options(since, until, exclude, tables, only_local)
        return CrdtChanges(_native.crdt_pull_open(self._db(), options), self._db)

    @overload
    def payload(
        self,
        since: int = 0,
        *,
        until: int | None = None,
        exclude: Buffer | None = None,
        tables: str | Iterable[str] | None = None,
        only_local: bool = False,
        chunk_size: int = 0,
        to: None = None,
    ) -> bytes: ...

    @overload
    def payload(
        self,
        since: int = 0,
        *,
        until: int | None = None,
        exclude: Buffer | None = None,
        tables: str | Iterable[str] | None = None,
        only_local: bool = False,
        chunk_size: int = 0,
        to: Sink,
    ) -> None: ...

    def payload(
        self,
        since: int = 0,
        *,
        until: int | None = None,
        exclude: Buffer | None = None,
        tables: str | Iterable[str] | None = None,
        only_local: bool = False,
        chunk_size: int = 0,
        to: Sink | None = None,
    ) -> bytes | None:
        """As :meth:`pull`, compressed into bytes, or written to a path or writer.

        A payload also says how far it reaches, so that whoever merges it need not
        keep that. Memory holds one chunk of `chunk_size` bytes, 0 for 256 KiB.
        """
        options = pull_options(since, until, exclude, tables, only_local, chunk_size)
        if to is not None:
            with open_sink(to) as out:
                _native.crdt_pull_payload(self._db(), options, out)
            return None
        parts: list[bytes] = []
        sink = writer_sink(parts.append)
        _native.crdt_pull_payload(self._db(), options, sink)
        _native.sink_close(sink)
        return b"".join(parts)

    # -- Peers

    def fetch(self, other: AnyConnection) -> CrdtReport:
        """Bring what is new in another database into this one.

        How far it got is remembered here, and nothing is written there.
        """
        from .db import handle_of

        return CrdtReport(_native.crdt_fetch(self._db(), handle_of(other)))

    @property
    def peers(self) -> CrdtPeers:
        """How far this database has come in pulling from others."""
        return CrdtPeers(self._db)

    def collect(self, until: int | None = None) -> int:
        """Forget deletions, and say how many; else they are remembered for ever.

        Those with a ``db_version`` up to `until`; without it, those that every known
        peer has seen. A peer that has not seen a deletion then brings the row back.
        """
        if until is not None and until < 1:
            raise InvalidError(f"until is a version from 1 on, not {until}")
        return _native.crdt_collect(self._db(), until or 0)

    def convert(self) -> int:
        """Take over a database of cr-sqlite 0.16, and say how many tables.

        The tables that take part there take part here, with the same changes. It is
        all or nothing; cr-sqlite cannot use the database any more.
        """
        return _native.crdt_convert(self._db())

    def __repr__(self) -> str:
        return f"<rowtide.Crdt of site {self.site_id.hex()} at {self.version}>"


def pull_options(
    since: int,
    until: int | None,
    exclude: Buffer | None,
    tables: str | Iterable[str] | None,
    only_local: bool,
    chunk_size: int = 0,
) -> PullOptions:
    """Bring the options of a pull into the form of the native call."""
    if until == 0:
        tables = ()  # nothing; for the native call 0 is no limit
    if chunk_size < 0:
        raise InvalidError(f"chunk_size is not below 0, but {chunk_size}")
    return (
        since,
        until or 0,
        None if exclude is None else bytes(memoryview(exclude)),
        bool(only_local),
        None if tables is None else table_names(tables),
        chunk_size,
    )


def merge_changes(db: Handle, changes: Mergeable) -> CrdtReport:
    """Merge rows, or a payload."""
    if isinstance(changes, (bytes, bytearray, memoryview)) or is_stream(changes):
        source = open_source(changes)
        return CrdtReport(_native.crdt_merge_payload(db, source))
    if not isinstance(changes, Iterable):
        raise TypeError(
            "changes are rows, payload bytes, a path or something with read(), "
            f"not {type(changes).__name__}"
        )
    merge = _native.crdt_merge_begin(db)
    try:
        _native.crdt_merge_rows(merge, changes)
        return CrdtReport(_native.crdt_merge_end(merge))
    finally:
        del merge  # now, or a traceback would keep the transaction open


def sync(a: AnyConnection, b: AnyConnection) -> None:
    """Bring two databases to the same state: each fetches from the other."""
    from .db import handle_of

    _native.crdt_sync(handle_of(a), handle_of(b))
