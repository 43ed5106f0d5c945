"""One-way replication: numbered changesets through a directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import _native
from ._native import Handle
from .apply import OnConflict, apply_options
from .capture import Recording
from .changeset import AnyChangeset
from .closing import Closing
from .stream import Path
from .tables import Tables


class PrimaryRecording(Recording):
    """The ``with`` block of :meth:`Primary.record`."""

    __slots__ = ("_number", "_primary")

    def __init__(
        self, primary: Primary, tables: tuple[str, ...], filter: Tables | None
    ) -> None:
        super().__init__(tables, None, filter)
        self._primary = primary
        self._number: int | None = None

    def _begin(self) -> None:
        _native.primary_begin(self._primary._get(), self._options)

    def _commit(self) -> None:
        self._number = _native.primary_commit(self._primary._get()) or None

    def _rollback(self) -> None:
        _native.primary_rollback(self._primary._get())

    @property
    def number(self) -> int | None:
        """The number of the changeset; None if nothing was changed."""
        return self._number


class Primary(Closing):
    """The writing end: puts numbered changesets into a directory.

    A changeset is written into the database in the transaction of its changes, and
    then as a file; a crash between the two is made good by the next
    :meth:`publish`. Use it in the thread that uses the connection; ``close()`` or
    ``with`` ends it.
    """

    __slots__ = ()

    _name = "primary"

    def __init__(self, db: Callable[[], Handle], directory: Path) -> None:
        super().__init__(_native.primary_open(db(), os.fsencode(directory)))

    def record(self, *tables: str, filter: Tables | None = None) -> PrimaryRecording:
        """Record a ``with`` block, commit it and publish it as the next number.

        Inside the caller's own transaction the file is written by :meth:`publish`
        after the caller's commit. If only the file cannot be written, the commit
        stands, and the next publish catches up.
        """
        return PrimaryRecording(self, tables, filter)

    def append(self, changes: AnyChangeset) -> int | None:
        """Put changes that were captured elsewhere into the sequence."""
        return _native.primary_append(self._get(), changes._get()) or None

    def publish(self) -> int:
        """Write the files that are still missing; say how many there were."""
        return _native.primary_publish(self._get())

    @property
    def position(self) -> int:
        """The number of the last changeset, 0 before the first."""
        return _native.primary_position(self._get())

    def __repr__(self) -> str:
        if self._handle is None:
            return "<rowtide.Primary, closed>"
        return f"<rowtide.Primary at {self.position}>"


class Replica(Closing):
    """The reading end: applies the changesets of a directory in order, each once.

    The number is written down in the transaction of the changes, so it may stop
    anywhere and go on. Use it in the thread that uses the connection; ``close()``
    or ``with`` ends it.
    """

    __slots__ = ()

    _name = "replica"

    def __init__(self, db: Callable[[], Handle], directory: Path) -> None:
        super().__init__(_native.replica_open(db(), os.fsencode(directory)))

    def pull(
        self, *, limit: int | None = None, on_conflict: OnConflict = None, **options: Any
    ) -> int:
        """Apply what is new, at most `limit` changesets; say how many there were.

        The other options are those of :meth:`Connection.apply`. Raises
        :class:`~rowtide.GapError` if a number is missing and later ones are there,
        :class:`~rowtide.CorruptError` if a file is damaged. What was applied before
        stays applied: see :attr:`position`.
        """
        return _native.replica_pull(
            self._get(), limit or 0, apply_options(on_conflict, **options)
        )

    @property
    def position(self) -> int:
        """The number of the last changeset applied, 0 before the first.

        Set it after the database was made from a copy of the primary.
        """
        return _native.replica_position(self._get())

    @position.setter
    def position(self, number: int) -> None:
        _native.replica_set_position(self._get(), number)

    def __repr__(self) -> str:
        if self._handle is None:
            return "<rowtide.Replica, closed>"
        return f"<rowtide.Replica at {self.position}>"
