"""Bring a database to a schema: what was planned, found and done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from . import _native
from ._native import Handle
from .schema_values import Finding, PlanStep, SchemaAction

if TYPE_CHECKING:
    from .apply import ProgressCallback

Renames = Mapping[str, str]
"""From old to new: ``{"users": "people"}`` for a table, ``{"people.mail": "email"}``
for a column, where the table has its new name already."""


def rename_hints(renames: Renames | None) -> tuple[str, ...] | None:
    """Bring hints into the form of the native call."""
    if renames is None:
        return None
    if not isinstance(renames, Mapping):
        raise TypeError(f"renames are a mapping, not {type(renames).__name__}")
    return tuple(f"{old}={new}" for old, new in renames.items())


class SchemaReport(Sequence[SchemaAction]):
    """What was done to a schema, in order, and what was refused. Immutable.

    It is empty, and so false, if there was nothing to do.
    """

    __slots__ = ("_actions",)

    def __init__(self, handle: Handle) -> None:
        self._actions: tuple[SchemaAction, ...] = _native.schema_report_actions(handle)[
            "actions"
        ]

    @property
    def done(self) -> tuple[SchemaAction, ...]:
        """What was done."""
        return tuple(action for action in self._actions if action.done)

    @property
    def refused(self) -> tuple[SchemaAction, ...]:
        """What was not done; ``reason`` says why."""
        return tuple(action for action in self._actions if not action.done)

    @overload
    def __getitem__(self, key: int) -> SchemaAction: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[SchemaAction, ...]: ...

    def __getitem__(self, key: int | slice) -> SchemaAction | tuple[SchemaAction, ...]:
        return self._actions[key]

    def __iter__(self) -> Iterator[SchemaAction]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)

    def __str__(self) -> str:
        return "\n".join(map(str, self._actions))

    def __repr__(self) -> str:
        return f"<rowtide.SchemaReport {len(self.done)} done, {len(self.refused)} refused>"


class Plan(Sequence[PlanStep]):
    """How a database becomes a schema: the steps, in order. Nothing is done yet.

    ``print(plan)`` shows it all. Use it in the thread that uses the connection.

    >>> plan = db.plan(User, Post)
    >>> plan.preflight()
    ()
    >>> plan.apply()
    """

    __slots__ = ("_db", "_handle", "_steps")

    def __init__(self, handle: Handle, db: Callable[[], Handle]) -> None:
        self._handle = handle
        self._db = db
        self._steps: tuple[PlanStep, ...] = _native.plan_steps_of(handle)["steps"]

    @property
    def refused(self) -> tuple[PlanStep, ...]:
        """Steps that will be left out, because they were not allowed."""
        return tuple(step for step in self._steps if step.refused)

    def preflight(self, *, progress: ProgressCallback | None = None) -> tuple[Finding, ...]:
        """Look for rows that are in the way; nothing is written.

        A finding that is ``fatal`` would make :meth:`apply` fail.
        """
        handle = _native.plan_preflight(self._db(), self._handle, progress)
        findings: tuple[Finding, ...] = _native.preflight_findings(handle)["findings"]
        return findings

    def apply(self, *, progress: ProgressCallback | None = None) -> SchemaReport:
        """Do it, in one transaction: all of it, or nothing if anything raises.

        Rows that are in the way raise :class:`~rowtide.ConstraintError`, a schema
        that is not any more what was planned for :class:`~rowtide.SchemaError`.
        Inside a transaction of yours it works in a savepoint; but where a table is
        rebuilt or dropped there while ``PRAGMA foreign_keys`` is on, SQLite would
        delete the rows that refer to it, and :class:`~rowtide.MisuseError` is raised.
        `progress` is told how far it is, and cancels by returning False.
        """
        return SchemaReport(_native.plan_apply(self._db(), self._handle, progress))

    @overload
    def __getitem__(self, key: int) -> PlanStep: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[PlanStep, ...]: ...

    def __getitem__(self, key: int | slice) -> PlanStep | tuple[PlanStep, ...]:
        return self._steps[key]

    def __iter__(self) -> Iterator[PlanStep]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def __str__(self) -> str:
        lines: list[str] = []
        for step in self._steps:
            lines.append(str(step))
            lines += [f"    {line};" for line in step.statements]
        return "\n".join(lines)

    def __repr__(self) -> str:
        refused = f", {len(self.refused)} refused" if self.refused else ""
        return f"<rowtide.Plan {len(self)} steps{refused}>"


def plan_options(
    allow: str | Collection[str],
    renames: Renames | None,
    undeclared: str,
) -> dict[str, Any]:
    """Bring the options of a plan into the form of the native call."""
    return {
        "allow": (allow,) if isinstance(allow, str) else tuple(allow),
        "renames": rename_hints(renames),
        "undeclared": undeclared,
    }
