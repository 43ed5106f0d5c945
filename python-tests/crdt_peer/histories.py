"""Random values, writes and changes, and a schema to throw them at."""

from __future__ import annotations

import os
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .database import Database, Row, Value
from .exchange import changes

SCHEMA = """
    CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b TEXT, c REAL DEFAULT 1.5);
    CREATE TABLE u (
        k TEXT NOT NULL, n INTEGER NOT NULL, g AS (w || v), v COLLATE NOCASE, w NUMERIC,
        PRIMARY KEY (n, k)
    ) WITHOUT ROWID;
    CREATE TABLE s (id BLOB PRIMARY KEY NOT NULL);
    SELECT crsql_as_crr('t'); SELECT crsql_as_crr('u'); SELECT crsql_as_crr('s');
"""
KEYS = {"t": ["id"], "u": ["k", "n"], "s": ["id"]}
CELLS = {"t": ["a", "b", "c"], "u": ["v", "w"], "s": []}

EDGES: list[Value] = [
    None, 0, 1, -1, 127, 128, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, -0.5, 1e300, 5e-324,
    float("inf"), -float("inf"), "", "a", "A", "a\0", "a\0b", "é", "1", "-1", b"", b"\0", b"a",
    b"a\0", bytes(range(256)),
]  # fmt: skip

values: st.SearchStrategy[Value] = st.sampled_from(EDGES) | st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False).filter(bool),
    st.text(st.characters(codec="utf-8"), max_size=4),
    st.binary(max_size=4),
)
keys = {
    "t": st.tuples(st.integers(1, 4)),
    "u": st.tuples(st.sampled_from(["", "x", "é\0"]), st.sampled_from([-1, 256])),
    "s": st.tuples(st.sampled_from([b"", b"\0", b"k"])),
}


def bounded(examples: int) -> settings:
    """The same few histories each time; CRDT_EXAMPLES=20 for twenty times as many new ones."""
    times = int(os.environ.get("CRDT_EXAMPLES", "0"))
    return settings(
        max_examples=examples * (times or 1),
        derandomize=not times,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Write(NamedTuple):
    """One statement; `key` and `cells` are in the order of the table."""

    kind: str
    table: str
    key: tuple[Value, ...]
    cells: tuple[Value, ...] = ()
    column: str = ""
    new_key: tuple[Value, ...] = ()

    def sql(self) -> tuple[str, list[Value]]:
        names = KEYS[self.table] + CELLS[self.table]
        columns = ", ".join(names)
        holes = ", ".join(f"?{index + 1}" for index in range(len(names)))
        width = len(self.key)
        where = " AND ".join(
            f"{name} = ?{index + 1}" for index, name in enumerate(names[:width])
        )
        row = [*self.key, *self.cells]
        column, first = self.column, [*self.key, *self.cells[:1]]
        hole = f"?{width + 1}"
        match self.kind:
            case "insert":
                return f"INSERT OR IGNORE INTO {self.table} ({columns}) VALUES ({holes})", row
            case "replace":
                return f"REPLACE INTO {self.table} ({columns}) VALUES ({holes})", row
            case "upsert":
                # An update to the same values costs the peer a version, ours nothing.
                return (
                    f"INSERT INTO {self.table} ({columns}) VALUES ({holes}) "
                    f"ON CONFLICT DO UPDATE SET {column} = excluded.{column} "
                    f"WHERE {column} IS NOT excluded.{column}",
                    row,
                )
            case "update":
                return (
                    f"UPDATE {self.table} SET {column} = {hole} "
                    f"WHERE {where} AND {column} IS NOT {hole}",
                    first,
                )
            case "move":
                moved = ", ".join(
                    f"{name} = ?{width + index + 1}" for index, name in enumerate(names[:width])
                )
                return (
                    f"UPDATE OR IGNORE {self.table} SET {moved} WHERE {where}",
                    [*self.key, *self.new_key],
                )
        return f"DELETE FROM {self.table} WHERE {where}", list(self.key)


@st.composite
def writes(draw: st.DrawFn, moves: bool = False) -> Write:
    kinds = ["insert", "insert", "replace", "upsert", "update", "update", "delete"]
    table = draw(st.sampled_from(["t", "t", "t", "u", "u", "s"]))
    kind = draw(st.sampled_from(kinds + ["move", "move"] * moves))
    key = draw(keys[table])
    cells = tuple(draw(st.tuples(*[values] * len(CELLS[table]))))
    if kind == "move":
        return Write(kind, table, key, new_key=draw(keys[table]))
    if not cells and kind in ("upsert", "update"):
        kind = "replace"
    column = draw(st.sampled_from(CELLS[table])) if cells else ""
    return Write(kind, table, key, cells, column)


class Transaction(NamedTuple):
    """Writes that belong together; those after `undone` are taken back."""

    writes: list[Write]
    undone: int | None
    rolled_back: bool


@st.composite
def transactions(draw: st.DrawFn, moves: bool = False) -> Transaction:
    batch = draw(st.lists(writes(moves), min_size=1, max_size=4))
    undone = draw(st.none() | st.none() | st.integers(0, len(batch)))
    return Transaction(batch, undone, draw(st.sampled_from([False] * 7 + [True])))


def perform(db: Database, transaction: Transaction) -> None:
    batch, undone, rolled_back = transaction
    statements: list[tuple[str, list[Value]]] = [("BEGIN", [])]
    for index, write in enumerate(batch):
        if index == undone:
            statements.append(("SAVEPOINT before", []))
        statements.append(write.sql())
    if undone is not None and undone < len(batch):
        statements.append(("ROLLBACK TO before", []))
    statements.append(("ROLLBACK" if rolled_back else "COMMIT", []))
    db.run_all(statements)


def tables(db: Database, names: list[str] | None = None) -> dict[str, list[Row]]:
    return {
        name: db.run(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names or ["t", "u"]
    } | {"s": db.run("SELECT * FROM s ORDER BY 1")}


def winners(db: Database) -> list[tuple[Value, ...]]:
    """What all peers must agree on in the end: each cell's value and version.

    A sentinel of the first life says no more than the cells do, and peers that
    get a cell first don't record it; a table of keys alone has nothing else.
    """
    found = [
        (row.table, row.pk, row.cid, row.val, row.col_version, row.cl)
        for row in changes(db)
        if not (row.cid == "-1" and row.cl == 1 and row.table != "s")
    ]
    return sorted(found, key=lambda row: (row[0], row[1], row[2]))
