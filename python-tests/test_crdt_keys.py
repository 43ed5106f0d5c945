"""Tables whose keys are not integers: each key has a number, found by a hash."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import rowtide
from crdt_peer import Database, SqlError, Value, changes, ours, sync
from crdt_peer.exchange import MERGE

TEXT = "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL, v, w)"
WITHOUT = "CREATE TABLE t (k BLOB PRIMARY KEY NOT NULL, v, w) WITHOUT ROWID"
BOTH = "CREATE TABLE t (k TEXT NOT NULL, v, w, n NOT NULL, PRIMARY KEY (n, k))"
TABLES = {"text": (TEXT, "k"), "without rowid": (WITHOUT, "k"), "two": (BOTH, "n, k")}


# More than a transaction leaves in the tail of the log.
NUMBERS = (
    "(WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) "
    "SELECT * FROM n)"
)


@contextlib.contextmanager
def opened(path: Path, table: str, seed: int | None = None) -> Iterator[Database]:
    """A new database; with the seed 0 all keys have one hash."""
    with contextlib.closing(ours(path)) as db:
        if seed is not None:
            db.run("UPDATE crsql_master SET value = ?1 WHERE key = 'rowtide_seed'", seed)
    with contextlib.closing(ours(path)) as db:
        db.run(f"{table}; SELECT crsql_as_crr('t')")
        yield db


def told(db: Database) -> set[tuple[Value, ...]]:
    """The living rows as the changes tell them: packed key, v, w."""
    rows: dict[Value, dict[str, Value]] = {}
    for change in changes(db, "cl % 2 = 1 AND cid <> '-1'"):
        rows.setdefault(change.pk, {})[change.cid] = change.val
    return {(pk, cells.get("v"), cells.get("w")) for pk, cells in rows.items()}


def stored(db: Database, keys: str) -> set[tuple[Value, ...]]:
    return set(db.run(f"SELECT crsql_pack_columns({keys}), v, w FROM t"))


def check(db: Database, keys: str) -> None:
    """What is told is what there is, and every key leads to its row."""
    rows = stored(db, keys)
    assert told(db) == rows
    for pk, v, w in rows:
        found = {c.cid: c.val for c in changes(db, '"table" = ?1 AND pk = ?2', "t", pk)}
        found.pop("-1", None)
        assert found == {"v": v, "w": w}


KEYS = {
    "text": ("k", "'k' || ?1"),
    "without rowid": ("k", "CAST('k' || ?1 AS BLOB)"),
    "two": ("n, k", "?1 % 3, 'k' || ?1"),
}


def write_at_random(db: Database, chance: random.Random, kind: str) -> None:
    """One statement about one row, whose key is made of a number."""
    names, key = KEYS[kind]
    where, other = f"({names}) = ({key})", key.replace("?1", "?2")
    pairs = zip(names.split(", "), other.split(", "), strict=True)
    replaced = ", ".join(f"{name} = {value}" for name, value in pairs)
    statement = chance.choice(
        [
            f"INSERT OR IGNORE INTO t ({names}, v) VALUES ({key}, ?2)",
            f"INSERT OR IGNORE INTO t ({names}, w) VALUES ({key}, ?2)",
            f"INSERT OR REPLACE INTO t ({names}, v) VALUES ({key}, ?2)",
            f"UPDATE t SET v = ?2 WHERE {where}",
            f"UPDATE OR REPLACE t SET {replaced} WHERE {where}",
            f"DELETE FROM t WHERE {where} AND ?2",
        ]
    )
    db.run(statement, chance.randrange(40), chance.randrange(40))


@pytest.mark.parametrize("seed", [None, 0], ids=["hashes", "one hash"])
@pytest.mark.parametrize("kind", TABLES)
def test_random_histories(tmp_path: Path, kind: str, seed: int | None) -> None:
    """Writes, savepoints that are undone, merges and collections in any order."""
    table, keys = TABLES[kind]
    chance = random.Random(f"{kind}{seed}")
    with opened(tmp_path / "a", table, seed) as a, opened(tmp_path / "b", table, seed) as b:
        if chance.random() < 0.5:
            key = KEYS[kind][1].replace("?1", "i")
            a.run(f"INSERT INTO t ({keys}) SELECT {key} FROM {NUMBERS}", 100, 300)
        for step in range(60):
            db = chance.choice([a, b])
            db.run("BEGIN")
            for number in range(chance.randrange(1, 6)):
                undone = chance.random() < 0.3
                if undone:
                    db.run(f"SAVEPOINT s{number}")
                for _ in range(chance.randrange(1, 8)):
                    write_at_random(db, chance, kind)
                if chance.random() < 0.2:
                    assert told(db) == stored(db, keys)
                if undone:
                    db.run(f"ROLLBACK TO s{number}")
            db.run(chance.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
            if step % 20 == 19:
                sync(a, b)
                assert stored(a, keys) == stored(b, keys)
        check(a, keys)
        check(b, keys)


@pytest.mark.parametrize("table", [TEXT, WITHOUT], ids=["rowid", "without"])
def test_many_keys_some_with_one_hash(tmp_path: Path, table: str) -> None:
    """Many blocks and buckets; among so many keys some share a hash of 32 bits."""
    count = 120_000
    with opened(tmp_path / "db", table, 1) as db:
        key = f"printf('%08x', (i * 2654435761) % {2**32})"
        if table == WITHOUT:
            key = f"CAST({key} AS BLOB)"
        for start in range(0, count, count // 4):
            insert = f"INSERT INTO t SELECT {key}, i, -i FROM {NUMBERS}"
            db.run(insert, start, start + count // 4 - 1)
        hashes: dict[int, list[int]] = {}
        for first, pairs in db.run("SELECT first, pairs FROM rowtide_crdt_find_1"):
            assert isinstance(first, int)
            assert isinstance(pairs, bytes)
            wide, size = pairs[0] >> 4, (pairs[0] >> 4) + (pairs[0] & 15)
            for at in range(1, len(pairs), size):
                place = first + int.from_bytes(pairs[at : at + wide], "big")
                hashes.setdefault(place, []).append(
                    int.from_bytes(pairs[at + wide : at + size], "big")
                )
        assert sum(map(len, hashes.values())) == count
        shared = [rows for rows in hashes.values() if len(rows) > 1]
        assert shared
        alike = [db.run("SELECT k FROM t WHERE v = ?1", row - 1)[0][0] for row in shared[0]]
        db.run("UPDATE t SET v = 'first' WHERE k = ?1", alike[0])
        db.run("DELETE FROM t WHERE k = ?1", alike[1])
        where = "pk = crsql_pack_columns(?1) AND \"table\" = 't'"
        assert [c.val for c in changes(db, where + " AND cid = 'v'", alike[0])] == ["first"]
        assert [c.cl for c in changes(db, where, alike[1])] == [2]
        chance = random.Random(1)
        for number in chance.sample(range(count), 300):
            row = db.run("SELECT k, v, w FROM t WHERE v = ?1 OR w = ?2", number, -number)
            if row:
                assert {c.val for c in changes(db, where, row[0][0])} == set(row[0][1:])
        assert len(changes(db, "cid = 'w'")) == count - 1


def test_savepoint_forgets_new_keys(tmp_path: Path) -> None:
    with opened(tmp_path / "db", TEXT) as db:
        db.run("BEGIN; INSERT INTO t VALUES ('a', 1, 1); SAVEPOINT s")
        db.run("INSERT INTO t VALUES ('b', 1, 1), ('c', 1, 1)")
        assert len(changes(db)) == 6
        db.run("ROLLBACK TO s; INSERT INTO t VALUES ('c', 2, 2)")
        assert len(changes(db)) == 4
        db.run("ROLLBACK TO s; RELEASE s; INSERT INTO t VALUES ('d', 3, 3); COMMIT")
        check(db, "k")
        assert db.run("SELECT __crsql_key, k FROM t__crsql_pks") == [(1, "a"), (2, "d")]


def move_rowids(db: Database) -> None:
    db.run("UPDATE t SET rowid = 1000 - rowid WHERE rowid % 2")


def delete_and_vacuum(db: Database) -> None:
    db.run("DELETE FROM t WHERE rowid < 20; VACUUM")


def replace_some(db: Database) -> None:
    db.run("INSERT OR REPLACE INTO t SELECT k, 'new', w FROM t WHERE rowid % 3 = 0")


@pytest.mark.parametrize("change", [move_rowids, delete_and_vacuum, replace_some])
def test_rowids_that_move(tmp_path: Path, change: object) -> None:
    """Rowids are where rows are looked for first, and never believed."""
    with opened(tmp_path / "db", TEXT) as db:
        db.run(f"INSERT INTO t SELECT 'k' || i, i, -i FROM {NUMBERS}", 1, 200)
        check(db, "k")
        assert callable(change)
        change(db)
        check(db, "k")


def test_columns_with_the_names_of_the_rowid(tmp_path: Path) -> None:
    table = "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL, v, w, rowid, _rowid_, oid)"
    with opened(tmp_path / "db", table) as db:
        db.run(
            "INSERT INTO t SELECT 'k' || value, value, 1, 1, 2, 2 FROM json_each('[1,2,3,4]')"
        )
        assert [c.val for c in changes(db, "cid = 'v'")] == [1, 2, 3, 4]


def test_dump_and_reload(tmp_path: Path) -> None:
    """A dump gives rows new rowids."""
    with opened(tmp_path / "db", TEXT) as db:
        db.run(f"INSERT INTO t SELECT 'k' || i, i, 1 FROM {NUMBERS}", 1, 100)
        db.run("DELETE FROM t WHERE v IN (2, 3); UPDATE t SET w = 2 WHERE v = 5")
        expected = changes(db)
    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as plain:
        script = "\n".join(line for line in plain.iterdump() if "sqlite_sequence" not in line)
    with contextlib.closing(sqlite3.connect(tmp_path / "copy")) as copy:
        copy.executescript(script)
    with contextlib.closing(ours(tmp_path / "copy")) as db:
        assert changes(db) == expected
        db.run("UPDATE t SET v = 9 WHERE k = 'k6'; INSERT INTO t VALUES ('k2', 5, 5)")
        check(db, "k")


def test_huge_keys_among_small_ones(tmp_path: Path) -> None:
    with opened(tmp_path / "a", TEXT) as a, opened(tmp_path / "b", TEXT) as b:
        sizes = [1, 127, 128, 300, 989, 990, 991, 70_000, 2_000_000, 3]
        for size in sizes:
            a.run("INSERT INTO t VALUES (?1, ?2, 0)", "x" * size, size)
        a.run(f"INSERT INTO t SELECT printf('%.*c', 400 + i, 'y'), i, 1 FROM {NUMBERS}", 0, 49)
        check(a, "k")
        sync(a, b)
        a.run("UPDATE t SET w = 7 WHERE v = 70000; DELETE FROM t WHERE v = 2000000")
        sync(a, b)
        check(b, "k")
        assert stored(a, "k") == stored(b, "k")


def test_keys_equal_by_collation(tmp_path: Path) -> None:
    table = "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v, w)"
    with opened(tmp_path / "a", table) as a, opened(tmp_path / "b", table) as b:
        a.run("INSERT INTO t VALUES ('a', 1, 1), ('b', 2, 2)")
        sync(a, b)
        a.run("UPDATE t SET k = 'A' WHERE k = 'a'; UPDATE t SET v = 5 WHERE k = 'B'")
        sync(a, b)
        assert b.run("SELECT * FROM t ORDER BY k") == [("A", 1, 1), ("b", 5, 2)]
        assert stored(a, "k") == stored(b, "k")


def test_collected_keys_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with opened(path, TEXT) as db:
        db.run(f"INSERT INTO t SELECT 'k' || i, i, -i FROM {NUMBERS}", 1, 500)
        db.run("DELETE FROM t WHERE v % 5 OR v < 200 OR v = 500")
    with contextlib.closing(rowtide.connect(path)) as library:
        assert library.crdt.collect(until=10) == 440
    with contextlib.closing(ours(path)) as db:
        check(db, "k")
        assert len(db.run("SELECT * FROM t__crsql_pks")) == 60
        [(kept,)] = db.run("SELECT sum(length(pairs) - 1) FROM rowtide_crdt_find_1")
        assert isinstance(kept, int)
        assert kept <= 60 * 8
        db.run(f"INSERT OR IGNORE INTO t SELECT 'k' || i, i, -i FROM {NUMBERS}", 1, 600)
        check(db, "k")
        assert db.run("SELECT __crsql_key FROM t__crsql_pks WHERE k = 'k1'") == [(61,)]


@pytest.mark.parametrize("kind", TABLES)
def test_damaged_registry(tmp_path: Path, kind: str) -> None:
    """Whatever is in the file: an error, or rows that are there."""
    chance = random.Random(kind)
    table, keys = TABLES[kind]
    key = KEYS[kind][1].replace("?1", "i")
    with opened(tmp_path / "db", table) as db:
        db.run(f"INSERT INTO t ({keys}, v) SELECT {key}, i FROM {NUMBERS}", 1, 100)
        for _ in range(150):
            name, column = chance.choice(
                [("keys_1", "keys"), ("find_1", "pairs"), ("log", "body"), ("rows_1", "clock")]
            )
            db.run("BEGIN")
            [(body,)] = db.run(f"SELECT {column} FROM rowtide_crdt_{name} LIMIT 1")
            assert isinstance(body, bytes)
            changed = bytearray(body[: chance.randrange(len(body) + 1)] + chance.randbytes(2))
            for _ in range(chance.randrange(1, 4)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            if chance.random() < 0.2:
                db.run(
                    f"UPDATE rowtide_crdt_keys_1 SET first = first + {chance.randrange(2**62)}"
                )
            db.run(f"UPDATE rowtide_crdt_{name} SET {column} = ?1", bytes(changed))
            for sql in (
                "SELECT count(pk), count(val) FROM crsql_changes",
                "SELECT * FROM t__crsql_pks LIMIT 1000",
                "UPDATE t SET v = v + 1",
                "DELETE FROM t WHERE v % 2",
                f"INSERT INTO t ({keys}) SELECT {key} FROM (SELECT 500 AS i)",
            ):
                with contextlib.suppress(SqlError):
                    db.run(sql)
            db.run("ROLLBACK")
        check(db, keys)


def test_other_layout_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "db", TEXT) as db:
        db.run("UPDATE crsql_master SET value = 1 WHERE key = 'rowtide_layout'")
    with pytest.raises(
        SqlError, match="written by another version of Rowtide: their layout is 1"
    ):
        ours(tmp_path / "db")


def test_merge_that_is_undone(tmp_path: Path) -> None:
    with opened(tmp_path / "a", TEXT) as a, opened(tmp_path / "b", TEXT) as b:
        a.run("INSERT INTO t VALUES ('a', 1, 1), ('b', 2, 2)")
        b.run("BEGIN; SAVEPOINT s")
        for change in changes(a):
            b.run(MERGE, *change)
        b.run("ROLLBACK TO s; INSERT INTO t VALUES ('b', 3, 3); COMMIT")
        check(b, "k")
        assert len(changes(b)) == 2


@pytest.mark.parametrize("tail", ["", " WITHOUT ROWID"])
def test_a_column_that_compares_more_loosely_than_its_key(tail: str) -> None:
    """Two spellings are two rows, and each has its own values."""
    with contextlib.closing(ours()) as a, contextlib.closing(ours()) as b:
        for db in (a, b):
            db.run(
                "CREATE TABLE x (k TEXT COLLATE NOCASE NOT NULL, v, "
                f"PRIMARY KEY (k COLLATE BINARY)){tail}"
            )
            db.run("SELECT crsql_as_crr('x')")
        a.run("BEGIN")
        for i in range(40):
            a.run("INSERT INTO x VALUES (?1, ?2)", f"key{i}", i)
        for i in range(40):
            a.run("INSERT INTO x VALUES (?1, ?2)", f"KEY{i}", -i)
        a.run("COMMIT")
        found = a.run("SELECT CAST(substr(pk, 4) AS TEXT), val FROM crsql_changes")
        assert sorted(found) == sorted(a.run("SELECT k, v FROM x"))
        for change in a.run("SELECT * FROM crsql_changes"):
            b.run(MERGE, *change)
        assert b.run("SELECT * FROM x ORDER BY v, k") == a.run("SELECT * FROM x ORDER BY v, k")
        b.run("UPDATE x SET v = 'b' WHERE k COLLATE BINARY = 'key7'")
        b.run("DELETE FROM x WHERE k COLLATE BINARY = 'KEY8'")
        for change in b.run("SELECT * FROM crsql_changes WHERE site_id IS NULL"):
            a.run(MERGE, *change)
        assert b.run("SELECT * FROM x ORDER BY v, k") == a.run("SELECT * FROM x ORDER BY v, k")
        assert a.run("SELECT count(*) FROM x WHERE v = 'b'") == [(1,)]
