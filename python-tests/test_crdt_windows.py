"""Tables without rowids are read by many rows at once, in the order of their keys.

Nobody notices: what they tell is what a table with rowids tells that holds the same.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rowtide

# Columns, primary key, and a key that is made of the number i.
KINDS = {
    "text": ("k TEXT NOT NULL", "k", "printf('%016x', i * 2654435761 % 4294967291)"),
    "alike": ("k TEXT NOT NULL", "k", "'the same at first ' || (i * 7919 % 9973) || '/' || i"),
    "blob": ("k BLOB NOT NULL", "k", "CAST(i * 7919 % 9973 || '/' || i AS BLOB)"),
    "integers": ("k NOT NULL", "k", "CASE i % 2 WHEN 1 THEN -i ELSE i * 7919 END"),
    "any": (
        "k NOT NULL",
        "k",
        "CASE i % 4 WHEN 0 THEN i WHEN 1 THEN -i - 0.5 WHEN 2 THEN 'x' || i "
        "ELSE CAST(i AS BLOB) END",
    ),
    "two": ("k TEXT NOT NULL, n INTEGER NOT NULL", "k, n", "'same', i * 7919 % 104729"),
    "two, few": ("k REAL NOT NULL, n NOT NULL", "n, k", "i / 7.0, i % 5"),
    "nocase": (
        "k TEXT NOT NULL COLLATE NOCASE",
        "k",
        "CASE i % 2 WHEN 1 THEN 'Key' ELSE 'kEY' END || (i * 7919 % 9973) || '/' || i",
    ),
    "desc": ("k TEXT NOT NULL, n NOT NULL", "k DESC, n", "i * 7919 % 9973, i"),
}
NUMBERS = (
    "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
    "SELECT * FROM n)"
)
CHANGES = (
    "SELECT pk, cid, val, col_version, db_version, cl FROM crsql_changes WHERE \"table\" = '{}'"
)
KEY = "crsql_pack_columns(k)"


def make(db: rowtide.Connection, kind: str) -> None:
    """Make `without`, and `plain` that has rowids."""
    columns, key, _ = KINDS[kind]
    for name, how in (("without", "WITHOUT ROWID"), ("plain", "")):
        db.execute(
            f'CREATE TABLE "{name}" ({columns}, i, v, w DEFAULT 1.5, PRIMARY KEY ({key})) {how}'
        )
        db.crdt.enable(name)


@contextlib.contextmanager
def opened(path: Path | str, kind: str = "text", rows: int = 0) -> Iterator[rowtide.Connection]:
    with contextlib.closing(rowtide.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA cache_size = 20")
        make(db, kind)
        if rows:
            fill(db, kind, rows)
        yield db


def names_of(kind: str) -> str:
    return ", ".join(part.split()[0] for part in KINDS[kind][0].split(", "))


def both(db: rowtide.Connection, sql: str, *values: object) -> None:
    """The same to both tables, in one transaction."""
    inside = db.in_transaction
    if not inside:
        db.execute("BEGIN")
    for name in ("without", "plain"):
        db.execute(sql.replace("{t}", f'"{name}"'), values)
    if not inside:
        db.execute("COMMIT")


def fill(db: rowtide.Connection, kind: str, rows: int, value: str = "'value ' || i") -> None:
    key = KINDS[kind][2]
    both(
        db,
        f"INSERT INTO {{t}} ({names_of(kind)}, i, v) SELECT {key}, i, {value} FROM {NUMBERS}",
        rows,
    )


def told(db: rowtide.Connection, table: str, rest: str = "") -> list[tuple[Any, ...]]:
    return db.execute(f"{CHANGES.format(table)} {rest}").fetchall()


def by_cell(changes: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """An UPDATE goes along the table, so that the two have another order."""
    return sorted(changes, key=lambda change: change[:2])


def check(db: rowtide.Connection) -> None:
    found = by_cell(told(db, "without"))
    assert found == by_cell(told(db, "plain"))
    living = {(c[0], c[1]): c[2] for c in found if c[1] != "-1"}
    keys = ", ".join(
        name
        for (name,) in db.execute(
            "SELECT name FROM pragma_table_info('without') WHERE pk > 0 ORDER BY pk"
        )
    )
    stored = db.execute(f'SELECT crsql_pack_columns({keys}), i, v, w FROM "without"').fetchall()
    for pk, i, v, w in stored:
        assert (living[pk, "i"], living[pk, "v"], living[pk, "w"]) == (i, v, w)
    assert len(living) == 3 * len(stored)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_as_with_rowids(kind: str) -> None:
    """Also when rows have been changed, removed and made again."""
    with opened(":memory:", kind, 3000) as db:
        check(db)
        both(db, "UPDATE {t} SET v = w, w = NULL WHERE i % 7 = 3")
        both(db, "DELETE FROM {t} WHERE i % 5 = 1 OR i BETWEEN 700 AND 900")
        check(db)
        both(
            db,
            f"INSERT OR IGNORE INTO {{t}} ({names_of(kind)}, i, v) SELECT {KINDS[kind][2]}, "
            f"i, 'again' FROM {NUMBERS}",
            800,
        )
        check(db)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_values_of_all_kinds(encoding: str) -> None:
    values = ["NULL", "0", "-1", "9223372036854775807", "-9223372036854775808", "0.5", "-0.0"]
    values += ["1e999", "3.0", "''", "x''", "'héé 🐧'", "'a' || char(0) || 'b'", "zeroblob(9)"]
    values += ["x'ff00'", "printf('%.*c', 5000, 'x')"]
    with contextlib.closing(rowtide.connect(":memory:", isolation_level=None)) as db:
        db.execute(f"PRAGMA encoding = '{encoding}'")
        make(db, "any")
        for i, value in enumerate(values * 3):
            both(
                db,
                f"INSERT INTO {{t}} VALUES ('{i * 7919 % 997}', {i}, {value}, {values[i % 5]})",
            )
        both(db, "UPDATE {t} SET v = v, w = v")
        for shown in ("val", "typeof(val)", "quote(val)", "hex(val)", "length(val)"):
            of = f'SELECT pk, cid, {shown} FROM crsql_changes WHERE "table" = '
            found = [db.execute(f"{of} '{name}'").fetchall() for name in ("without", "plain")]
            assert by_cell(found[0]) == by_cell(found[1])
        check(db)


def test_more_rows_than_a_window_has() -> None:
    with opened(":memory:", rows=100_000) as db:
        assert told(db, "without") == told(db, "plain")


@pytest.mark.parametrize("size", ["300000", "abs(random()) % 800000", "i % 20 * 260000"])
def test_values_that_are_too_large_together(size: str) -> None:
    """Some of them are so alone."""
    with opened(":memory:") as db:
        fill(db, "text", 60, f"zeroblob({size})")
        db.execute('UPDATE plain SET v = (SELECT v FROM "without" AS o WHERE o.k = plain.k)')
        of = "\"table\" = '{}' AND cid = 'v'"
        lengths = "SELECT pk, length(val) FROM crsql_changes WHERE " + of
        found = db.execute(lengths.format("without")).fetchall()
        stored = db.execute(f"SELECT {KEY}, length(v) FROM plain").fetchall()
        assert sorted(found) == sorted(stored)
        whole = 'SELECT count(*) FROM crsql_changes, "without" WHERE ' + of + f" AND pk = {KEY}"
        [(alike,)] = db.execute(f"{whole.format('without')} AND val = v")
        assert alike == 60


def test_keys_that_are_too_large_together() -> None:
    with opened(":memory:") as db:
        for _ in range(2):
            both(
                db,
                "INSERT INTO {t} (k, i) SELECT i * 7919 % 9973 || printf('%.*c', CASE i % 11 "
                f"WHEN 3 THEN 1500000 ELSE 60000 END, 'x'), i FROM {NUMBERS} WHERE i NOT IN "
                "(SELECT i FROM {t})",
                70,
            )
            check(db)
            both(db, "DELETE FROM {t} WHERE i % 9 = 4")


def test_few_are_asked_for() -> None:
    with opened(":memory:", rows=2000) as db:
        every = told(db, "without")
        for limit in (1, 3, 4, 10, 100, 5000):
            assert told(db, "without", f"LIMIT {limit}") == every[:limit]
            assert told(db, "without", f"LIMIT {limit} OFFSET 77") == every[77 : 77 + limit]
        both(db, "UPDATE {t} SET v = -i WHERE i % 3 = 0")
        every = told(db, "without")
        assert told(db, "without", "ORDER BY db_version DESC, seq DESC") == every[::-1]
        assert told(db, "without", "AND db_version > 3") == [c for c in every if c[4] == 4]


def test_columns_in_any_order() -> None:
    """Each query of its own reads the value of the row more than once."""
    with opened(":memory:", rows=500) as db:
        pairs = db.execute(
            "SELECT a.val, b.val FROM crsql_changes AS a JOIN crsql_changes AS b "
            "ON a.pk = b.pk AND a.\"table\" = b.\"table\" WHERE a.cid = 'i' AND b.cid = 'v' "
            "AND a.\"table\" = 'without'"
        ).fetchall()
        assert pairs == [(i, f"value {i}") for i in range(1, 501)]


def test_pull_and_payload(tmp_path: Path) -> None:
    with opened(tmp_path / "a", "two", 5000) as db, opened(tmp_path / "b", "two") as peer:
        both(db, "UPDATE {t} SET w = i WHERE i % 4 = 0")
        pulled = [
            (c.pk, c.column, c.value, c.column_version, c.db_version, c.causal_length)
            for c in db.crdt.pull(tables="without")
        ]
        assert pulled == told(db, "without")
        peer.merge(db.crdt.payload())
        for table in ("without", "plain"):
            rows = f'SELECT * FROM "{table}" ORDER BY k, n'
            assert peer.execute(rows).fetchall() == db.execute(rows).fetchall()


# What is written while changes are read.
WRITES = {
    "update": "UPDATE {t} SET v = 'new ' || i, w = i + ?1 WHERE i % 3 = ?1 % 3",
    "delete": "DELETE FROM {t} WHERE i % 13 = ?1 % 13",
    "insert": "INSERT OR REPLACE INTO {t} (k, i, v) SELECT k, i, 'replaced' FROM {t} "
    "WHERE i % 17 = ?1 % 17",
    "move": "UPDATE {t} SET k = k || 'x' WHERE i % 19 = ?1 % 19",
}


def values_of(db: rowtide.Connection, table: str) -> dict[object, tuple[Any, ...]]:
    return {
        pk: tuple(rest) for pk, *rest in db.execute(f'SELECT {KEY}, i, v, w FROM "{table}"')
    }


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "transaction"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("table", ["without", "plain"])
def test_writing_while_reading(write: str, table: str, inside: bool) -> None:
    """Rows that come later have the values that they have then."""
    chance = random.Random(f"{write}{inside}")
    with opened(":memory:", rows=2000) as db:
        if inside:
            db.execute("BEGIN")
        reading = db.execute(CHANGES.format(table))
        wrote, seen, begun = 0, 0, None
        while some := reading.fetchmany(chance.choice([1, 7, 100, 1500])):
            now = values_of(db, table)
            # The module may be a step ahead, in a row that was begun before.
            before = (begun, some[0][0]) if wrote else ()
            for pk, cid, val, *_ in some:
                if pk in now and pk not in before and cid != "-1":
                    assert val == now[pk]["ivw".index(cid)], (pk, cid)
                    seen += 1
            begun = some[-1][0]
            wrote += 1
            if wrote < 12:
                db.execute(WRITES[write].replace("{t}", f'"{table}"'), (wrote,))
        assert seen > 2000
        if inside:
            db.execute("COMMIT")
        found = {(c[0], c[1]): c[2] for c in told(db, table) if c[1] != "-1"}
        for pk, row in values_of(db, table).items():
            assert row == tuple(found[pk, cid] for cid in "ivw")


def test_rolling_back_while_reading() -> None:
    with opened(":memory:", rows=2000) as db:
        db.execute("BEGIN")
        reading = db.execute(CHANGES.format("without"))
        reading.fetchmany(300)
        db.execute("SAVEPOINT s")
        db.execute("UPDATE \"without\" SET v = 'new', w = 'new'")
        reading.fetchmany(4)
        middle = reading.fetchmany(300)
        assert {c[2] for c in middle if c[1] != "i"} == {"new"}
        db.execute("ROLLBACK TO s")
        reading.fetchmany(4)
        rest = reading.fetchall()
        assert len(rest) > 5000
        assert "new" not in {c[2] for c in rest}
        db.execute("COMMIT")


def test_writing_at_every_row() -> None:
    """To another table: nothing that was read is lost, nor read anew each time."""
    with opened(":memory:", rows=3000) as db:
        db.execute("CREATE TABLE seen (pk, cid, val)")
        for pk, cid, val, *_ in db.execute(CHANGES.format("without")):
            db.execute("INSERT INTO seen VALUES (?, ?, ?)", (pk, cid, val))
        copied = db.execute("SELECT pk, cid, val FROM seen").fetchall()
        assert copied == [c[:3] for c in told(db, "plain")]


def test_damaged_keys_are_an_error(tmp_path: Path) -> None:
    chance = random.Random(5)
    with opened(tmp_path / "db", rows=300) as db:
        for _ in range(100):
            db.execute("BEGIN")
            [(body,)] = db.execute("SELECT keys FROM rowtide_crdt_keys_1 LIMIT 1")
            changed = bytearray(body)
            for _ in range(chance.randrange(1, 9)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            db.execute("UPDATE rowtide_crdt_keys_1 SET keys = ?", (bytes(changed),))
            with contextlib.suppress(sqlite3.DatabaseError):
                told(db, "without")
            db.execute("ROLLBACK")
        check(db)
