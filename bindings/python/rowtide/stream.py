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
from typing import TYPE_CHECKING, Protocol

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


class OpenSource:
    """A source handle, and what must live as long as it."""

    __slots__ = ("handle", "keep")

    handle: Handle
    keep: object

    def __init__(self, source: Source) -> None:
        self.keep = source
        get: Callable[[], Handle] | None = getattr(source, "_get", None)
        if get is not None:
            changeset = get()
            self.keep = changeset
            self.handle = _native.source_changeset(changeset)
        elif isinstance(source, (str, os.PathLike)):
            self.handle = _native.source_file(os.fsencode(source))
        elif isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
            self.keep = data
            self.handle = _native.source_memory(data)
        elif hasattr(source, "read"):
            read: Callable[[int], bytes] = source.read
            self.keep = read
            self.handle = _native.source_callback(read)
        else:
            raise TypeError(
                "a source is a path, bytes, a changeset or something with read(), "
                f"not {type(source).__name__}"
            )


def is_stream(source: object) -> bool:
    """Tell whether bytes are still to be read."""
    return isinstance(source, (str, os.PathLike)) or callable(getattr(source, "read", None))


@contextlib.contextmanager
def open_sink(sink: Sink) -> Iterator[Handle]:
    """Give a sink handle, and finish it if all went well."""
    if isinstance(sink, (str, os.PathLike)):
        handle = _native.sink_file(os.fsencode(sink))
    elif hasattr(sink, "write"):
        write = sink.write  # a sink does not hold what it calls
        handle = _native.sink_callback(write)
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
    opened = OpenSource(source)
    flags = _native.ITER_INVERT if invert else 0
    return ChangeIterator(_native.changeset_iter_stream(opened.handle, flags), opened)


def invert(source: Source, sink: Sink) -> None:
    """Write the changeset that undoes the source."""
    opened = OpenSource(source)
    with open_sink(sink) as out:
        _native.changeset_invert_stream(opened.handle, out)


def concat(sources: Iterable[Source], sink: Sink) -> None:
    """Write what all sources do, one after the other, as one changeset."""
    opened = [OpenSource(source) for source in sources]
    with open_sink(sink) as out:
        _native.changeset_concat_stream([item.handle for item in opened], out)


def filter(source: Source, tables: Tables, sink: Sink) -> None:
    """Write only the changes of the chosen tables."""
    opened = OpenSource(source)
    with open_sink(sink) as out:
        _native.changeset_filter_stream(opened.handle, table_filter(tables), out)


def rebase(source: Source, onto: Report | Buffer, sink: Sink) -> None:
    """Write local changes as if made after remote ones that were applied over them.

    `onto` is the report of that apply, or its ``rebase`` bytes.
    """
    data = onto if isinstance(onto, (bytes, bytearray, memoryview)) else onto.rebase
    opened = OpenSource(source)
    with open_sink(sink) as out:
        _native.changeset_rebase_stream(opened.handle, data, out)
