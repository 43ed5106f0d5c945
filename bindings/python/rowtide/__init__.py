"""Change control for SQLite: record, inspect, ship, merge and undo changes.

>>> import rowtide
>>> db = rowtide.connect("app.db")
>>> with db.capture("users") as change:
...     db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
>>> for op in change:
...     print(op.table, op.kind, op.old, op.new)
>>> replica.apply(change, on_conflict="replace")
>>> db.apply(~change)
>>> rowtide.sync(phone, laptop)
>>> db.auto_migrate(User, Post)
>>> print(db.schema().diff(rowtide.Schema(User, Post)).up())

A :class:`Changeset` is a value. Connections, and what is made from them, belong to
one thread at a time; each class says so.
"""

from __future__ import annotations

from . import schema, stream
from ._native import Change, ChangeIterator, CrdtChanges
from .apply import Report, TableReport
from .audit import AuditChange, AuditEntry, AuditLog, AuditRecording
from .capture import Capture
from .changeset import Builder, Changeset
from .crdt import (
    Crdt,
    CrdtChange,
    CrdtPeers,
    CrdtReport,
    CrdtTableReport,
    sync,
)
from .db import Connection, Database, adopt, connect, diff, open
from .errors import (
    BusyError,
    CancelledError,
    ClosedError,
    ConflictError,
    ConstraintError,
    CorruptError,
    Error,
    ExistsError,
    ForkError,
    FullError,
    GapError,
    InternalError,
    InvalidError,
    IoError,
    MisuseError,
    NoMemoryError,
    NotFoundError,
    ReadOnlyError,
    SchemaError,
    SqlError,
    ThreadError,
    TooBigError,
    UnsupportedError,
    UserError,
)
from .replication import Primary, PrimaryRecording, Replica
from .rows import Rows
from .schema import Difference, Schema
from .schema_plan import Plan, SchemaReport
from .undo import UndoLog, UndoRecording, UndoStep
from .values import (
    UNDEFINED,
    Action,
    ChangeKind,
    Conflict,
    ConflictKind,
    Counts,
    Progress,
    Undefined,
)
from .version import __version__

__all__ = [
    "UNDEFINED",
    "Action",
    "AuditChange",
    "AuditEntry",
    "AuditLog",
    "AuditRecording",
    "Builder",
    "BusyError",
    "CancelledError",
    "Capture",
    "Change",
    "ChangeIterator",
    "ChangeKind",
    "Changeset",
    "ClosedError",
    "Conflict",
    "ConflictError",
    "ConflictKind",
    "Connection",
    "ConstraintError",
    "CorruptError",
    "Counts",
    "Crdt",
    "CrdtChange",
    "CrdtChanges",
    "CrdtPeers",
    "CrdtReport",
    "CrdtTableReport",
    "Database",
    "Difference",
    "Error",
    "ExistsError",
    "ForkError",
    "FullError",
    "GapError",
    "InternalError",
    "InvalidError",
    "IoError",
    "MisuseError",
    "NoMemoryError",
    "NotFoundError",
    "Plan",
    "Primary",
    "PrimaryRecording",
    "Progress",
    "ReadOnlyError",
    "Replica",
    "Report",
    "Rows",
    "Schema",
    "SchemaError",
    "SchemaReport",
    "SqlError",
    "TableReport",
    "ThreadError",
    "TooBigError",
    "Undefined",
    "UndoLog",
    "UndoRecording",
    "UndoStep",
    "UnsupportedError",
    "UserError",
    "__version__",
    "adopt",
    "connect",
    "diff",
    "open",
    "schema",
    "stream",
    "sync",
]

# Everybody writes rowtide.Changeset; errors and pickles should say so too.
for _name in __all__:
    _thing = globals()[_name]
    if isinstance(_thing, type) and _thing not in (Change, ChangeIterator, CrdtChanges):
        _thing.__module__ = __name__
for _name in schema.__all__:
    _thing = getattr(schema, _name)
    if _thing.__module__ != __name__:
        _thing.__module__ = schema.__name__
del _name, _thing
