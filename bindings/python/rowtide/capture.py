"""Record what a block of code changes."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from . import _native
from ._native import Handle
from ._types import CaptureOptions
from .changeset import AnyChangeset, Changeset
from .errors import MisuseError
from .stream import Sink, open_sink
from .tables import LateFilter, Tables, table_filter, table_names


def capture_options(
    tables: tuple[str, ...],
    schema: str | None,
    filter: LateFilter | None,
    flags: int = 0,
    memory_limit: int | None = None,
) -> CaptureOptions:
    """Bring the options of a capture into the form of the native call."""
    return (schema, table_names(tables) or None, filter, flags, memory_limit or 0)


def late_filter(tables: Tables | None) -> LateFilter:
    """Wrap the filter of a capture; no filter chooses every table."""
    return LateFilter(table_filter(tables) if tables is not None else lambda table: True)


class Capture(AnyChangeset):
    """Records the writes of a ``with`` block on one connection.

    >>> with db.capture("users") as change:
    ...     db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    >>> for op in change:
    ...     print(op.kind, op.primary_key)

    After the block it can do what a :class:`Changeset` can; before its end that
    raises :class:`~rowtide.MisuseError`. An exception in the block ends the recording
    without a result, and passes on. Transactions are the caller's: what is rolled
    back is not recorded, what is not committed yet is.

    Captures may be nested and may run side by side. Use it in the thread that uses
    the connection.
    """

    __slots__ = (
        "__weakref__", "_changeset", "_db", "_enabled", "_ended", "_filter", "_handle",
        "_indirect", "_options", "_state",
    )  # fmt: skip

    def __init__(
        self,
        db: Callable[[], Handle],
        tables: tuple[str, ...],
        *,
        schema: str,
        filter: Tables | None,
        patchset: bool,
        indirect: bool,
        track_size: bool,
        memory_limit: int | None,
    ) -> None:
        flags = (
            _native.CAPTURE_PATCHSET * patchset
            | _native.CAPTURE_INDIRECT * indirect
            | _native.CAPTURE_SIZE * track_size
        )
        self._db = db
        self._filter = late_filter(filter)
        chosen = None if filter is None else self._filter
        self._options = capture_options(tables, schema, chosen, flags, memory_limit)
        self._handle: Handle | None = None
        self._ended: Handle | None = None
        self._changeset: Changeset | None = None
        self._state = "has not begun"
        self._indirect = bool(indirect)
        self._enabled = True

    # -- Beginning and end

    def __enter__(self) -> Self:
        if self._handle is not None or self._state != "has not begun":
            raise MisuseError("a capture can be used once")
        with self._filter:
            self._handle = _native.capture_begin(self._db(), self._options)
        self._state = "is still recording"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if kind is not None:
            self._state = "was cancelled by an exception"
            del handle
            return
        self._state = "failed"
        with self._filter:
            self._changeset = Changeset._wrap(_native.capture_end(handle))
        self._state, self._ended = "ended", handle

    def cancel(self) -> None:
        """Stop recording without a result; what was written stays written."""
        handle = self._recording()
        self._handle, self._state = None, "was cancelled"
        _native.capture_cancel(handle)

    def stream_to(self, sink: Sink) -> None:
        """Stop recording and write the changeset a chunk at a time.

        The changeset is then in the sink only: the capture has none.
        """
        handle = self._recording()
        self._handle, self._state = None, "was written to a stream"
        with self._filter, open_sink(sink) as out:
            _native.capture_end_stream(handle, out)

    def peek(self) -> Changeset:
        """Give what was recorded so far and go on recording."""
        with self._filter:
            return Changeset._wrap(_native.capture_peek(self._recording()))

    @property
    def changeset(self) -> Changeset:
        """The result, once the block has ended."""
        if self._changeset is None:
            raise MisuseError(f"the capture has no changeset: it {self._state}")
        return self._changeset

    def _get(self) -> Handle:
        return self.changeset._get()

    def _recording(self) -> Handle:
        if self._handle is None:
            raise MisuseError(f"the capture does not record: it {self._state}")
        return self._handle

    # -- While it records

    @property
    def is_open(self) -> bool:
        """True while it records; its connection may have been closed under it."""
        return self._handle is not None and bool(_native.capture_is_open(self._handle))

    @property
    def is_empty(self) -> bool:
        """True if no row was touched so far."""
        return bool(_native.capture_is_empty(self._recording()))

    @property
    def indirect(self) -> bool:
        """Set it to mark the changes that follow as indirect."""
        return self._indirect

    @indirect.setter
    def indirect(self, value: bool) -> None:
        _native.capture_set_indirect(self._recording(), int(value))
        self._indirect = bool(value)

    @property
    def enabled(self) -> bool:
        """Set it to False to pause, to True to resume."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        _native.capture_set_enabled(self._recording(), int(value))
        self._enabled = bool(value)

    @property
    def memory_used(self) -> int:
        """Bytes of memory that the recording takes."""
        return _native.capture_memory_used(self._recording())

    @property
    def size_bound(self) -> int | None:
        """An upper bound for the bytes of the changeset; None without `track_size`."""
        size = _native.capture_size(self._recording())
        return None if size < 0 else size

    @property
    def skipped(self) -> dict[str, str]:
        """Tables that cannot be recorded, and why: no primary key, virtual, ...

        May be asked after the end as well, while the connection is open.
        """
        handle = self._ended or self._recording()
        count = _native.capture_skipped_count(handle)
        return dict(_native.capture_skipped(handle, index) for index in range(count))

    def __repr__(self) -> str:
        if self._changeset is not None:
            return f"<rowtide.Capture ended: {self._changeset!r}>"
        return f"<rowtide.Capture that {self._state}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a capture cannot be pickled; its changeset can")


class Recording:
    """A ``with`` block that records and commits together, or leaves no trace.

    Begins a transaction, or a savepoint inside the caller's one. An exception in
    the block undoes everything.
    """

    __slots__ = ("_filter", "_options", "_state")

    def __init__(
        self,
        tables: tuple[str, ...],
        schema: str | None,
        filter: Tables | None,
    ) -> None:
        self._filter = late_filter(filter)
        chosen = None if filter is None else self._filter
        self._options = capture_options(tables, schema, chosen)
        self._state = "has not begun"

    def _begin(self) -> None:
        raise NotImplementedError

    def _commit(self) -> None:
        raise NotImplementedError

    def _rollback(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        if self._state != "has not begun":
            raise MisuseError(f"it can be used once: the recording {self._state}")
        with self._filter:
            self._begin()
        self._state = "is still recording"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._state = "was undone by an exception"
            try:
                self._rollback()
            except Exception as second:
                if error is not None:
                    error.add_note(f"and undoing what the block did failed: {second}")
            return
        self._state = "failed"
        with self._filter:
            self._commit()
        self._state = "ended"

    def __repr__(self) -> str:
        return f"<rowtide.{type(self).__name__} that {self._state}>"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a recording cannot be pickled")
