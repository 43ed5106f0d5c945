"""The small things: kinds, actions, and what callbacks are given."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple, final

from . import _native
from ._native import Change
from .errors import make_error


@final
class Undefined(enum.Enum):
    """The type of :data:`UNDEFINED`."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return "UNDEFINED"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED
"""Stands for a column that an update left alone."""

Value = int | float | str | bytes | None
"""What a column of a row can hold."""

Row = tuple[Value | Undefined, ...]
"""One row of a change."""


class ChangeKind(enum.StrEnum):
    """What happened to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class ConflictKind(enum.StrEnum):
    """What stands in the way of a change."""

    DATA = "data"
    """Update or delete: the row is there, but with other values."""
    NOT_FOUND = "not_found"
    """Update or delete: there is no row with this primary key."""
    CONFLICT = "conflict"
    """Insert: a row with this primary key is there already."""
    CONSTRAINT = "constraint"
    """A UNIQUE, CHECK, NOT NULL or type constraint, or a trigger, says no."""
    FOREIGN_KEY = "foreign_key"
    """Once, at the end: foreign keys are violated that were not before."""


class Action(enum.StrEnum):
    """What to do about a conflict."""

    OMIT = "omit"
    """Leave the change out and go on; for a foreign key conflict: commit."""
    REPLACE = "replace"
    """Let the change win; only for ``data`` and ``conflict``."""
    ABORT = "abort"
    """Undo everything and raise :class:`~rowtide.ConflictError`."""


class Conflict:
    """A conflict, as a handler gets it. It stays valid after the handler returns."""

    __slots__ = ("change", "conflicting", "foreign_key_count", "kind", "message")

    kind: ConflictKind
    """What is the matter."""
    change: Change | None
    """The change that cannot be made; None for a foreign key conflict."""
    conflicting: Row | None
    """The row that is in the database, for ``data`` and ``conflict``; else None."""
    foreign_key_count: int
    """How many violations there are, for a foreign key conflict."""
    message: str
    """One line that says what is the matter."""

    def __init__(
        self,
        kind: ConflictKind,
        change: Change | None,
        conflicting: Row | None,
        foreign_key_count: int,
        message: str,
    ) -> None:
        self.kind = kind
        self.change = change
        self.conflicting = conflicting
        self.foreign_key_count = foreign_key_count
        self.message = message

    def __repr__(self) -> str:
        return f"<rowtide.Conflict {self.kind}: {self.message}>"


class Progress(NamedTuple):
    """How far a long call has come."""

    phase: str
    """What is being done, such as ``"apply"``."""
    done: int
    """Units finished so far: bytes or rows."""
    total: int
    """Units in all, -1 if that is not known."""
    label: str | None
    """The table or file in work."""


class Counts(NamedTuple):
    """How many changes of each kind a table has."""

    inserts: int
    updates: int
    deletes: int
    indirect: int
    """How many of all of them are indirect."""

    @property
    def total(self) -> int:
        """All changes of the table."""
        return self.inserts + self.updates + self.deletes


_native.setup(
    make_error,
    Conflict,
    Progress,
    UNDEFINED,
    ChangeKind.INSERT,
    ChangeKind.UPDATE,
    ChangeKind.DELETE,
    tuple(ConflictKind),
)
