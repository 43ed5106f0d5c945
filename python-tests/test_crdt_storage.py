"""What is stored is what was written, whatever came in between."""

from __future__ import annotations

import contextlib
from pathlib import Path

from crdt_peer import changes, ours


def test_rows_of_two_tables_in_turn() -> None:
    """Row 3 of a table comes behind row 2 of another one and row 1 of its own."""
    with contextlib.closing(ours(":memory:")) as db:
        for table in "ab":
            db.run(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY NOT NULL, v)")
            db.run("SELECT crsql_as_crr(?1)", table)
            db.run(f"INSERT INTO {table} VALUES (1, 'old'), (2, 'old'), (3, 'old')")
        db.run("UPDATE b SET v = 'b1' WHERE id = 1")
        db.run("UPDATE a SET v = 'a2' WHERE id = 2")
        db.run("UPDATE b SET v = 'b3' WHERE id = 3")
        assert [c.val for c in changes(db, "db_version > 2")] == ["b1", "a2", "b3"]


def test_a_statement_that_reads_the_schema_again(tmp_path: Path) -> None:
    """Another connection has changed it; keys that fold are looked up twice."""
    table = "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v)"
    with (
        contextlib.closing(ours(tmp_path / "db")) as one,
        contextlib.closing(ours(tmp_path / "db")) as two,
    ):
        one.run(f"{table}; SELECT crsql_as_crr('t')")
        for number, db in enumerate([two, one, two, one]):
            db.run("INSERT INTO t VALUES (?1, 1)", f"key {number}")
            db.run("VACUUM")
        one.run("UPDATE t SET v = 2")
        assert len(changes(two)) == 4


def test_what_is_rolled_back_uses_no_version() -> None:
    with contextlib.closing(ours(":memory:")) as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('t')")
        db.run("INSERT INTO t VALUES (1, 1)")
        db.run("SAVEPOINT s; INSERT INTO t VALUES (2, 2)")
        assert len(changes(db)) == 2
        db.run("ROLLBACK TO s; RELEASE s")
        db.run("INSERT INTO t VALUES (3, 3)")
        assert [c.db_version for c in changes(db)] == [1, 2]
