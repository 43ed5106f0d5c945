"""Rows after a plan: what an INSERT of each old one into a new table would give, or
nothing has happened at all."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace

import rowtide
from hypothesis import given
from hypothesis import strategies as st
from schema_random import RandomTable, Schema, edits, quote, schema_sql, schemas

VALUES = st.sampled_from(
    [None, None, 0, 1, 2, 7, -1, 2.0, 2.5, 0.1 + 0.2, 1e300, 2**53 + 1, "", "a b", "A B", "7",
     "007", "1e3", "1.0", " 8", "12abc", "99999999999999999999", b"", b"7", b"\x01"]
)  # fmt: skip


def plain(schema: Schema) -> Schema:
    """Without what makes the oracle's answer depend on order or time."""

    def one(table: RandomTable) -> RandomTable:
        columns = tuple(
            replace(
                column,
                references=None,
                default=None if column.default == "CURRENT_TIMESTAMP" else column.default,
            )
            for column in table.columns
        )
        return replace(table, columns=columns, trigger=None)

    return {name: one(table) for name, table in schema.items()}


def stored(table: RandomTable) -> list[str]:
    return [column.name for column in table.columns if column.generated is None]


def rowid_column(table: RandomTable) -> str | None:
    if table.without_rowid or len(table.key) != 1:
        return None
    (column,) = (column for column in table.columns if column.name == table.key[0])
    return column.name if column.type == "INTEGER" else None


def fill(db: sqlite3.Connection, table: RandomTable, data: st.DataObject) -> None:
    names = stored(table)
    for _ in range(data.draw(st.integers(0, 4))):
        row = [data.draw(VALUES) for _ in names]
        columns = ", ".join(map(quote, names))
        places = ", ".join("?" * len(row))
        with contextlib.suppress(sqlite3.Error):
            db.execute(f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})", row)


def rows(db: sqlite3.Connection, table: RandomTable) -> list[tuple[object, ...]]:
    rowid = "" if table.without_rowid else "rowid, "
    columns = ", ".join(
        f"{quote(column.name)}, typeof({quote(column.name)})" for column in table.columns
    )
    found = db.execute(f"SELECT {rowid}{columns} FROM {quote(table.name)}").fetchall()
    return sorted(found, key=repr)


def copied(old_db: sqlite3.Connection, old: Schema, new: Schema) -> sqlite3.Connection:
    """The rows of the old database in a new one; an IntegrityError if they don't fit."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(schema_sql(new))
    for name, table in new.items():
        if name not in old:
            continue
        into = [
            column for column in stored(table) if column in [c.name for c in old[name].columns]
        ]
        source = [quote(column) for column in into]
        alias = rowid_column(table)
        if not old[name].without_rowid and not table.without_rowid:
            if alias is None:
                into, source = ["rowid", *into], ["rowid", *source]
            elif alias not in into:
                into, source = [alias, *into], ["rowid", *source]
        if not into:
            count = len(old_db.execute(f"SELECT 1 FROM {quote(name)}").fetchall())
            if count and table.without_rowid:
                raise sqlite3.IntegrityError("a key would be made up")
            db.executescript(f"INSERT INTO {quote(name)} DEFAULT VALUES;" * count)
            continue
        insert = f"INSERT OR ABORT INTO {quote(name)} ({', '.join(map(quote, into))})"
        for row in old_db.execute(f"SELECT {', '.join(source)} FROM {quote(name)}").fetchall():
            if alias in into and row[into.index(alias)] is None:
                raise sqlite3.IntegrityError("a rowid would be made up")
            db.execute(f"{insert} VALUES ({', '.join('?' * len(row))})", row)
    return db


def dump(db: sqlite3.Connection, schema: Schema) -> list[object]:
    return [
        db.execute("SELECT type, name, sql FROM sqlite_schema").fetchall(),
        *(rows(db, table) for table in schema.values()),
    ]


@given(schemas().flatmap(lambda old: st.tuples(st.just(old), edits(old))), st.data())
def test_rows_are_as_if_inserted_anew(pair: tuple[Schema, Schema], data: st.DataObject) -> None:
    old, new = plain(pair[0]), plain(pair[1])
    db = rowtide.connect(":memory:", isolation_level=None)
    db.executescript(schema_sql(old))
    for table in old.values():
        fill(db, table, data)
    before = dump(db, old)
    try:
        expected = copied(db, old, new)
    except sqlite3.IntegrityError:
        expected = None
    try:
        db.plan(schema_sql(new), allow=("lossy", "destructive")).apply()
    except rowtide.ConstraintError as error:
        assert expected is None, error
        assert dump(db, old) == before
    else:
        assert expected is not None
        assert [rows(db, t) for t in new.values()] == [rows(expected, t) for t in new.values()]
        # SQLite 3.40 finds faults in some tables without rowid that have none.
        check = "PRAGMA integrity_check"
        assert db.execute(check).fetchall() == expected.execute(check).fetchall()
    finally:
        db.close()
