"""Two databases under one interface: ours, and the one whose peers we talk to.

`ours()` opens a database with the extension of this build in it, `theirs()`
one of cr-sqlite's official WebAssembly build, which runs in node. Both answer
`run(sql, *values)` with rows of plain Python values and raise `SqlError`.
"""

import contextlib
from collections.abc import Iterator

from .database import Database, Row, SqlError, Value, ours, sqlite_name
from .exchange import Change, apply, changes, sync
from .node import theirs

__all__ = [
    "Change",
    "Database",
    "Row",
    "SqlError",
    "Value",
    "apply",
    "changes",
    "opened",
    "ours",
    "sqlite_name",
    "sync",
    "theirs",
]


@contextlib.contextmanager
def opened(name: str) -> Iterator[Database]:
    """Open a database of one kind, `ours` or `theirs`, and close it afterwards."""
    db: Database = ours() if name == "ours" else theirs()
    try:
        yield db
    finally:
        db.close()
