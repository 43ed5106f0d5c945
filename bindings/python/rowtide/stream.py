"""Changesets that are too large for memory, a chunk at a time.

A source is a path, bytes, a changeset, or anything with ``read(size)`` that
returns bytes. A sink is a path or anything with ``write(data)``. A file that is
written through a path appears complete or not at all.

Memory holds one chunk of 64 KiB and one change; for :func:`concat` it holds the
result, for :func:`rebase` the rebase data. Errors in a reader or writer come out
unchanged.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeGuard

from . import _native
from ._native import ChangeIterator, Handle
from .tables import Tables, table_filter

if TYPE_CHECKING:
    from .apply import Report

__all__ = ["Reader", "Writer", "concat", "filter", "invert", "iterate", "rebase"]


class Reader(Protocol):
    """Anything that gives bytes, such as an open binary file."""

    def read(self, size: int, /) -> bytes:
        """Give at most `size` bytes; none at the end."""
        ...


class Writer(Protocol):
    """Anything that takes bytes, such as an open binary file."""

    def write(self, data: bytes, /) -> object:
        """Take the bytes, or the first of them, and say how many."""
        ...


class Checked(Protocol):
    """A changeset, or what can be used as one."""

    def _get(self) -> Handle: ...


Buffer = bytes | bytearray | memoryview
Path = str | os.PathLike[str] | os.PathLike[bytes]
Source = Path | Buffer | Reader | Checked
Sink = Path | Writer


def open_source(source: Source) -> Handle:
    """Give a source handle, which keeps what it reads from."""
    get: Callable[[], Handle] | None = getattr(source, "_get", None)
    if get is not None:
        changeset = get()
        handle = _native.source_changeset(changeset)
        handle.keep = changeset
    elif isinstance(source, (str, os.PathLike)):
        handle = _native.source_file(os.fsencode(source))
    elif isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        handle = _native.source_memory(data)
        handle.keep = data
    elif hasattr(source, "read"):
        read: Callable[[int], bytes] = source.read
        handle = _native.source_callback(read)
        handle.keep = read
    else:
        raise TypeError(
            "a source is a path, bytes, a changeset or something with read(), "
            f"not {type(source).__name__}"
        )
    return handle


def is_stream(source: object) -> TypeGuard[Path | Reader]:
    """Tell whether bytes are still to be read."""
    return isinstance(source, (str, os.PathLike)) or callable(getattr(source, "read", None))


def writer_sink(write: Callable[[bytes], object]) -> Handle:
    """Give a sink handle that calls a function."""
    handle = _native.sink_callback(write)
    handle.keep = write
    return handle


@contextlib.contextmanager
def open_sink(sink: Sink) -> Iterator[Handle]:
    """Give a sink handle, and finish it if all went well."""
    if isinstance(sink, (str, os.PathLike)):
        handle = _native.sink_file(os.fsencode(sink))
    elif hasattr(sink, "write"):
        handle = writer_sink(sink.write)
    else:
        raise TypeError(
            f"a sink is a path or something with write(), not {type(sink).__name__}"
        )
    yield handle
    _native.sink_close(handle)


def iterate(source: Source, *, invert: bool = False) -> ChangeIterator:
    """Give the changes of a source one by one, or their inverses.

    Corrupt bytes raise :class:`~rowtide.CorruptError` when they are reached.
    """
    handle = open_source(source)
    flags = _native.ITER_INVERT if invert else 0
    return ChangeIterator(_native.changeset_iter_stream(handle, flags), handle)


def invert(source: Source, sink: Sink) -> None:
    """Write the changeset that undoes the source."""
    handle = open_source(source)
    with open_sink(sink) as out:
        _native.changeset_invert_stream(handle, out)


def concat(sources: Iterable[Source], sink: Sink) -> None:
    """Write what all sources do, one after the other, as one changeset."""
    handles = [open_source(source) for source in sources]
    with open_sink(sink) as out:
        _native.changeset_concat_stream(handles, out)


def filter(source: Source, tables: Tables, sink: Sink) -> None:
    """Write only the changes of the chosen tables."""
    handle = open_source(source)
    with open_sink(sink) as out:
        _native.changeset_filter_stream(handle, table_filter(tables), out)


def rebase(source: Source, onto: Report | Buffer, sink: Sink) -> None:
    """Write local changes as if made after remote ones that were applied over them.

    `onto` is the report of that apply, or its ``rebase`` bytes.
    """
    data = onto if isinstance(onto, (bytes, bytearray, memoryview)) else onto.rebase
    handle = open_source(source)
    with open_sink(sink) as out:
        _native.changeset_rebase_stream(handle, data, out)
