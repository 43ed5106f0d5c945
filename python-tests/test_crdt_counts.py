"""What SQLite counts of a database with tables that take part: changes() and
total_changes(), with our own writes among those of the application."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from crdt_peer import Database, opened
from crdt_peer.database import one
from crdt_peer.exchange import MERGE

ROWS = "WITH c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {}) "


@pytest.fixture
def db() -> Iterator[Database]:
    with opened("ours") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b)")
        db.run("CREATE TABLE fired (n)")
        db.run("SELECT crsql_as_crr('t')")
        yield db


def total(db: Database) -> int:
    value = one(db, "SELECT total_changes()")
    assert isinstance(value, int)
    return value


STATEMENTS = [
    (ROWS.format(7) + "INSERT INTO t SELECT n, n, n FROM c", 7),
    ("UPDATE t SET a = 0 WHERE id < 4", 3),
    ("UPDATE t SET id = id + 100 WHERE id < 3", 2),
    ("UPDATE t SET a = 0 WHERE id > 1000", 0),
    ("REPLACE INTO t VALUES (3, 5, 5), (4, 5, 5), (50, 0, 0)", 3),
    ("INSERT INTO t VALUES (3, 8, 8) ON CONFLICT DO UPDATE SET a = 8", 1),
    (MERGE.replace("?", "").replace(
        "1, 2, 3, 4, 5, 6, 7, 8, 9", "'t', x'010903', 'b', 1, 9, 9, x'11', 1, 0"), 1),
    (MERGE.replace("?", "").replace(
        "1, 2, 3, 4, 5, 6, 7, 8, 9", "'t', x'010903', 'b', 1, 9, 9, x'11', 1, 0"), 1),
    ("DELETE FROM t", 8),
]  # fmt: skip


@pytest.mark.parametrize("in_transaction", [False, True])
def test_changes_is_that_of_the_statement(db: Database, in_transaction: bool) -> None:
    if in_transaction:
        db.run("BEGIN")
    for sql, count in STATEMENTS:
        db.run(sql)
        assert one(db, "SELECT changes()") == count


def test_changes_in_a_trigger(db: Database) -> None:
    db.run(
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN INSERT INTO fired VALUES (1), (2);"
        " INSERT INTO fired VALUES (changes()); END"
    )
    db.run("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)")
    assert one(db, "SELECT changes()") == 3
    assert db.run("SELECT n FROM fired") == [(1,), (2,), (2,)] * 3


@pytest.mark.parametrize(("rows", "most"), [(1, 2), (5000, 8)])
def test_few_writes_of_ours_are_counted(db: Database, rows: int, most: int) -> None:
    """Our own writes are few, whatever the number of rows."""
    insert = ROWS.format(rows) + "INSERT INTO t SELECT n, n, n FROM c"
    for sql in (insert, "UPDATE t SET a = 0", "DELETE FROM t"):
        before = total(db)
        db.run(sql)
        assert rows <= total(db) - before <= rows + most


def test_sqlite_counts_its_own_writes_too() -> None:
    """total_changes() has no setter: a row of FTS5 is several changes.

    When this fails, SQLite has found a way, and so can we.
    """
    native = sqlite3.connect(":memory:", isolation_level=None)
    try:
        native.execute("CREATE VIRTUAL TABLE f USING fts5(a)")
    except sqlite3.OperationalError:
        pytest.skip("no FTS5 in this SQLite")
    before = native.total_changes
    native.execute("INSERT INTO f VALUES ('a')")
    assert native.total_changes - before > 1
    native.close()
