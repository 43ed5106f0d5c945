"""Keys that are one to the table and two to their bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from crdt_peer import Database, Value, changes, opened, sync
from crdt_peer.database import one
from crdt_peer.exchange import pull
from crdt_peer.histories import bounded
from hypothesis import given
from hypothesis import strategies as st

SCHEMAS = [
    "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v, w DEFAULT 1)",
    "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v, w DEFAULT 1) WITHOUT ROWID",
    "CREATE TABLE t (k NOT NULL, v, w DEFAULT 1, PRIMARY KEY (k COLLATE NOCASE))",
]


@pytest.fixture(params=SCHEMAS)
def pair(request: pytest.FixtureRequest) -> Iterator[list[Database]]:
    with opened("ours") as one_, opened("ours") as two:
        for db in (one_, two):
            db.run(request.param + "; SELECT crsql_as_crr('t')")
        yield [one_, two]


def rows(db: Database) -> object:
    return db.run("SELECT k, v, w FROM t ORDER BY k")


def living(db: Database) -> set[Value]:
    return {row.pk for row in changes(db) if row.cl % 2 == 1}


def packed(db: Database, key: Value) -> Value:
    return one(db, "SELECT crsql_pack_columns(?1)", key)


@pytest.mark.parametrize("in_transaction", [False, True])
def test_replacing_by_case_leaves_one_clock(pair: list[Database], in_transaction: bool) -> None:
    """Elsewhere both spellings keep clocks, and the row comes back."""
    db, other = pair
    db.run("INSERT INTO t VALUES ('a', 1, 1), ('b', 1, 1)")
    cursor = 0 if in_transaction else pull(db, other)
    db.run("INSERT OR REPLACE INTO t (k, v) VALUES ('A', 2)")
    assert living(db) == {packed(db, "A"), packed(db, "b")}
    pull(db, other, cursor)
    assert rows(db) == rows(other) == [("A", 2, 1), ("b", 1, 1)]
    assert living(other) == living(db)
    other.run("UPDATE t SET v = 3")
    sync(*pair)
    assert rows(db) == rows(other) == [("A", 3, 1), ("b", 3, 1)]


def test_replacing_back_and_forth(pair: list[Database]) -> None:
    db, other = pair
    for number, key in enumerate(["a", "A", "a", "A", "a"]):
        db.run("REPLACE INTO t (k, v) VALUES (?1, ?2)", key, number)
        pull(db, other)
        assert rows(db) == rows(other) == [(key, number, 1)]
        assert living(db) == living(other) == {packed(db, key)}


def test_an_upsert_keeps_the_spelling(pair: list[Database]) -> None:
    db, other = pair
    db.run("INSERT INTO t (k, v) VALUES ('a', 1)")
    db.run("INSERT INTO t (k, v) VALUES ('A', 2) ON CONFLICT DO UPDATE SET v = excluded.v")
    db.run("INSERT OR IGNORE INTO t (k, v) VALUES ('A', 3)")
    db.run("INSERT INTO t (k, v) VALUES ('c', 4)")
    assert living(db) == {packed(db, "a"), packed(db, "c")}
    sync(*pair)
    assert rows(db) == rows(other) == [("a", 2, 1), ("c", 4, 1)]


def test_an_upsert_that_changes_the_spelling(pair: list[Database]) -> None:
    db, other = pair
    db.run("INSERT INTO t (k, v) VALUES ('a', 1)")
    db.run("INSERT INTO t (k, v) VALUES ('A', 2) ON CONFLICT DO UPDATE SET (k, v) = "
           "(excluded.k, excluded.v)")  # fmt: skip
    assert living(db) == {packed(db, "A")}
    sync(*pair)
    assert rows(db) == rows(other) == [("A", 2, 1)]


def test_update_or_replace(pair: list[Database]) -> None:
    db, other = pair
    db.run("INSERT INTO t VALUES ('a', 1, 1), ('b', 2, 2)")
    cursor = pull(db, other)
    db.run("UPDATE OR REPLACE t SET k = 'A' WHERE k = 'b'")
    assert living(db) == {packed(db, "A")}
    pull(db, other, cursor)
    assert rows(db) == rows(other) == [("A", 2, 2)]
    assert living(other) == {packed(db, "A")}


def test_a_savepoint_takes_it_back(pair: list[Database]) -> None:
    db, other = pair
    db.run("INSERT INTO t VALUES ('a', 1, 1)")
    db.run("BEGIN; SAVEPOINT s; REPLACE INTO t (k, v) VALUES ('A', 2); ROLLBACK TO s; COMMIT")
    assert living(db) == {packed(db, "a")}
    sync(*pair)
    assert rows(db) == rows(other) == [("a", 1, 1)]


writes = st.tuples(
    st.sampled_from(
        [
            "REPLACE INTO t (k, v) VALUES (?1, ?2)",
            "INSERT OR IGNORE INTO t (k, v) VALUES (?1, ?2)",
            "UPDATE OR REPLACE t SET k = ?1, v = ?2 WHERE k = ?3",
            "UPDATE t SET v = ?2 WHERE k = ?1",
            "DELETE FROM t WHERE k = ?1",
        ]
    ),
    st.sampled_from(["a", "A", "b", "B"]),
    st.integers(0, 9),
    st.sampled_from(["a", "b", "B"]),
)


@bounded(80)
@given(st.sampled_from(SCHEMAS), st.lists(writes, min_size=1, max_size=8))
def test_what_lives_is_what_is_there(
    schema: str, history: list[tuple[str, str, int, str]]
) -> None:
    with opened("ours") as db, opened("ours") as other:
        for each in (db, other):
            each.run(schema + "; SELECT crsql_as_crr('t')")
        cursor = 0
        for sql, key, value, old in history:
            values: list[Value] = [key, value, old]
            db.run(sql, *values[: 1 + sql.count("?2") + sql.count("?3")])
            keys = {packed(db, key) for (key,) in db.run("SELECT k FROM t")}
            assert living(db) == keys
            cursor = pull(db, other, cursor)
            assert rows(db) == rows(other)
            assert living(other) == keys


# Keys without a type: 1 and 1.0 are one key to the table

UNTYPED = [
    "CREATE TABLE t (k PRIMARY KEY NOT NULL, v, w DEFAULT 1)",
    "CREATE TABLE t (k PRIMARY KEY NOT NULL, v, w DEFAULT 1) WITHOUT ROWID",
    "CREATE TABLE t (k ANY PRIMARY KEY NOT NULL, v ANY, w ANY DEFAULT 1) STRICT",
]
numbers: st.SearchStrategy[Value] = st.sampled_from([1, 1.0, 2, 2.0, "1", b"1"])
WRITES = [
    "REPLACE INTO t (k, v) VALUES (?1, ?2)",
    "INSERT OR IGNORE INTO t (k, v) VALUES (?1, ?2)",
    "UPDATE OR REPLACE t SET k = ?1, v = ?2 WHERE k = ?3",
    "UPDATE t SET v = ?2 WHERE k = ?1",
    "DELETE FROM t WHERE k = ?1",
]


@bounded(80)
@given(
    st.sampled_from(UNTYPED),
    st.lists(
        st.tuples(st.sampled_from(WRITES), numbers, st.integers(0, 9), numbers),
        min_size=1,
        max_size=8,
    ),
)
def test_numbers_of_two_types(
    schema: str, history: list[tuple[str, Value, int, Value]]
) -> None:
    with opened("ours") as db, opened("ours") as other:
        for each in (db, other):
            each.run(schema + "; SELECT crsql_as_crr('t')")
        cursor = 0
        for sql, key, value, old in history:
            values: list[Value] = [key, value, old]
            db.run(sql, *values[: 1 + sql.count("?2") + sql.count("?3")])
            keys = {packed(db, key) for (key,) in db.run("SELECT k FROM t")}
            assert living(db) == keys
            cursor = pull(db, other, cursor)
            query = "SELECT typeof(k), k, v, w FROM t ORDER BY k"
            assert db.run(query) == other.run(query)
            assert living(other) == keys
