"""Random values and writes, and a schema to throw them at."""

from __future__ import annotations

import dataclasses
import os
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from .database import Database, Row, Value
from .exchange import Change, changes

EDGES: list[Value] = [
    None, 0, 1, -1, 127, 128, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, -0.5, 1e300, 5e-324,
    1.7976931348623157e308, float("inf"), -float("inf"), float("nan"), "", "a", "A", "a ",
    "a\0", "a\0b", "é", "1", "-1", b"", b"\0", b"a", b"a\0", bytes(range(256)),
]  # fmt: skip

texts = st.text(st.characters(codec="utf-8"), max_size=4)
# Both zeros are one value to a comparison, so peers may keep either.
floats = st.floats(allow_nan=False).filter(bool)
values: st.SearchStrategy[Value] = st.sampled_from(EDGES) | st.one_of(
    st.integers(-(2**63), 2**63 - 1), floats, texts, st.binary(max_size=4)
)


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


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclasses.dataclass(frozen=True)
class Table:
    """A CRR: its columns in the table's order, and what may be in its keys."""

    name: str
    ddl: str
    keys: list[str]
    cells: list[str]
    key_values: st.SearchStrategy[tuple[Value, ...]]
    order: list[int] | None = None
    # Cells that turn a number into a text, which not every SQLite writes alike.
    texts: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return self.ddl

    def create(self, db: Database) -> None:
        db.run(self.ddl)
        db.run("SELECT crsql_as_crr(?1)", self.name)

    def rows(self, db: Database) -> list[Row]:
        keys = ", ".join(quoted(name) for name in self.keys)
        return db.run(f"SELECT * FROM {quoted(self.name)} ORDER BY {keys}")

    def package(self, db: Database, key: tuple[Value, ...]) -> bytes:
        """Pack a key, given in the table's order, in the key's own order."""
        key = tuple(key[index] for index in self.order or range(len(key)))
        holes = ", ".join(f"?{index + 1}" for index in range(len(key)))
        ((value,),) = db.run(f"SELECT crsql_pack_columns({holes})", *key)
        assert isinstance(value, bytes)
        return value


T = Table(
    "t",
    "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b TEXT, c REAL DEFAULT 1.5)",
    ["id"],
    ["a", "b", "c"],
    st.tuples(st.integers(1, 4)),
    texts=(1,),
)
U = Table(
    "u",
    "CREATE TABLE u (k TEXT NOT NULL, n INTEGER NOT NULL, g AS (typeof(w) || typeof(v)), "
    "v COLLATE NOCASE, w NUMERIC, PRIMARY KEY (n, k)) WITHOUT ROWID",
    ["k", "n"],
    ["v", "w"],
    st.tuples(st.sampled_from(["", "x", "é\0"]), st.sampled_from([-1, 256])),
    order=[1, 0],
)
S = Table(
    "s",
    "CREATE TABLE s (id BLOB PRIMARY KEY NOT NULL)",
    ["id"],
    [],
    st.tuples(st.sampled_from([b"", b"\0", b"k"])),
)
TABLES = [T, U, S]


@dataclasses.dataclass(frozen=True)
class Write:
    """One statement; `key` and `cells` are in the order of the table."""

    kind: str
    table: Table
    key: tuple[Value, ...]
    cells: tuple[Value, ...] = ()
    column: int = 0
    new_key: tuple[Value, ...] = ()

    def sql(self) -> tuple[str, list[Value]]:
        """The statement and its values. None updates anything to what it is.

        Such an update costs the peer a version and ours nothing.
        """
        table, width = quoted(self.table.name), len(self.key)
        names = [quoted(name) for name in self.table.keys + self.table.cells]
        holes = [f"?{index + 1}" for index in range(len(names) + width)]
        into = f"INTO {table} ({', '.join(names)}) VALUES ({', '.join(holes[: len(names)])})"
        same_key = " AND ".join(map("{} = {}".format, names[:width], holes[:width]))
        column = names[width + self.column] if self.cells else ""
        row = [*self.key, *self.cells]
        match self.kind:
            case "insert":
                return f"INSERT OR IGNORE {into}", row
            case "replace":
                return f"REPLACE {into}", row
            case "upsert":
                return (
                    f"INSERT OR IGNORE {into} "
                    f"ON CONFLICT DO UPDATE SET {column} = excluded.{column} "
                    f"WHERE {column} IS NOT excluded.{column}",
                    row,
                )
            case "update":
                hole = holes[width]
                return (
                    f"UPDATE OR IGNORE {table} SET {column} = {hole} "
                    f"WHERE {same_key} AND {column} IS NOT {hole}",
                    [*self.key, self.cells[self.column]],
                )
            case "move":
                moved = ", ".join(map("{} = {}".format, names[:width], holes[width:]))
                return (
                    f"UPDATE OR IGNORE {table} SET {moved} WHERE {same_key}",
                    [*self.key, *self.new_key],
                )
        return f"DELETE FROM {table} WHERE {same_key}", list(self.key)


@st.composite
def writes(draw: st.DrawFn, tables: list[Table], moves: bool) -> Write:
    table = draw(st.sampled_from(tables))
    kinds = ["insert", "insert", "delete", "replace", *["move", "move"] * moves]
    if table.cells:
        kinds += ["update", "update", "update", "upsert"]
    kind = draw(st.sampled_from(kinds))
    key = draw(table.key_values)
    if kind == "move":
        return Write(kind, table, key, new_key=draw(table.key_values))
    if kind == "delete":
        return Write(kind, table, key)
    cells = tuple(
        None if isinstance(value, float) and index in table.texts else value
        for index, value in enumerate(draw(st.tuples(*[values] * len(table.cells))))
    )
    column = draw(st.integers(0, len(cells) - 1)) if kind in ("update", "upsert") else 0
    return Write(kind, table, key, cells, column)


class Transaction(NamedTuple):
    """Writes that belong together; those from `undone` on are taken back."""

    writes: list[Write]
    undone: int | None
    rolled_back: bool


@st.composite
def transactions(
    draw: st.DrawFn, tables: list[Table] = TABLES, moves: bool = False
) -> Transaction:
    batch = draw(st.lists(writes(tables, moves), min_size=1, max_size=4))
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


def contents(db: Database, tables: list[Table] = TABLES) -> list[list[Row]]:
    return [table.rows(db) for table in tables]


def winners(db: Database, tables: list[Table] = TABLES) -> list[tuple[Value, ...]]:
    """What all peers must agree on in the end: each cell's value and version.

    A sentinel of the first life says no more than the cells do, and peers that
    get a cell first don't record it; a table of keys alone has nothing else.
    """
    bare = {table.name for table in tables if not table.cells}
    found = [
        (row.table, row.pk, row.cid, row.val, row.col_version, row.cl)
        for row in changes(db)
        if not (row.cid == "-1" and row.cl == 1 and row.table not in bare)
    ]
    return sorted(found, key=lambda row: (row[0], row[1], row[2]))


SITES = [b"\x01" * 16, b"\x02" * 16, b"\xff"]


class Forged(NamedTuple):
    """A change that no honest site has sent, before its key is packed."""

    table: Table
    key: tuple[Value, ...]
    cid: str
    val: Value
    numbers: tuple[int, int, int, int]
    site: bytes

    def made(self, db: Database) -> Change:
        version, db_version, cl, seq = self.numbers
        pk = self.table.package(db, self.key)
        return Change(
            self.table.name, pk, self.cid, self.val, version, db_version, self.site, cl, seq
        )


# Columns have affinities: a peer of the same schema sends what they can hold.
held: dict[str, st.SearchStrategy[Value]] = {
    "-1": st.none(),
    "b": st.none() | texts | st.binary(max_size=4),
    "c": st.none() | floats,
    "w": st.none() | st.integers(-3, 3) | st.sampled_from(["x", b"1", 0.5]),
}


@st.composite
def forged(draw: st.DrawFn) -> Forged:
    table = draw(st.sampled_from(TABLES))
    cl = draw(st.integers(1, 5))
    cid = "-1" if cl % 2 == 0 else draw(st.sampled_from([*table.cells, *table.cells, "-1"]))
    version = cl if cid == "-1" else draw(st.integers(1, 3))
    numbers = (version, draw(st.integers(1, 9)), cl, draw(st.integers(0, 4)))
    val = draw(held.get(cid, values))
    return Forged(
        table, draw(table.key_values), cid, val, numbers, draw(st.sampled_from(SITES))
    )
