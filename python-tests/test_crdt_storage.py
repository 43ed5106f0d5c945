"""What is stored is what was written, whatever came in between."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from crdt_peer import SqlError, changes, ours


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


LOOKS = ["SELECT 1", "SELECT crsql_db_version()", "SELECT count(*) FROM crsql_changes"]
OTHERS = ["INSERT INTO u VALUES (1)", "INSERT INTO t SELECT id + 1000, 1 FROM t"]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("other", OTHERS)
def test_a_statement_that_fails_behind_its_first_row(
    tmp_path: Path, look: str, other: str
) -> None:
    """One commit of somebody else looks like that of the statement, but is not."""
    with (
        contextlib.closing(ours(tmp_path / "db")) as one,
        contextlib.closing(ours(tmp_path / "db")) as two,
    ):
        one.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v); CREATE TABLE u (x)")
        one.run("SELECT crsql_as_crr('t')")
        for i in range(600):
            one.run("INSERT INTO t VALUES (?1, 1)", i)
        with pytest.raises(SqlError):
            one.run("INSERT INTO t VALUES (999, 1), (1, 1)")
        two.run(other)
        one.run(look)
        one.run("UPDATE t SET v = 3 WHERE id = 1")
        (change,) = changes(two, "pk = x'010901'")
        assert (change.val, change.col_version) == (3, 2)
        assert change.db_version == (602 if other == OTHERS[1] else 601)


def test_a_table_that_was_enabled_anew_elsewhere(tmp_path: Path) -> None:
    """The first that another connection does is to look for a row with such a key."""
    with (
        contextlib.closing(ours(tmp_path / "db")) as one,
        contextlib.closing(ours(tmp_path / "db")) as two,
    ):
        one.run("CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v)")
        one.run("SELECT crsql_as_crr('t')")
        two.run("INSERT INTO t VALUES ('a', 1), ('b', 1)")
        one.run("SELECT crsql_as_table('t')")
        one.run("SELECT crsql_as_crr('t')")
        two.run("INSERT OR REPLACE INTO t VALUES ('A', 2)")
        assert [(c.pk[3:], c.cl) for c in changes(two)] == [(b"b", 1), (b"a", 2), (b"A", 1)]
