"""Changesets as values: look at them, and compute with them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from . import _native
from ._native import Change, ChangeIterator, Handle
from ._types import RenderOptions
from .errors import InvalidError, MisuseError
from .stream import Buffer, Sink, Source, open_source, writer_sink
from .tables import Tables, table_filter
from .values import UNDEFINED, ChangeKind, Counts, Undefined, Value

if TYPE_CHECKING:
    from .apply import Report
    from .db import AnyConnection

__all__ = ["Builder", "Changeset"]


class AnyChangeset:
    """What a changeset can do; a capture that has ended can do it too."""

    __slots__ = ()

    def _get(self) -> Handle:
        raise NotImplementedError

    # -- Looking at it

    def __bytes__(self) -> bytes:
        return _native.changeset_bytes(self._get())

    def __buffer__(self, flags: int, /) -> memoryview:
        return memoryview(bytes(self))

    def __len__(self) -> int:
        return _native.changeset_change_count(self._get())

    def __iter__(self) -> ChangeIterator:
        return ChangeIterator(_native.changeset_iter_new(self._get(), 0), None)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return _native.changeset_size(self._get())

    @property
    def is_patchset(self) -> bool:
        """True for the smaller form, which cannot be inverted or rebased."""
        return bool(_native.changeset_is_patchset(self._get()))

    @property
    def tables(self) -> dict[str, Counts]:
        """The tables it changes, in order, and how many changes each has."""
        handle = self._get()
        return {
            _native.changeset_table_name(handle, index): Counts(
                *_native.changeset_table_counts(handle, index)
            )
            for index in range(_native.changeset_table_count(handle))
        }

    # -- Computing with it

    def invert(self) -> Changeset:
        """Make the changeset that undoes this one; ``~changeset`` does the same.

        A patchset raises :class:`~rowtide.InvalidError`: it has no old values.
        """
        return Changeset._wrap(_native.changeset_invert(self._get()))

    def __invert__(self) -> Changeset:
        return self.invert()

    def __add__(self, other: AnyChangeset) -> Changeset:
        if not isinstance(other, AnyChangeset):
            return NotImplemented
        return Changeset.concat((self, other))

    def filter(self, tables: Tables) -> Changeset:
        """Keep only the changes of some tables: a name, names, or a callable."""
        choose = table_filter(tables)
        return Changeset._wrap(_native.changeset_filter(self._get(), choose))

    def rebase(self, onto: Report | Buffer) -> Changeset:
        """Make these local changes as if made after remote ones.

        `onto` is the report of applying the remote changes over these, or its
        ``rebase`` bytes.
        """
        data = onto if isinstance(onto, (bytes, bytearray, memoryview)) else onto.rebase
        return Changeset._wrap(_native.changeset_rebase(self._get(), data))

    # -- Giving it away

    def write(self, sink: Sink) -> None:
        """Write the bytes to a path, which then appears at once, or a writer."""
        data = bytes(self)
        if not isinstance(sink, (str, os.PathLike)):
            view = memoryview(data)
            while view:
                taken = sink.write(bytes(view))
                view = view[taken if isinstance(taken, int) else len(view) :]
            return
        path = os.fsencode(sink)
        directory = os.path.dirname(path) or b"."
        number, beside = tempfile.mkstemp(prefix=b".rowtide-", dir=directory)
        try:
            with open(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(number)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(beside, 0o666 & ~mask)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise

    def to_json(self, names: AnyConnection | None = None, *, compact: bool = False) -> str:
        """Give it as JSON, from which :meth:`Changeset.from_json` makes the same.

        `names` is a connection whose tables give the column names.
        """
        flags = _native.RENDER_COMPACT if compact else 0
        return self._render(_native.changeset_to_json, names, flags)

    def to_sql(self, names: AnyConnection) -> str:
        """Give SQL statements that do what it does, one to a line.

        `names` is a connection that has the tables.
        """
        return self._render(_native.changeset_to_sql, names)

    def to_text(
        self, names: AnyConnection | None = None, *, color: bool = False, limit: int = 0
    ) -> str:
        """Give a listing for people; `limit` changes of it, 0 for all."""
        flags = _native.RENDER_COLOR if color else 0
        return self._render(_native.changeset_to_text, names, flags, limit)

    def to_html(
        self,
        names: AnyConnection | None = None,
        *,
        title: str | None = None,
        limit: int = 0,
    ) -> str:
        """Give one HTML page, old and new values side by side."""
        return self._render(_native.changeset_to_html, names, 0, limit, title)

    def _render(
        self,
        how: Callable[[Handle, RenderOptions, Handle], None],
        names: AnyConnection | None,
        flags: int = 0,
        limit: int = 0,
        title: str | None = None,
    ) -> str:
        from .db import handle_of

        parts: list[bytes] = []
        sink = writer_sink(parts.append)
        db = None if names is None else handle_of(names)
        how(open_source(self), (db, flags, limit, title), sink)
        _native.sink_close(sink)
        return b"".join(parts).decode("utf-8", "surrogateescape")


class Changeset(AnyChangeset):
    """What a piece of work did to the rows of tables. Immutable.

    It is a value: iterate over it, take its ``len()`` (the number of changes) and
    its ``bytes()``, compare, hash, copy and pickle it, undo it with ``~``, join two
    with ``+``. The bytes are those of SQLite's session extension. They are checked
    completely on the way in: :class:`~rowtide.CorruptError` tells the byte that is
    wrong. Any number of threads may use one changeset.
    """

    __slots__ = ("__weakref__", "_handle", "_hash")

    _handle: Handle
    _hash: int | None

    def __init__(self, data: Buffer = b"", /) -> None:
        self._handle = _native.changeset_parse(data)
        self._hash = None

    @classmethod
    def _wrap(cls, handle: Handle) -> Self:
        self = cls.__new__(cls)
        self._handle = handle
        self._hash = None
        return self

    def _get(self) -> Handle:
        return self._handle

    @classmethod
    def read(cls, source: Source) -> Self:
        """Read a whole file or reader and check it."""
        return cls._wrap(_native.changeset_read(open_source(source)))

    @classmethod
    def from_json(cls, text: str | Buffer) -> Self:
        """Make it of what :meth:`to_json` gave."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        return cls._wrap(_native.changeset_from_json(data))

    @classmethod
    def concat(cls, changesets: Iterable[AnyChangeset]) -> Self:
        """Join any number of changesets, in one pass over all of them."""
        handles = [changeset._get() for changeset in changesets]
        return cls._wrap(_native.changeset_concat(handles))

    @classmethod
    def build(cls, changes: Iterable[Change], *, patchset: bool = False) -> Changeset:
        """Put together changes that came out of other changesets."""
        builder = Builder(patchset=patchset)
        for change in changes:
            builder.add(change)
        return builder.finish()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Changeset):
            return NotImplemented
        return self is other or (self.size == other.size and bytes(self) == bytes(other))

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(bytes(self))
        return self._hash

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (bytes(self),)

    def __repr__(self) -> str:
        form = "patchset, " if self.is_patchset else ""
        tables = _native.changeset_table_count(self._handle)
        return (
            f"<rowtide.Changeset {form}{counted(len(self), 'change')} in "
            f"{counted(tables, 'table')}, {counted(self.size, 'byte')}>"
        )


def counted(number: int, noun: str) -> str:
    """Say how many of something there are."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


KIND_CODES = {
    ChangeKind.DELETE: _native.CHANGE_DELETE,
    ChangeKind.INSERT: _native.CHANGE_INSERT,
    ChangeKind.UPDATE: _native.CHANGE_UPDATE,
}

RowLike = Sequence[Value | Undefined] | Mapping[str, Value | Undefined]
"""A row: values in the order of the columns, or by column name."""


def key_bytes(columns: Sequence[int], count: int) -> bytes:
    """Write the place of each column in the key, 0 if it has none."""
    places = bytearray(count)
    for place, column in enumerate(columns, 1):
        places[column] = min(place, 255)
    return bytes(places)


class Builder:
    """Puts a changeset together row by row. Use it in one thread at a time.

    >>> builder = rowtide.Builder()
    >>> builder.table("users", columns=["id", "name"], primary_key=["id"])
    >>> builder.insert((1, "Ada"))
    >>> builder.update({"id": 2, "name": "Al"}, {"name": "Alan"})
    >>> builder.finish()
    <rowtide.Changeset 2 changes in 1 table, 35 bytes>
    """

    __slots__ = ("_count", "_handle", "_key", "_name", "_names")

    def __init__(self, *, patchset: bool = False) -> None:
        self._handle = _native.changeset_builder_new(int(patchset))
        self._name: str | None = None
        self._names: tuple[str, ...] | None = None
        self._count = 0
        self._key = b""

    def table(
        self, name: str, columns: int | Sequence[str], primary_key: Sequence[int | str]
    ) -> None:
        """Say which table the following rows belong to, and what it looks like.

        `columns` is their number, or their names if rows are to be given by name.
        `primary_key` lists the key's columns, by index or name, in key order.
        """
        if isinstance(columns, str) or isinstance(primary_key, str):
            raise TypeError("columns and primary_key are sequences of names, not one name")
        names = None if isinstance(columns, int) else tuple(columns)
        count = columns if isinstance(columns, int) else len(columns)
        places = [column_index(name, column, names, count) for column in primary_key]
        self._name, self._names, self._count = name, names, count
        self._key = key_bytes(places, count)

    def insert(self, new: RowLike, *, indirect: bool = False) -> None:
        """Add an insert; every column has a value."""
        self._add(ChangeKind.INSERT, None, new, indirect)

    def update(self, old: RowLike, new: RowLike, *, indirect: bool = False) -> None:
        """Add an update.

        `old` has the primary key. Columns that do not change are UNDEFINED in both,
        or equal. The key cannot change: that is a delete and an insert.
        """
        self._add(ChangeKind.UPDATE, old, new, indirect)

    def delete(self, old: RowLike, *, indirect: bool = False) -> None:
        """Add a delete; every column has a value, in a patchset only the key."""
        self._add(ChangeKind.DELETE, old, None, indirect)

    def add(self, change: Change) -> None:
        """Add a change that came out of another changeset, for its own table."""
        row = change.old if change.old is not None else change.new
        assert row is not None
        _native.changeset_builder_add(
            self._handle,
            change.table,
            KIND_CODES[change.kind],
            int(change.indirect),
            key_bytes(change.key_columns, len(row)),
            change.old,
            change.new,
        )

    def finish(self) -> Changeset:
        """Make the changeset; the builder starts again from empty.

        Several changes of one row become one, as in :meth:`Changeset.concat`.
        """
        return Changeset._wrap(_native.changeset_builder_finish(self._handle))

    def _add(
        self, kind: ChangeKind, old: RowLike | None, new: RowLike | None, indirect: bool
    ) -> None:
        if self._name is None:
            raise MisuseError("the builder needs a table before its rows")
        _native.changeset_builder_add(
            self._handle,
            self._name,
            KIND_CODES[kind],
            int(indirect),
            self._key,
            None if old is None else self._row(self._name, old),
            None if new is None else self._row(self._name, new),
        )

    def _row(self, table: str, row: RowLike) -> tuple[Value | Undefined, ...]:
        if not isinstance(row, Mapping):
            values = tuple(row)
            if len(values) != self._count:
                raise InvalidError(
                    f'table "{table}": a row needs {counted(self._count, "value")}, '
                    f"not {len(values)}"
                )
            return values
        if self._names is None:
            raise TypeError(f'table "{table}": the names of its columns are not known')
        for column in row:
            column_index(table, column, self._names, self._count)
        return tuple(row.get(name, UNDEFINED) for name in self._names)


def column_index(
    table: str, column: int | str, names: tuple[str, ...] | None, count: int
) -> int:
    """Find a column by its name or check its index."""
    if isinstance(column, str):
        if names is None or column not in names:
            raise InvalidError(f'table "{table}": there is no column "{column}"')
        return names.index(column)
    if not 0 <= column < count:
        raise InvalidError(f'table "{table}": there is no column {column}')
    return column
