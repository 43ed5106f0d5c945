"""Rows that are merged are written many at once, where nothing can see or refuse them.

What comes of it is what comes of merging cell by cell: into a table with a CHECK that always
holds, whose rows are not held back, or by one INSERT for each change.
"""

from __future__ import annotations

import contextlib
from typing import Any

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
