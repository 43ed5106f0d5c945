"""Rows that are merged are written many at once, where nothing can see or refuse them.

What comes of it is what comes of merging cell by cell: into a table with a CHECK that always
holds, whose rows are not held back, or by one INSERT for each change.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from typing import Any

import pytest
import rowtide
from hypothesis import given
from hypothesis import strategies as st
from rowtide import CrdtChange

# The columns of the key, and what kind of table it is.
TABLES = {
    "integers": ("k INTEGER PRIMARY KEY NOT NULL", ""),
    "texts": ("k TEXT PRIMARY KEY NOT NULL", "WITHOUT ROWID"),
    "blobs": ("k BLOB PRIMARY KEY NOT NULL", ""),
    "folding": ("k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL", "WITHOUT ROWID"),
}
CELLS = ["a", "b", "c"]
COLUMNS = "a, b TEXT NOT NULL DEFAULT 'none', c REAL"
SITES = [bytes([n]) * 16 for n in (1, 2)]
KEYS: dict[str, list[Any]] = {
    "integers": [1, 2, -1, 300, -(2**63)],
    "texts": [
        "",
        "a",
        "b",
        "a long one, the same at first: 1",
        "a long one, the same at first: 2",
    ],
    "blobs": [b"", b"a", b"\0"],
    "folding": ["a", "B", "ä"],  # two that are one to the table may end as either
}
VALUES = st.sampled_from([None, 0, 1, -2.5, "", "x", "ü" * 200, b"", b"\0\xff"])


def open_peer(check: str) -> rowtide.Connection:
    db = rowtide.connect(":memory:", isolation_level=None)
    for name, (key, kind) in TABLES.items():
        db.execute(f"CREATE TABLE {name}({key}, {COLUMNS}{check}) {kind}")
        db.crdt.enable(name)
    return db


@st.composite
def changes(draw: st.DrawFn) -> CrdtChange:
    table = draw(st.sampled_from(list(TABLES)))
    length = draw(st.sampled_from([1, 1, 1, 1, 2, 3]))
    column = "-1" if length % 2 == 0 else draw(st.sampled_from([*CELLS, *CELLS, "-1"]))
    value = None if column == "-1" else draw(VALUES)
    if column == "b" and value is None:
        value = "not null"
    version = length if column == "-1" else draw(st.integers(1, 3))
    return CrdtChange(
        table=table,
        pk=packed(draw(st.sampled_from(KEYS[table]))),
        column=column,
        value=value,
        column_version=version,
        db_version=draw(st.integers(1, 5)),
        site_id=draw(st.sampled_from(SITES)),
        causal_length=length,
        sequence=draw(st.integers(0, 3)),
    )


_helper = open_peer("")


def packed(key: Any) -> bytes:
    return bytes(_helper.execute("SELECT crsql_pack_columns(?)", (key,)).fetchone()[0])


def state(db: rowtide.Connection) -> list[Any]:
    """All rows, in the order of their keys, and all changes as they were made."""
    rows = [db.execute(f"SELECT * FROM {name} ORDER BY hex(k)").fetchall() for name in TABLES]
    log = db.execute(
        "SELECT * FROM crsql_changes ORDER BY db_version, seq, [table], pk, cid"
    ).fetchall()
    # The name of the database itself is another one in each.
    own = db.crdt.site_id
    return [*rows, [tuple(None if value == own else value for value in row) for row in log]]


def insert_each(db: rowtide.Connection, merged: list[CrdtChange]) -> None:
    db.execute("BEGIN")
    for change in merged:
        db.execute(
            "INSERT INTO crsql_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            change,
        )
    db.execute("COMMIT")


def insert_selected(db: rowtide.Connection, merged: list[CrdtChange]) -> None:
    db.execute("CREATE TEMP TABLE passed(n, c0, c1, c2, c3, c4, c5, c6, c7, c8)")
    for n, change in enumerate(merged):
        db.execute(
            "INSERT INTO passed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (n, *change),
        )
    db.execute(
        "INSERT INTO crsql_changes "
        "SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8 FROM passed ORDER BY n"
    )
    db.execute("DROP TABLE passed")


LISTS = st.lists(changes(), min_size=2, max_size=40)


@given(before=LISTS, merged=LISTS)
def test_as_cell_by_cell(before: list[CrdtChange], merged: list[CrdtChange]) -> None:
    with contextlib.ExitStack() as stack:
        batched, guarded, each, selected = (
            stack.enter_context(contextlib.closing(open_peer(check)))
            for check in ("", ", CHECK(1)", "", "")
        )
        for part in (before, merged):
            report = batched.merge(part)
            assert guarded.merge(part).applied == report.applied
            insert_each(each, part)
            insert_selected(selected, part)
            expected = state(guarded)
            assert state(batched) == expected
            assert state(each) == expected
            assert state(selected) == expected


# ## What may refuse a row is asked before

SIXTEEN = b"0123456789abcdef"


def cell(key: object, column: str, value: Any, site: bytes = SIXTEEN) -> CrdtChange:
    return CrdtChange("t", packed(key), column, value, 1, 1, site, 1, 0)


def open_with(*statements: str) -> contextlib.closing[rowtide.Connection]:
    db = rowtide.connect(":memory:", isolation_level=None)
    for sql in statements:
        db.execute(sql)
    db.crdt.enable("t")
    return contextlib.closing(db)


def test_a_clause_over_two_lines() -> None:
    clause = "NOT NULL ON\n CONFLICT IGNORE DEFAULT 0"
    with open_with(f"CREATE TABLE t(k INTEGER PRIMARY KEY NOT NULL, b {clause})") as db:
        with pytest.raises(rowtide.ConstraintError, match='table "t", key 2'):
            db.merge([cell(key, "b", None if key == 2 else key) for key in (1, 2, 3)])
        assert db.execute("SELECT count(*) FROM t, crsql_changes").fetchone() == (0,)


@pytest.mark.parametrize("expression", ["b -> '$.x'", "'x' GLOB b"])
def test_an_index_on_an_expression(expression: str) -> None:
    refused = "{" if "->" in expression else "?" * 60_000
    with open_with(
        "CREATE TABLE t(k INTEGER PRIMARY KEY NOT NULL, b)",
        f"CREATE INDEX i ON t({expression})",
        "CREATE TABLE mine(x)",
    ) as db:
        db.execute("BEGIN")
        db.execute("INSERT INTO mine VALUES (1)")
        changes = [cell(key, "b", refused if key == 2 else "1") for key in (1, 2, 3)]
        with pytest.raises(sqlite3.Error, match='table "t", key 2, column "b"'):
            insert_selected(db, changes)
        assert db.in_transaction
        assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM mine").fetchone() == (1,)


def test_a_key_that_is_not_a_number() -> None:
    not_a_number = bytes([1, 2]) + struct.pack(">d", float("nan"))
    with open_with("CREATE TABLE t(k REAL PRIMARY KEY NOT NULL, b)") as db:
        changes = [cell(0.5, "b", 1), cell(1.5, "b", 2)._replace(pk=not_a_number)]
        with pytest.raises(rowtide.InvalidError, match="a part of the key is NULL"):
            db.merge(changes)


def test_sites_while_changes_are_counted() -> None:
    """PRAGMA count_changes makes a row of what an INSERT wrote."""
    sites = [bytes([n]) * 16 for n in (5, 6, 7)]
    with open_with("CREATE TABLE t(k INTEGER PRIMARY KEY NOT NULL, b)") as db:
        db.execute("PRAGMA count_changes = 1")
        db.merge([cell(key, "b", key, site) for key, site in enumerate(sites, 1)])
        db.execute("PRAGMA count_changes = 0")
        found = db.execute("SELECT val, site_id FROM crsql_changes ORDER BY pk").fetchall()
        assert found == list(enumerate(sites, 1))
