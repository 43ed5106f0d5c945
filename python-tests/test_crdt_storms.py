"""Random statements, transactions and connections, against an oracle of the clocks."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from pathlib import Path

import pytest
from crdt_peer import Database, SqlError, Value, changes, ours
from crdt_peer.oracle import TABLES, Oracle, Row, columns, pack

BULK = {
    "a": "i, i % 7, 'n', i * 0.5",
    "b": "'t' || i, i, i % 3",
    "c": "CAST(i AS BLOB), i",
    "d": "'t' || i, i, NULL",
    "e": "'k' || i, i",
    "f": "i, 't' || i",
    "g": "i",
    "h": "i, i % 3",
}
VALUES: list[Value] = [None, 1, 1.0, "1", b"1", 2.5, "text", b"\0", "y" * 200, -(2**63), 13]
SERIES = "WITH RECURSIVE n(i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n WHERE i < {})"
CHOICES: dict[str, list[Value]] = {
    "b": ["", "a\0", "z" * 500],
    "c": [b"", b"\0\0"],
    "d": [1, 1.0, "1", b"1", 2.5, -1],
    "f": ["", "x"],
}


class Storm:
    """A file, several connections to it, and what it has to be like."""

    def __init__(self, path: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.tables = self.random.sample(sorted(TABLES), self.random.randrange(1, 6))
        self.oracle = Oracle(self.tables)
        self.path = path
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA page_size = {self.random.choice([512, 4096, 65536])}")
            db.execute(f"PRAGMA journal_mode = {self.random.choice(['WAL', 'DELETE'])}")
        self.all: list[Database] = [ours(path) for _ in range(self.random.randrange(1, 4))]
        self.db = self.all[0]
        for table in self.tables:
            self.db.run(f"{TABLES[table][0]}; SELECT crsql_as_crr('{table}')")

    # Statements

    def key(self, table: str, name: str) -> Value:
        choices = [] if (table, name) in (("d", "q"), ("f", "k")) else CHOICES.get(table, [])
        if choices and self.random.random() < 0.1:
            return self.random.choice(choices)
        number = self.random.randrange(40)
        if table in "agh" or name == "p" or (table, name) == ("f", "k"):
            return number
        if table == "e":
            return self.random.choice(["k", "K"]) + str(number)
        return str(number).encode() if table == "c" else f"t{number}"

    def keys(self, table: str) -> list[Value]:
        return [self.key(table, name) for name in columns(table)[0]]

    def value(self) -> Value:
        return self.random.choice([*VALUES, self.random.randrange(10)])

    def insert(self, table: str) -> tuple[str, list[Value]]:
        keys, names = columns(table)
        verb = self.random.choice(["", "OR REPLACE", "OR REPLACE", "OR IGNORE", "OR FAIL"])
        marks = ", ".join(f"?{i + 1}" for i in range(len(keys + names)))
        sql = f"INSERT {verb} INTO {table} ({', '.join(keys + names)}) VALUES ({marks})"
        if names and not verb and self.random.random() < 0.5:
            sql += f" ON CONFLICT DO UPDATE SET {names[0]} = excluded.{names[0]}"
        return sql, [*self.keys(table), *(self.value() for _ in names)]

    def insert_many(self, table: str) -> tuple[str, list[Value]]:
        names = ", ".join(name for half in columns(table) for name in half)
        first = self.random.randrange(60)
        series = SERIES.format(first, first + self.random.choice([3, 80]))
        verb = self.random.choice(["OR REPLACE", "OR IGNORE", ""])
        return f"INSERT {verb} INTO {table} ({names}) {series} SELECT {BULK[table]} FROM n", []

    def update(self, table: str) -> tuple[str, list[Value]]:
        keys, names = columns(table)
        if not names or self.random.random() < 0.3:
            verb = self.random.choice(["", "OR REPLACE", "OR IGNORE"])
            return self.update_row(table, f"UPDATE {verb}", keys, self.keys(table))
        chosen = self.random.sample(names, self.random.randrange(1, len(names) + 1))
        return self.update_row(table, "UPDATE", chosen, [self.value() for _ in chosen])

    def update_row(
        self, table: str, verb: str, names: list[str], values: list[Value]
    ) -> tuple[str, list[Value]]:
        sets = ", ".join(f"{name} = ?{i + 1}" for i, name in enumerate(names))
        where, found = self.where(table, len(names))
        return f"{verb} {table} SET {sets} WHERE {where}", [*values, *found]

    def where(self, table: str, before: int = 0) -> tuple[str, list[Value]]:
        keys = columns(table)[0]
        tests = [f"{name} = ?{before + i + 1}" for i, name in enumerate(keys)]
        return " AND ".join(tests), self.keys(table)

    def delete(self, table: str) -> tuple[str, list[Value]]:
        if self.random.random() < 0.1:
            return f"DELETE FROM {table}", []
        where, values = self.where(table)
        return f"DELETE FROM {table} WHERE {where}", values

    def run(self) -> None:
        """A statement does the same here and there, or fails here and there."""
        table = self.random.choice(self.tables)
        forms = [
            self.insert,
            self.insert,
            self.update,
            self.update,
            self.delete,
            self.insert_many,
        ]
        sql, values = self.random.choice(forms)(table)
        outside = not self.oracle.kept
        if outside:
            self.db = self.random.choice(self.all)
            self.oracle.begin()
        failed = self.fails_here(sql, values)
        assert failed == self.fails_there(sql, values), (sql, values)
        self.oracle.is_torn |= failed
        self.oracle.replay()
        if outside:
            self.oracle.end(committed=True)

    def fails_here(self, sql: str, values: list[Value]) -> bool:
        try:
            self.db.run(sql, *values)
        except SqlError as error:
            assert error.primary == sqlite3.SQLITE_CONSTRAINT
            return True
        return False

    def fails_there(self, sql: str, values: list[Value]) -> bool:
        try:
            self.oracle.db.execute(sql, values)
        except sqlite3.IntegrityError:
            return True
        return False

    # Transactions

    def both(self, sql: str) -> None:
        self.db.run(sql)
        self.oracle.db.execute(sql)

    def begin(self) -> None:
        if not self.oracle.kept:
            self.db = self.random.choice(self.all)
            self.both("BEGIN")
            self.oracle.begin()

    def savepoint(self) -> None:
        names = [name for name, _ in self.oracle.kept if name]
        if names and self.random.random() < 0.6:
            name = self.random.choice(names)
            back = self.random.random() < 0.6
            self.both(f"ROLLBACK TO {name}" if back else f"RELEASE {name}")
            (self.oracle.rollback_to if back else self.oracle.release)(name)
        elif self.oracle.kept:
            name = self.random.choice("xyz")
            self.both(f"SAVEPOINT {name}")
            self.oracle.savepoint(name)

    def end(self) -> None:
        if self.oracle.kept:
            commit = self.random.random() < 0.8
            self.both("COMMIT" if commit else "ROLLBACK")
            self.oracle.end(commit)

    def reopen(self) -> None:
        if not self.oracle.kept:
            at = self.random.randrange(len(self.all))
            self.all[at].close()
            self.all[at] = self.db = ours(self.path)

    def vacuum(self) -> None:
        if not self.oracle.kept:
            self.random.choice(self.all).run("VACUUM")

    # What has to hold

    def check(self) -> None:
        db = self.db if self.oracle.kept else self.random.choice(self.all)
        told = changes(db)
        assert [(c.db_version, c.seq) for c in told] == sorted(
            (c.db_version, c.seq) for c in told
        )
        found = [
            (c.table, c.pk, c.cid, c.val, c.col_version, c.db_version, c.cl, c.seq)
            for c in told
        ]
        assert self.without_torn(found) == self.without_torn(self.oracle.changes())
        for table in self.tables:
            clocks = db.run(f"SELECT count(*), max(db_version) FROM {table}__crsql_clock")
            mine = [c.db_version for c in told if c.table == table]
            assert clocks == [(len(mine), max(mine, default=None))]
        if not self.oracle.kept:
            assert db.run("SELECT crsql_db_version()") == [(self.oracle.version,)]
            since = self.random.randrange(self.oracle.version + 1)
            assert changes(db, "db_version > ?1", since) == [
                c for c in told if c.db_version > since
            ]

    def without_torn(self, told: list[Row]) -> list[str]:
        now = self.oracle.version + 1 if self.oracle.is_torn else None
        return sorted(
            repr(row[:7] if row[5] in self.oracle.torn or row[5] == now else row)
            for row in told
        )

    def blow(self, steps: int) -> None:
        for _ in range(steps):
            what = [self.run] * 12 + [self.begin, self.savepoint, self.savepoint, self.end]
            self.random.choice([*what, self.reopen, self.vacuum, self.check, self.check])()
        self.end()
        self.check()
        assert self.db.run("PRAGMA integrity_check") == [("ok",)]

    def close(self) -> None:
        for db in self.all:
            db.close()


@pytest.mark.parametrize("seed", range(16))
def test_a_storm(tmp_path: Path, seed: int) -> None:
    with contextlib.closing(Storm(tmp_path / "db", seed)) as storm:
        storm.blow(120)


def test_keys_are_packed_alike() -> None:
    with contextlib.closing(ours()) as db:
        row = (0, 255, -1, 2**62, 1.5, "text", b"\0", None)
        marks = ", ".join(f"?{i + 1}" for i in range(len(row)))
        assert db.run(f"SELECT crsql_pack_columns({marks})", *row) == [(pack(row),)]
