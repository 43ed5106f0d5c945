"""What is written between crsql_begin_alter and crsql_commit_alter."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from crdt_peer import Database, SqlError, Value, changes, opened, sync
from crdt_peer.database import one
from crdt_peer.exchange import pull
from crdt_peer.histories import bounded
from hypothesis import given
from hypothesis import strategies as st

SCHEMAS = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b DEFAULT 5)",
    "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, a, b) WITHOUT ROWID",
    "CREATE TABLE t (id NOT NULL, a, b, k TEXT DEFAULT 7, g AS (a), PRIMARY KEY (id))",
]


@contextlib.contextmanager
def peers(count: int, schema: str = SCHEMAS[0]) -> Iterator[list[Database]]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(opened("ours")) for _ in range(count)]
        for db in made:
            db.run(schema.replace("g AS (a))", "g AS (a || b), PRIMARY KEY (id))"))
            db.run("SELECT crsql_as_crr('t')")
        yield made


@pytest.fixture
def db() -> Iterator[Database]:
    with peers(1) as (db,):
        db.run("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3)")
        yield db


def altered(*dbs: Database, sql: str) -> None:
    for db in dbs:
        db.run("SELECT crsql_begin_alter('t')")
        db.run(sql)
        db.run("SELECT crsql_commit_alter('t')")


def versions(db: Database) -> dict[tuple[Value, str], int]:
    """A sentinel of the first life says nothing new."""
    return {
        (row.pk, row.cid): row.col_version
        for row in changes(db)
        if row.cid != "-1" or row.cl > 1
    }


def test_an_update_is_tracked(db: Database) -> None:
    """Elsewhere it is lost, and overwritten at the next merge."""
    before = one(db, "SELECT crsql_db_version()")
    altered(db, sql="UPDATE t SET a = a + 1, b = b WHERE id > 1")
    found = changes(db, "db_version > ?1", before)
    assert [(row.pk[-1], row.cid, row.val, row.col_version) for row in found] == [
        (2, "a", 3, 2),
        (3, "a", 4, 2),
    ]


ADD = "ALTER TABLE t ADD COLUMN c DEFAULT 'c'"
DROP = "ALTER TABLE t DROP COLUMN b"
RENAME = "ALTER TABLE t RENAME COLUMN b TO c"


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("alter", [ADD, DROP, RENAME, ADD + ";" + DROP, DROP + ";" + ADD])
@pytest.mark.parametrize("first", [False, True])
def test_columns_that_stay(schema: str, alter: str, first: bool) -> None:
    write = (
        "UPDATE t SET a = 'new' WHERE id IN ('1', 1); DELETE FROM t WHERE id IN ('2', 2);"
        "INSERT INTO t (id, a) VALUES (4, 'four'); UPDATE t SET id = 7 WHERE id IN ('3', 3);"
        "UPDATE OR REPLACE t SET a = 'seven' WHERE id IN ('7', 7)"
    )
    with peers(2, schema) as (db, other):
        db.run("INSERT INTO t (id, a) VALUES (1, 1), (2, 2), (3, 3)")
        cursor = pull(db, other)
        altered(db, sql=f"{write};{alter}" if first else f"{alter};{write}")
        altered(other, sql=alter)
        pull(db, other, cursor)
        rows = [each.run("SELECT id, a, * FROM t ORDER BY id + 0") for each in (db, other)]
        assert rows[0] == rows[1]
        assert [(str(row[0]), row[1]) for row in rows[0]] == [
            ("1", "new"), ("4", "four"), ("7", "seven")]  # fmt: skip
        assert versions(db) == versions(other)


def test_new_columns_too(db: Database) -> None:
    altered(db, sql=ADD + "; UPDATE t SET c = a; UPDATE t SET a = 0 WHERE id = 1")
    found = [(row.pk[-1], row.cid, row.val, row.col_version) for row in changes(db)]
    assert sorted(found) == [
        (1, "a", 0, 2), (1, "b", 1, 1), (1, "c", 1, 1), (2, "a", 2, 1), (2, "b", 2, 1),
        (2, "c", 2, 1), (3, "a", 3, 1), (3, "b", 3, 1), (3, "c", 3, 1)]  # fmt: skip


def test_a_table_that_is_made_anew(db: Database) -> None:
    """Its triggers go with the old one; what was inserted and deleted is found."""
    altered(
        db,
        sql="CREATE TABLE new (id INTEGER PRIMARY KEY NOT NULL, a, b, c);"
        "INSERT INTO new SELECT id, a, b, 1 FROM t WHERE id > 1;"
        "INSERT INTO new (id) VALUES (9);"
        "DROP TABLE t; ALTER TABLE new RENAME TO t",
    )
    alive = {row.pk[-1]: row.cl for row in changes(db)}
    assert alive == {1: 2, 2: 1, 3: 1, 9: 1}


def test_it_can_be_read_in_between(db: Database) -> None:
    db.run("SELECT crsql_begin_alter('t'); UPDATE t SET a = 'x' WHERE id = 1")
    db.run("ALTER TABLE t DROP COLUMN b; UPDATE t SET a = 'y' WHERE id = 2")
    assert [row.val for row in changes(db, "cid = 'a'")] == [3, "x", "y"]
    db.run("SELECT crsql_commit_alter('t')")
    assert [row.val for row in changes(db)] == [3, "x", "y"]


def test_afterwards_all_is_as_before(db: Database) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    before = db.run(query)
    altered(db, sql="UPDATE t SET a = 5")
    assert db.run(query) == before
    db.run("BEGIN; SELECT crsql_begin_alter('t'); UPDATE t SET a = 6; ROLLBACK")
    assert db.run(query) == before
    db.run("UPDATE t SET a = 7 WHERE id = 1")
    assert versions(db)[b"\x01\x09\x01", "a"] == 3


def test_a_savepoint_in_between(db: Database) -> None:
    before = versions(db)
    db.run("SELECT crsql_begin_alter('t'); SAVEPOINT s; UPDATE t SET a = 6; ROLLBACK TO s")
    db.run("UPDATE t SET b = 6 WHERE id = 1; SELECT crsql_commit_alter('t')")
    assert versions(db) == {**before, (b"\x01\x09\x01", "b"): 2}


def test_a_trigger_that_updates_the_table(db: Database) -> None:
    db.run("CREATE TRIGGER x AFTER UPDATE ON t WHEN new.id = 1 BEGIN"
           " UPDATE t SET a = new.a WHERE id > 1; END")  # fmt: skip
    altered(db, sql="UPDATE t SET a = 9 WHERE id = 1")
    assert [row.val for row in changes(db, "cid = 'a' AND col_version = 2")] == [9, 9, 9]


# The whole of it taken back


def test_rollback_alter(db: Database) -> None:
    db.run("BEGIN; INSERT INTO t VALUES (8, 8, 8)")
    before = changes(db), db.run("SELECT * FROM t"), db.run("SELECT sql FROM sqlite_master")
    db.run("SELECT crsql_begin_alter('t'); " + DROP + "; UPDATE t SET a = 0")
    assert one(db, "SELECT rowtide_crdt_rollback_alter('t')") is None
    after = changes(db), db.run("SELECT * FROM t"), db.run("SELECT sql FROM sqlite_master")
    assert before == after
    db.run("UPDATE t SET b = 0 WHERE id = 8; COMMIT")
    assert versions(db)[b"\x01\x09\x08", "b"] == 2


def test_rollback_alter_without_a_transaction(db: Database) -> None:
    before = changes(db)
    db.run("SELECT crsql_begin_alter('t'); UPDATE t SET a = 0")
    db.run("SELECT rowtide_crdt_rollback_alter('t')")
    assert changes(db) == before
    db.run("BEGIN; COMMIT")
    with pytest.raises(SqlError):
        db.run("SELECT rowtide_crdt_rollback_alter('t')")


# Convergence

STATEMENTS = [
    "UPDATE t SET a = ?2 WHERE id = ?1",
    "UPDATE OR IGNORE t SET id = id + 1, a = ?2 WHERE id = ?1",
    "UPDATE OR REPLACE t SET id = ?1 WHERE id = 4 - ?1 AND a IS NOT ?2",
    "INSERT OR IGNORE INTO t (id, a) VALUES (?1, ?2)",
    "REPLACE INTO t (id, a) VALUES (?1, ?2)",
    "DELETE FROM t WHERE id = ?1 AND a IS NOT ?2",
    "INSERT INTO t (id, a) VALUES (?1, 'up') ON CONFLICT DO UPDATE SET a = ?2",
]
steps = st.tuples(
    st.integers(0, 2),
    st.sampled_from([*STATEMENTS, "begin", "commit", "commit", "rollback", "pull", "pull"]),
    st.integers(1, 3),
    st.sampled_from(["x", "y", "z"]),
)


def finish(db: Database, how: str, open_: set[int]) -> None:
    if id(db) in open_:
        name = "crsql_commit_alter" if how == "commit" else "rowtide_crdt_rollback_alter"
        db.run(f"SELECT {name}('t')")
        open_.discard(id(db))


@bounded(100)
@given(st.lists(steps, min_size=1, max_size=20))
def test_peers_converge(history: list[tuple[int, str, int, str]]) -> None:
    with peers(3) as made:
        open_: set[int] = set()
        for actor, what, number, text in history:
            db = made[actor]
            if what == "begin" and id(db) not in open_:
                db.run("SELECT crsql_begin_alter('t')")
                open_.add(id(db))
            elif what in ("commit", "rollback"):
                finish(db, what, open_)
            elif what == "pull":
                target = made[(actor + number) % 3]
                finish(target, "commit", open_)
                pull(db, target)
            elif what != "begin":
                db.run(what, number, text)
        for db in made:
            finish(db, "commit", open_)
        sync(*made)
        first, *others = made
        for other in others:
            assert other.run("SELECT * FROM t ORDER BY id") == first.run(
                "SELECT * FROM t ORDER BY id"
            )
