"""Pull changes from one database and merge them into another, in SQL alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .database import Database, Value, one

COLUMNS = '"table", pk, cid, val, col_version, db_version, site_id, cl, seq'
MERGE = f"INSERT INTO crsql_changes ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"


class Change(NamedTuple):
    """A row of crsql_changes."""

    table: str
    pk: bytes
    cid: str
    val: Value
    col_version: int
    db_version: int
    site_id: bytes
    cl: int
    seq: int


def changes(db: Database, where: str = "1", *values: Value) -> list[Change]:
    """Select changes, in the order in which crsql_changes gives them."""
    rows = db.run(f"SELECT {COLUMNS} FROM crsql_changes WHERE {where}", *values)
    return [Change(*row) for row in rows]  # type: ignore[arg-type]


def apply(db: Database, incoming: Iterable[Sequence[Value]]) -> None:
    """Merge changes in one transaction."""
    merge = [(MERGE, change) for change in incoming]
    try:
        db.run_all([("BEGIN", ()), *merge, ("COMMIT", ())])
    except Exception:
        db.run("ROLLBACK")
        raise


def site_id(db: Database) -> bytes:
    value = one(db, "SELECT crsql_site_id()")
    assert isinstance(value, bytes)
    return value


def pull(source: Database, target: Database, since: int = 0) -> int:
    """Bring to `target` what `source` has beyond `since`; return the new cursor."""
    found = changes(source, "db_version > ?1 AND site_id IS NOT ?2", since, site_id(target))
    apply(target, found)
    return max([since, *(change.db_version for change in found)])


def sync(*databases: Database) -> None:
    """Pull everything from everyone, so often that nothing can be left over."""
    for _ in databases:
        for target in databases:
            for source in databases:
                if source is not target:
                    pull(source, target)
