"""CRRs in files: several connections, other programs, what tools look into."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from crdt_peer import Database, SqlError, changes, opened, ours
from crdt_peer.database import one
from crdt_peer.exchange import site_id, sync

SCHEMA = """
    CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b);
    CREATE TABLE u (x TEXT NOT NULL, y NOT NULL, v, PRIMARY KEY (x, y));
    SELECT crsql_as_crr('t');
    SELECT crsql_as_crr('u');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with some history, closed."""
    path = tmp_path / "db"
    with file(path) as db:
        db.run(SCHEMA)
        db.run("BEGIN; INSERT INTO t VALUES (1, 2, 3), (2, 2, 3)")
        db.run("INSERT INTO u VALUES ('k', 1.5, x'00'); COMMIT")
        db.run("UPDATE t SET a = 4 WHERE id = 1; DELETE FROM t WHERE id = 2")
    return path


@contextlib.contextmanager
def file(path: Path | str, entry_point: str = "sqlite3_rowtide_init") -> Iterator[Database]:
    with contextlib.closing(ours(path, entry_point)) as db:
        yield db


def test_all_is_there_after_closing(path: Path) -> None:
    with file(path) as db:
        before = changes(db), site_id(db), one(db, "SELECT crsql_db_version()")
        assert before[2] == 3
    with file(path) as db:
        assert (changes(db), site_id(db), one(db, "SELECT crsql_db_version()")) == before
        db.run("UPDATE t SET b = 9")
        assert [row.db_version for row in changes(db, "cid = 'b'")] == [4]


def test_loading_by_the_name_that_cr_sqlite_has(path: Path) -> None:
    with file(path, "sqlite3_crsqlite_init") as db:
        assert one(db, "SELECT crsql_db_version()") == 3


def test_loading_twice(path: Path) -> None:
    db = ours(path)
    db.load("sqlite3_crsqlite_init")
    db.run("INSERT INTO t VALUES (8, 8, 8)")
    assert len(changes(db, "pk = x'010908'")) == 2
    db.close()


def test_two_connections(path: Path) -> None:
    with file(path) as first, file(path) as second:
        for number in range(6):
            db = (first, second)[number % 2]
            db.run("INSERT INTO t VALUES (?1, 0, 0)", 10 + number)
            assert one(first, "SELECT crsql_db_version()") == 4 + number
            assert one(second, "SELECT crsql_db_version()") == 4 + number
        assert changes(first) == changes(second)
        found = changes(first, "db_version > 3")
        assert [row.db_version for row in found] == [4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
        first.run("CREATE TABLE n (id PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('n')")
        second.run("INSERT INTO n VALUES (1, 2)")
        assert [row.table for row in changes(first, "db_version > 9")] == ["n"]
        second.run("SELECT crsql_as_table('n')")
        first.run("INSERT INTO n VALUES (2, 2)")
        assert "n" not in {row.table for row in changes(first)}


def test_reader_sees_a_snapshot(path: Path) -> None:
    with file(path) as writer, file(path) as reader:
        writer.run("PRAGMA journal_mode = WAL")
        reader.run("BEGIN")
        before = changes(reader)
        writer.run("INSERT INTO t VALUES (7, 7, 7)")
        assert changes(reader) == before
        reader.run("COMMIT")
        assert len(changes(reader)) == len(before) + 2


def test_busy_writer_is_told_so(path: Path) -> None:
    with file(path) as first, file(path) as second:
        first.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (7, 7, 7)")
        second.run("PRAGMA busy_timeout = 1")
        with pytest.raises(SqlError) as caught:
            second.run("INSERT INTO t VALUES (8, 8, 8)")
        assert caught.value.primary == 5
        first.run("COMMIT")
        second.run("INSERT INTO t VALUES (8, 8, 8)")
        assert one(first, "SELECT crsql_db_version()") == 5


def test_connection_without_the_extension_cannot_write(path: Path) -> None:
    """It could not record what it does: better an error than a change lost."""
    with contextlib.closing(sqlite3.connect(path)) as plain:
        for sql in ["INSERT INTO t VALUES (5, 5, 5)", "UPDATE t SET a = 7", "DELETE FROM t"]:
            with pytest.raises(sqlite3.OperationalError, match="no such"):
                plain.execute(sql)
        assert plain.execute("SELECT * FROM t").fetchall() == [(1, 4, 3)]


def test_read_only_database(path: Path) -> None:
    with file(path) as db:
        expected = changes(db)
    plain = ours(path, None)
    plain.run("PRAGMA query_only = ON")
    plain.load("sqlite3_rowtide_init")
    assert changes(plain) == expected
    with pytest.raises(SqlError):
        plain.run("INSERT INTO t VALUES (5, 5, 5)")
    plain.close()


@pytest.mark.parametrize("how", ["VACUUM", "VACUUM INTO", "copy"])
def test_vacuum_and_copies_keep_all(path: Path, how: str) -> None:
    target = path
    with file(path) as db:
        db.run("DELETE FROM u; INSERT INTO u VALUES ('a', 1, 1), ('b', 1, 1), ('c', 1, 1)")
        db.run("DELETE FROM u WHERE x = 'a'")
        expected = changes(db)
        if how == "VACUUM":
            db.run("VACUUM")
        elif how == "VACUUM INTO":
            target = path.with_name("copy")
            db.run("VACUUM INTO ?1", str(target))
    if how == "copy":
        target = path.with_name("copy")
        shutil.copy(path, target)
    with file(target) as db:
        assert changes(db) == expected
        db.run("UPDATE u SET v = 2")
        assert {row.pk for row in changes(db, "val = 2")} == {
            row.pk for row in expected if row.table == "u" and row.cid == "v"
        }


def restore(source: Database, target: Database) -> None:
    """Through SQLite's backup, which both modules have in their own way."""
    ours, theirs = source.native, target.native  # type: ignore[attr-defined]
    if isinstance(ours, sqlite3.Connection):
        ours.backup(theirs)
        return
    with theirs.backup("main", ours, "main") as backup:
        backup.step()


def test_a_backup_that_is_restored_into_a_connection(path: Path) -> None:
    """It is another database then: its name, sites and numbers of keys are others."""
    with file(path) as db, file(":memory:") as other, file(":memory:") as again:
        merge = "INSERT INTO crsql_changes VALUES ('t', x'010907', 'a', 1, 1, 1, ?1, 1, 0)"
        db.run(merge, b"first")
        other.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a)")
        other.run("SELECT crsql_as_crr('t')")
        other.run(merge, b"second")
        assert len(changes(other)) == 1
        restore(db, other)
        assert site_id(other) == site_id(db)
        assert changes(other) == changes(db)
        other.run("INSERT INTO u VALUES ('new', 1, 1)")
        restore(other, again)
        assert site_id(again) == site_id(db)
        again.run("UPDATE u SET v = 2; DELETE FROM u WHERE x = 'new'")
        assert again.run("SELECT x, y FROM u__crsql_pks ORDER BY x") == [("k", 1.5), ("new", 1)]
        assert {row.site_id for row in changes(again)} == {site_id(db), b"first"}
        assert {row.cl for row in changes(again, "[table] = 'u' AND cid = '-1'")} == {2}


def test_a_plain_backup_that_is_restored_into_a_connection(tmp_path: Path) -> None:
    """It has none of our tables: they are made when one is enabled."""
    with contextlib.closing(ours(tmp_path / "plain", None)) as plain, file(":memory:") as db:
        plain.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a)")
        before = site_id(db)
        restore(plain, db)
        assert one(db, "SELECT crsql_as_crr('t')") == "OK"
        db.run("INSERT INTO t VALUES (1, 2)")
        assert [row.val for row in changes(db, "site_id = crsql_site_id()")] == [2]
        assert site_id(db) != before


def test_nested_savepoints(path: Path) -> None:
    with file(path) as db:
        before = changes(db)
        db.run("SAVEPOINT a; INSERT INTO t VALUES (3, 1, 1)")
        inner = changes(db)
        db.run("SAVEPOINT b; UPDATE t SET a = 9; DELETE FROM t WHERE id = 3")
        db.run("SAVEPOINT c; INSERT INTO t VALUES (3, 5, 5); RELEASE c")
        assert {row.cl for row in changes(db, "pk = x'010903'")} == {3}
        db.run("ROLLBACK TO b")
        assert changes(db) == inner
        db.run("UPDATE t SET b = 'kept' WHERE id = 3; RELEASE a")
        assert [(row.cid, row.val) for row in changes(db, "db_version > 3")] == [
            ("a", 1),
            ("b", "kept"),
        ]
        db.run("BEGIN; DELETE FROM t; DELETE FROM u; ROLLBACK")
        assert len(changes(db)) == len(before) + 2


@pytest.mark.parametrize("conflict", ["ABORT", "FAIL", "IGNORE", "ROLLBACK", "REPLACE"])
def test_statement_that_fails_halfway(path: Path, conflict: str) -> None:
    """The log follows the table, however the conflict is resolved."""
    with file(path) as db:
        db.run("BEGIN; INSERT INTO t VALUES (20, 0, 0)")
        with contextlib.suppress(SqlError):
            db.run(
                f"INSERT OR {conflict} INTO t "
                "SELECT column1, 5, 5 FROM (VALUES (21), (22), (1), (23))"
            )
        with contextlib.suppress(SqlError):
            db.run("COMMIT")
        rows = {row[:2] for row in db.run("SELECT * FROM t")}
        logged = {(row.pk[-1], row.val) for row in changes(db, "[table] = 't' AND cid = 'a'")}
        assert logged == rows


def test_distrustful_schema(path: Path) -> None:
    with file(path) as db:
        db.run("PRAGMA trusted_schema = OFF")
        db.run("INSERT INTO t VALUES (5, 5, 5)")
        assert len(changes(db, "pk = x'010905'")) == 2


def test_recursive_triggers(path: Path) -> None:
    with file(path) as db:
        db.run("PRAGMA recursive_triggers = ON; REPLACE INTO t VALUES (1, 7, 7)")
        assert db.run("SELECT * FROM t") == [(1, 7, 7)]
        assert {row.cid for row in changes(db, "pk = x'010901' AND val = 7")} == {"a", "b"}


def test_views_for_tools(path: Path) -> None:
    with file(path) as db:
        own = site_id(db)
        clocks = db.run(
            "SELECT col_name, col_version, db_version, site_id, seq FROM t__crsql_clock "
            "ORDER BY key, col_name"
        )
        assert clocks == [("a", 2, 2, 0, 0), ("b", 1, 1, 0, 1), ("-1", 2, 3, 0, 0)]
        keys = "SELECT id, col_name FROM t__crsql_pks JOIN t__crsql_clock ON key = __crsql_key"
        assert sorted(db.run(keys)) == [(1, "a"), (1, "b"), (2, "-1")]
        assert db.run("SELECT x, y FROM u__crsql_pks") == [("k", 1.5)]
        assert db.run("SELECT site_id, ordinal FROM crsql_site_id") == [(own, 0)]
        version = one(db, "SELECT value FROM crsql_master WHERE key = 'crsqlite_version'")
        assert version == 160300


# A file that cr-sqlite wrote


def copy_to_file(source: Database, path: Path) -> None:
    """Write another database's schema and rows, its own tables and all."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as target:
        rank = "CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END"
        entries = source.run(
            f"SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY {rank}"
        )
        for kind, name, sql in entries:
            target.execute(str(sql))
            if kind == "table":
                for row in source.run(f'SELECT * FROM "{name!s}"'):
                    holes = ", ".join("?" * len(row))
                    target.execute(f'INSERT INTO "{name!s}" VALUES ({holes})', row)


def test_conversion_of_a_file_of_cr_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    with opened("theirs") as their, opened("theirs") as third:
        for db in (their, third):
            db.run(SCHEMA)
        third.run("INSERT INTO u VALUES ('third', 2, 'from afar')")
        their.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3); UPDATE t SET a = 4 WHERE id = 1")
        their.run("DELETE FROM t WHERE id = 2; UPDATE t SET id = 9")
        sync(third, their)
        expected = changes(their)
        version = one(their, "SELECT crsql_db_version()")
        copy_to_file(their, path)
        with file(path) as db:
            with pytest.raises(SqlError, match="rowtide_crdt_convert"):
                db.run("INSERT INTO t VALUES (3, 3, 3)")
            assert one(db, "SELECT rowtide_crdt_convert()") == 2
            assert sorted(changes(db), key=repr) == sorted(expected, key=repr)
            assert one(db, "SELECT crsql_db_version()") == version
            assert site_id(db) == site_id(their)
            db.run("INSERT INTO t VALUES (3, 3, 3); UPDATE u SET v = 'near'")
            sync(third, db)
            assert third.run("SELECT * FROM t ORDER BY id") == [(3, 3, 3), (9, 4, 3)]
            assert third.run("SELECT v FROM u") == [("near",)]


def test_file_of_a_version_before_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute('CREATE TABLE crsql_master ("key" TEXT PRIMARY KEY, "value" ANY)')
        old.execute("INSERT INTO crsql_master VALUES ('crsqlite_version', 140000)")
        old.commit()
    with pytest.raises(SqlError, match="140000 is not supported"):
        ours(path)


def rows_and_log_agree(db: Database) -> bool:
    rows = db.run("SELECT crsql_pack_columns(id), a FROM big ORDER BY id")
    log = db.run("SELECT pk, val FROM crsql_changes WHERE cid = 'a' ORDER BY pk")
    return sorted(rows) == log


def test_transaction_that_memory_does_not_hold(tmp_path: Path) -> None:
    """Half of what waits has been written when a savepoint is taken back."""
    fill = (
        "WITH RECURSIVE n (i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM n WHERE i < {1}) "
        "INSERT INTO big SELECT CAST(printf('%04000d', i * 7919 % 10007) AS BLOB), i FROM n"
    )
    with file(tmp_path / "db") as db:
        db.run("CREATE TABLE big (id BLOB PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('big')")
        db.run(f"BEGIN; {fill.format(1, 3000)}; SAVEPOINT s; {fill.format(3001, 9000)}")
        db.run("DELETE FROM big WHERE a % 3 = 0")
        assert rows_and_log_agree(db)
        db.run("ROLLBACK TO s; UPDATE big SET a = -a WHERE a % 2")
        assert rows_and_log_agree(db)
        db.run(f"SAVEPOINT r; {fill.format(3001, 5000)}; RELEASE r; COMMIT")
        assert rows_and_log_agree(db)
        assert one(db, "SELECT crsql_db_version()") == 1
        db.run("BEGIN; DELETE FROM big; ROLLBACK")
        assert rows_and_log_agree(db)
