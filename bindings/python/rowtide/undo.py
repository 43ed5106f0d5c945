"""Undo and redo, step by step, kept in the same database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import _native
from ._native import Handle
from .apply import OnConflict, apply_options
from .capture import Recording
from .closing import Closing
from .tables import Tables


class UndoStep(NamedTuple):
    """One step of the log."""

    id: int
    label: str
    """What was done; empty if it has none."""
    time: str
    """UTC, ISO 8601."""
    size: int
    """Bytes of its changes."""
    undone: bool
    """True if it can be redone, False if it can be undone."""


class UndoRecording(Recording):
    """The ``with`` block of :meth:`UndoLog.step`; ``id`` is the step's number."""

    __slots__ = ("_id", "_label", "_log")

    def __init__(
        self, log: UndoLog, label: str, tables: tuple[str, ...], filter: Tables | None
    ) -> None:
        super().__init__(tables, None, filter)
        self._log = log
        self._label = label
        self._id: int | None = None

    def _begin(self) -> None:
        _native.undo_begin(self._log._get(), self._options)

    def _commit(self) -> None:
        self._id = _native.undo_commit(self._log._get(), self._label) or None

    def _rollback(self) -> None:
        _native.undo_rollback(self._log._get())

    @property
    def id(self) -> int | None:
        """The number of the step; None if nothing was changed."""
        return self._id


class UndoLog(Closing):
    """The undo log of a database, made if it is not there.

    Steps are rows of the table ``rowtide_undo``, so they outlive the program. A new
    step forgets the steps that were undone. Use it in the thread that uses the
    connection; ``close()`` or ``with`` ends it.

    >>> undo = db.undo_log(limit=100)
    >>> with undo.step("rename"):
    ...     db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    >>> undo.undo()
    'rename'
    """

    __slots__ = ()

    _name = "undo log"

    def __init__(self, db: Callable[[], Handle], limit: int, byte_limit: int) -> None:
        super().__init__(_native.undo_open(db(), (limit, byte_limit)))

    def step(
        self, label: str = "", *tables: str, filter: Tables | None = None
    ) -> UndoRecording:
        """Make a ``with`` block one step, in a transaction of its own.

        Records the given tables, else all that can be. If nothing changes there is
        no step. An exception undoes the block and leaves no step.
        """
        return UndoRecording(self, label, tables, filter)

    def undo(self, on_conflict: OnConflict = None) -> str | None:
        """Take back the newest step that is not undone; give its label.

        None if there is no such step. `on_conflict` is for rows that were changed
        around the log, as in :meth:`Connection.apply`.
        """
        return _native.undo_undo(self._get(), apply_options(on_conflict))

    def redo(self, on_conflict: OnConflict = None) -> str | None:
        """Do the step again that was undone last; as :meth:`undo`."""
        return _native.undo_redo(self._get(), apply_options(on_conflict))

    @property
    def undoable(self) -> int:
        """How many steps can be undone."""
        return _native.undo_counts(self._get())[0]

    @property
    def redoable(self) -> int:
        """How many steps can be redone."""
        return _native.undo_counts(self._get())[1]

    def steps(self) -> Iterator[UndoStep]:
        """Give the steps, the oldest first."""
        index = 0
        while (step := _native.undo_step_at(self._get(), index)) is not None:
            yield UndoStep(*step)
            index += 1

    def clear(self) -> None:
        """Forget all steps."""
        _native.undo_clear(self._get())

    def __repr__(self) -> str:
        if self._handle is None:
            return "<rowtide.UndoLog, closed>"
        return f"<rowtide.UndoLog {self.undoable} to undo, {self.redoable} to redo>"
