"""A database with our extension loaded, through whichever module can load it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

Value = int | float | str | bytes | None
Row = tuple[Value, ...]

ROOT = Path(__file__).resolve().parents[2]


class SqlError(Exception):
    """What SQLite or the extension refused, with SQLite's code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def primary(self) -> int:
        return self.code & 0xFF


class Database(Protocol):
    name: str

    def run(self, sql: str, *values: Value) -> list[Row]:
        """Run one or more statements without values, or one with them."""

    def run_all(self, statements: Iterable[tuple[str, Sequence[Value]]]) -> None:
        """Run one statement after the other; the first that fails ends it."""

    def close(self) -> None: ...


def one(db: Database, sql: str, *values: Value) -> Value:
    ((value,),) = db.run(sql, *values)
    return value


def extension_path() -> str:
    return os.environ.get("ROWTIDE_EXTENSION", str(ROOT / "build/extension/rowtide.so"))


def decode(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def with_casts(sql: str, values: Sequence[Value]) -> tuple[str, list[Value]]:
    """Bind a text that isn't UTF-8 as the blob that it is made from."""
    bound = list(values)
    for index, value in enumerate(values):
        if isinstance(value, str) and not value.isascii():
            data = value.encode(errors="surrogateescape")
            if b"\xed" in data or data != value.encode(errors="ignore"):
                sql = sql.replace(f"?{index + 1}", f"CAST(?{index + 1} AS TEXT)")
                bound[index] = data
    return sql, bound


class Stdlib:
    """Python's own module."""

    def __init__(self, path: str, entry_point: str | None) -> None:
        self.name = "ours"
        self.native = sqlite3.connect(path, isolation_level=None)
        self.native.text_factory = decode
        if entry_point is not None:
            self.load(entry_point)

    def load(self, entry_point: str) -> None:
        self.native.enable_load_extension(True)
        try:
            self.native.execute("SELECT load_extension(?, ?)", (extension_path(), entry_point))
        except sqlite3.Error as error:
            self.native.close()
            raise SqlError(str(error), error.sqlite_errorcode) from None

    def run(self, sql: str, *values: Value) -> list[Row]:
        try:
            if not values:
                return self.run_script(sql)
            return self.native.execute(*with_casts(sql, values)).fetchall()
        except sqlite3.Error as error:
            raise SqlError(str(error), getattr(error, "sqlite_errorcode", -1)) from None

    def run_script(self, sql: str) -> list[Row]:
        rows: list[Row] = []
        for statement in split(sql):
            rows = self.native.execute(statement).fetchall()
        return rows

    def run_all(self, statements: Iterable[tuple[str, Sequence[Value]]]) -> None:
        for sql, values in statements:
            self.run(sql, *values)

    def close(self) -> None:
        self.native.close()


class Apsw:
    """apsw, with an SQLite of its own, where Python's module can't load."""

    def __init__(self, path: str, entry_point: str | None) -> None:
        import apsw

        self.name = "ours"
        self.errors = apsw.Error
        self.native = apsw.Connection(path)
        if entry_point is not None:
            self.load(entry_point)

    def load(self, entry_point: str) -> None:
        self.native.enable_load_extension(True)
        try:
            self.native.load_extension(extension_path(), entry_point)
        except self.errors as error:
            self.native.close()
            raise self.translate(error) from None

    def translate(self, error: Exception) -> SqlError:
        code = getattr(error, "extendedresult", -1)
        return SqlError(str(error).removeprefix(f"{type(error).__name__}: "), code)

    def run(self, sql: str, *values: Value) -> list[Row]:
        try:
            return list(self.native.execute(*with_casts(sql, values)))
        except self.errors as error:
            raise self.translate(error) from None

    def run_all(self, statements: Iterable[tuple[str, Sequence[Value]]]) -> None:
        for sql, values in statements:
            self.run(sql, *values)

    def close(self) -> None:
        self.native.close()


def split(sql: str) -> Iterable[str]:
    """Cut a script at the semicolons that end a statement."""
    start = 0
    while (end := sql.find(";", start)) >= 0:
        statement = sql[: end + 1]
        if sqlite3.complete_statement(statement):
            yield statement
            sql, start = sql[end + 1 :], 0
        else:
            start = end + 1
    if sql.strip():
        yield sql


def uses_apsw() -> bool:
    wanted = os.environ.get("ROWTIDE_TEST_SQLITE", "")
    return wanted == "apsw" or not hasattr(sqlite3.Connection, "enable_load_extension")


def sqlite_name() -> str:
    """The version of the SQLite that our extension runs in."""
    return str(one(ours(entry_point=None), "SELECT sqlite_version()"))


def ours(
    path: str | Path = ":memory:", entry_point: str | None = "sqlite3_rowtide_init"
) -> Stdlib | Apsw:
    """Open a database with our extension in it."""
    kind = Apsw if uses_apsw() else Stdlib
    return kind(str(path), entry_point)
