"""Apply a changeset, and decide about conflicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from . import _native
from ._native import Change, Handle
from ._types import ApplyOptions
from .changeset import AnyChangeset, Changeset
from .stream import Source, is_stream, open_source
from .tables import Tables, table_filter
from .values import Action, Conflict, ConflictKind, Progress

Handler = Callable[[Conflict], Action | str]
"""Decides about one conflict: ``"omit"``, ``"replace"`` or ``"abort"``."""

Policy = Action | str | Mapping[ConflictKind | str, Action | str]
"""Decides without asking: one action for all conflicts, or one for each kind."""

OnConflict = Policy | Handler | None

ProgressCallback = Callable[[Progress], object]
"""Is told at most ten times a second; returning False cancels the call."""


class TableReport(NamedTuple):
    """What an apply did to one table."""

    applied: int
    """Changes made, replaced ones among them."""
    omitted: int
    """Changes left out by a conflict action."""
    replaced: int
    """Changes that won over a conflicting row."""
    skipped: int
    """Changes left out by a filter, a flag, or because the table does not fit."""
    skip_reason: str | None
    """Why the table does not fit, if it does not."""


class Report:
    """What an apply did. Immutable."""

    __slots__ = ("rebase", "tables", "total")

    tables: Mapping[str, TableReport]
    """Each table of the changeset, in order."""
    total: TableReport
    """The sum over all tables."""
    rebase: bytes
    """For :meth:`Changeset.rebase`; empty if there was nothing to decide."""

    def __init__(self, handle: Handle) -> None:
        lines = (
            _native.report_table_at(handle, index)
            for index in range(_native.report_table_count(handle))
        )
        self.tables = {line[0] or "": TableReport(*line[1:]) for line in lines}
        self.total = TableReport(*_native.report_total(handle)[1:])
        self.rebase = _native.report_rebase(handle)

    @property
    def applied(self) -> int:
        """Changes made, replaced ones among them."""
        return self.total.applied

    @property
    def omitted(self) -> int:
        """Changes left out by a conflict action."""
        return self.total.omitted

    @property
    def replaced(self) -> int:
        """Changes that won over a conflicting row."""
        return self.total.replaced

    @property
    def skipped(self) -> int:
        """Changes left out by a filter, a flag, or a table that does not fit."""
        return self.total.skipped

    def __repr__(self) -> str:
        return (
            f"<rowtide.Report {self.applied} applied, {self.omitted} omitted, "
            f"{self.replaced} replaced, {self.skipped} skipped>"
        )


ACTION_CODES = {
    Action.OMIT: _native.ACTION_OMIT,
    Action.REPLACE: _native.ACTION_REPLACE,
    Action.ABORT: _native.ACTION_ABORT,
}

KINDS = tuple(ConflictKind)
ABORT_ALL: Mapping[ConflictKind, Action] = dict.fromkeys(KINDS, Action.ABORT)
POLICIES: Mapping[Action, Mapping[ConflictKind, Action]] = {
    Action.ABORT: ABORT_ALL,
    Action.OMIT: {**dict.fromkeys(KINDS, Action.OMIT), ConflictKind.FOREIGN_KEY: Action.ABORT},
    Action.REPLACE: {
        **dict.fromkeys(KINDS, Action.OMIT),
        ConflictKind.DATA: Action.REPLACE,
        ConflictKind.CONFLICT: Action.REPLACE,
        ConflictKind.FOREIGN_KEY: Action.ABORT,
    },
}


def policy_codes(policy: Policy | None) -> tuple[int, int, int, int, int]:
    """Spell out what to do about each kind of conflict."""
    if policy is None:
        chosen = ABORT_ALL
    elif isinstance(policy, str):
        chosen = POLICIES[Action(policy)]
    elif isinstance(policy, Mapping):
        given = {ConflictKind(kind): Action(action) for kind, action in policy.items()}
        chosen = {**ABORT_ALL, **given}
    else:
        raise TypeError(
            "on_conflict is an action, a mapping of kinds to actions or a callable, "
            f"not {type(policy).__name__}"
        )
    data, not_found, conflict, constraint, foreign_key = (
        ACTION_CODES[chosen[kind]] for kind in KINDS
    )
    return data, not_found, conflict, constraint, foreign_key


def apply_options(
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
) -> ApplyOptions:
    """Bring the options of an apply into the form of the native call."""
    chosen = (
        (invert, _native.APPLY_INVERT),
        (ignore_noop, _native.APPLY_IGNORE_NOOP),
        (fk_no_action, _native.APPLY_FK_NO_ACTION),
        (not triggers, _native.APPLY_NO_TRIGGERS),
        (skip_indirect, _native.APPLY_SKIP_INDIRECT),
        (skip_misfits, _native.APPLY_SKIP_MISFITS),
    )
    handler = on_conflict if callable(on_conflict) else None
    policy = None if callable(on_conflict) else on_conflict
    return (
        policy_codes(policy),
        handler,
        None if tables is None else table_filter(tables),
        change_filter,
        sum(flag for wanted, flag in chosen if wanted),
        progress,
    )


def apply_changes(db: Handle, changes: AnyChangeset | Source, options: ApplyOptions) -> Report:
    """Apply a changeset, bytes, or a stream of them."""
    if is_stream(changes) and not isinstance(changes, AnyChangeset):
        source = open_source(changes)
        return Report(_native.changeset_apply_stream(db, source, options))
    return Report(_native.changeset_apply(db, as_changeset(changes)._get(), options))


def as_changeset(changes: AnyChangeset | Source) -> AnyChangeset:
    """Take a changeset as it is and check bytes."""
    if isinstance(changes, AnyChangeset):
        return changes
    if isinstance(changes, (bytes, bytearray, memoryview)):
        return Changeset(changes)
    raise TypeError(
        "a changeset is a Changeset, bytes, a path or something with read(), "
        f"not {type(changes).__name__}"
    )
