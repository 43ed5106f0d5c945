"""What a database has to tell of its changes, kept in plain Python.

The statements run in a database without the extension, whose triggers only note
the rows; the clocks are made of these notes, one by one.
"""

from __future__ import annotations

import copy
import sqlite3
import struct

from .database import Value

Row = tuple[Value, ...]
Cell = list[int]  # version, db_version, seq
Clock = dict[str, Cell]
SENTINEL = "-1"

# Its columns of the key come first.
TABLES = {
    "a": ("CREATE TABLE a (id INTEGER PRIMARY KEY NOT NULL, x, y TEXT, z REAL)", 1, "id x y z"),
    "b": ("CREATE TABLE b (k TEXT PRIMARY KEY NOT NULL, v, w)", 1, "k v w"),
    "c": ("CREATE TABLE c (k BLOB PRIMARY KEY NOT NULL, v) WITHOUT ROWID", 1, "k v"),
    "d": ("CREATE TABLE d (p NOT NULL, q TEXT NOT NULL, v, PRIMARY KEY (q, p))", 2, "q p v"),
    "e": ("CREATE TABLE e (k TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, v)", 1, "k v"),
    "f": ("CREATE TABLE f (k INTEGER NOT NULL, l TEXT NOT NULL, PRIMARY KEY (k, l))", 2, "k l"),
    "g": ("CREATE TABLE g (id INTEGER PRIMARY KEY NOT NULL)", 1, "id"),
    "h": ("CREATE TABLE h (id INTEGER PRIMARY KEY NOT NULL, v CHECK (v IS NOT 13))", 1, "id v"),
}


def columns(table: str) -> tuple[list[str], list[str]]:
    """Its keys and its other columns."""
    _, keys, names = TABLES[table]
    return names.split()[:keys], names.split()[keys:]


def pack_value(value: Value) -> bytes:
    if isinstance(value, int):
        size = 8 if value < 0 else (value.bit_length() + 7) // 8
        return bytes([size << 3 | 1]) + value.to_bytes(size, "big", signed=value < 0)
    if isinstance(value, float):
        return b"\x02" + struct.pack(">d", value)
    if value is None:
        return b"\x05"
    data = value.encode() if isinstance(value, str) else value
    size = (len(data).bit_length() + 7) // 8
    kind = 3 if isinstance(value, str) else 4
    return bytes([size << 3 | kind]) + len(data).to_bytes(size, "big") + data


def pack(values: Row) -> bytes:
    return bytes([len(values)]) + b"".join(pack_value(value) for value in values)


def is_same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and one == other


def is_twin(one: Row, other: Row) -> bool:
    """Two keys for which there is one place only."""
    return all(
        a.lower() == b.lower() if isinstance(a, str) and isinstance(b, str) else a == b
        for a, b in zip(one, other, strict=True)
    )


def length(clock: Clock) -> int:
    return clock[SENTINEL][0] if SENTINEL in clock else 1 if clock else 0


class Key(tuple[Value, ...]):
    """1 and 1.0 are two keys."""

    def __hash__(self) -> int:
        return hash(pack(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and pack(self) == pack(other)


class Oracle:
    def __init__(self, tables: list[str]) -> None:
        self.tables = tables
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.execute(
            "CREATE TABLE notes (n INTEGER PRIMARY KEY, t, o0, n0, o1, n1, o2, n2, o3, n3)"
        )
        for table in tables:
            self.db.execute(TABLES[table][0])
            for event, parts in (("INSERT", "n"), ("UPDATE", "on"), ("DELETE", "o")):
                self.note_rows(table, event, parts)
        self.clocks: dict[str, dict[Row, Clock]] = {table: {} for table in tables}
        self.version = self.sequence = 0
        # Of these transactions the sequences have gaps that nobody foretells.
        self.torn: set[int] = set()
        self.is_torn = False
        self.kept: list[tuple[str, dict[str, dict[Row, Clock]]]] = []

    def note_rows(self, table: str, event: str, parts: str) -> None:
        names = [name for half in columns(table) for name in half]
        places = [f"{part}{i}" for part in parts for i in range(len(names))]
        rows = {"o": "OLD", "n": "NEW"}
        values = [f"{rows[part]}.{name}" for part in parts for name in names]
        self.db.execute(
            f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} BEGIN INSERT INTO notes "
            f"(t, {', '.join(places)}) VALUES ('{table} {event}', {', '.join(values)}); END"
        )

    # Transactions

    def begin(self) -> None:
        self.kept = [("", copy.deepcopy(self.clocks))]

    def savepoint(self, name: str) -> None:
        self.kept.append((name, copy.deepcopy(self.clocks)))

    def find(self, name: str) -> int:
        return max(i for i, (kept, _) in enumerate(self.kept) if kept == name)

    def rollback_to(self, name: str) -> None:
        at = self.find(name)
        self.clocks = copy.deepcopy(self.kept[at][1])
        del self.kept[at + 1 :]
        self.is_torn = True

    def release(self, name: str) -> None:
        del self.kept[self.find(name) :]

    def end(self, committed: bool) -> None:
        before = self.kept[0][1]
        if not committed:
            self.clocks = before
        elif self.clocks != before:
            self.version += 1
            if self.is_torn:
                self.torn.add(self.version)
        self.kept = []
        self.sequence = 0
        self.is_torn = False

    # Rows

    def set(self, clock: Clock, cid: str, version: int | None = None) -> None:
        if version is None:
            version = clock[cid][0] + 1 if cid in clock else 1
        clock[cid] = [version, self.version + 1, self.sequence]
        self.sequence += 1

    def create(self, clock: Clock) -> None:
        old = clock[SENTINEL][0] if SENTINEL in clock else 0
        self.set(clock, SENTINEL, old + (2 if old % 2 else 1))

    def delete(self, clock: Clock) -> None:
        version = clock[SENTINEL][0] + 1 if SENTINEL in clock else 2
        clock.clear()
        self.set(clock, SENTINEL, version)

    def bury_twins(self, table: str, key: Row, moving: Row | None) -> None:
        for other, clock in self.clocks[table].items():
            same = pack(other) in (pack(key), pack(moving or key))
            if not same and length(clock) % 2 and (table in "de" and is_twin(key, other)):
                self.delete(clock)

    def clock(self, table: str, key: Row) -> Clock:
        return self.clocks[table].setdefault(Key(key), {})

    def inserted(self, table: str, key: Row) -> None:
        self.bury_twins(table, key, None)
        clock = self.clock(table, key)
        names = columns(table)[1]
        if clock or not names:
            if SENTINEL in clock or not names:
                self.create(clock)
            else:
                self.sequence += 1
        for name in names:
            self.set(clock, name)

    def moved(self, table: str, old: Row, new: Row) -> None:
        self.bury_twins(table, new, old)
        source, target = self.clock(table, old), self.clock(table, new)
        if target and SENTINEL not in target:
            target[SENTINEL] = [1, self.version + 1, 0]
        for name in columns(table)[1]:
            if name in source:
                self.set(target, name, source[name][0])
        self.delete(source)
        self.create(target)

    def updated(self, table: str, old: Row, new: Row) -> None:
        keys, names = columns(table)
        size = len(keys)
        if pack(old[:size]) != pack(new[:size]):
            self.moved(table, old[:size], new[:size])
        for name, was, now in zip(names, old[size:], new[size:], strict=True):
            if not is_same(was, now):
                self.set(self.clock(table, new[:size]), name)

    def replay(self) -> None:
        """Take in what the triggers noted."""
        for _, what, *values in self.db.execute("SELECT * FROM notes ORDER BY n").fetchall():
            table, event = what.split()
            keys, names = columns(table)
            size = len(keys) + len(names)
            old, new = tuple(values[::2][:size]), tuple(values[1::2][:size])
            if event == "INSERT":
                self.inserted(table, new[: len(keys)])
            elif event == "DELETE":
                self.delete(self.clock(table, old[: len(keys)]))
            else:
                self.updated(table, old, new)
        self.db.execute("DELETE FROM notes")

    def rows(self, table: str) -> list[Row]:
        names = ", ".join(name for half in columns(table) for name in half)
        return self.db.execute(f"SELECT {names} FROM {table}").fetchall()

    def changes(self) -> list[Row]:
        """table, pk, cid, val, col_version, db_version, cl, seq."""
        told: list[Row] = []
        for table in self.tables:
            keys, names = columns(table)
            found = {pack(row[: len(keys)]): row[len(keys) :] for row in self.rows(table)}
            for key, clock in self.clocks[table].items():
                pk = pack(key)
                for cid, (version, db_version, seq) in clock.items():
                    val = None if cid == SENTINEL else found[pk][names.index(cid)]
                    told.append((table, pk, cid, val, version, db_version, length(clock), seq))
        return told
