"""A table with everything that a rebuild can lose, and the facts that have to be the
same afterwards. It knows of no tool: the benchmark asks others the same questions."""

import pathlib
import sqlite3
from collections.abc import Callable, Collection

SQL = pathlib.Path(__file__).parent.parent / "core" / "tests" / "traps.sql"

Fact = Callable[[sqlite3.Connection, str], object]
FACTS: dict[str, Fact] = {}

COLUMNS = 'id, code, "the name", amount, born, word, up, owner_id, size, spare'


def fact(function: Fact) -> Fact:
    FACTS[function.__name__] = function
    return function


def make(path: str = ":memory:") -> sqlite3.Connection:
    """A new database with the table, and foreign keys off."""
    con = sqlite3.connect(path, isolation_level=None)
    con.executescript(SQL.read_text(encoding="utf-8"))
    return con


def rows(con: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return con.execute(sql).fetchall()


def stored(con: sqlite3.Connection, name: str) -> object:
    return rows(con, f"SELECT type, tbl_name, sql FROM sqlite_schema WHERE name = '{name}'")


def copy(con: sqlite3.Connection) -> sqlite3.Connection:
    """For questions that can only be asked by writing."""
    other = sqlite3.connect(":memory:", isolation_level=None)
    con.backup(other)
    other.execute("PRAGMA foreign_keys=ON")
    return other


def after(con: sqlite3.Connection, write: str, read: str) -> object:
    other = copy(con)
    try:
        other.executescript(write)
        return rows(other, read)
    finally:
        other.close()


def refuses(con: sqlite3.Connection, write: str) -> object:
    other = copy(con)
    try:
        other.execute(write)
        return "accepted"
    except sqlite3.IntegrityError as error:
        return str(error)
    finally:
        other.close()


# Rows. Each column is a fact of its own, so that a change of one says which.


def column_fact(name: str) -> None:
    def values(con: sqlite3.Connection, table: str) -> object:
        return rows(con, f'SELECT "{name}", typeof("{name}") FROM {table} ORDER BY id')

    FACTS["values of " + name] = values


for column_name in (
    "code",
    "the name",
    "amount",
    "born",
    "word",
    "up",
    "owner_id",
    "size",
    "spare",
):
    column_fact(column_name)


@fact
def rowids(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT rowid, id FROM {table} ORDER BY 1")


@fact
def virtual_column(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT id, twice, size * 2 FROM {table} ORDER BY id")


@fact
def stored_column(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT id, thrice, size * 3 FROM {table} ORDER BY id")


@fact
def generated_kinds(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT name, hidden FROM pragma_table_xinfo('{table}') WHERE hidden > 0")


@fact
def children_that_cascade(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "SELECT id, parent_id FROM child ORDER BY id")


@fact
def children_that_are_set_null(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "SELECT id, parent_id FROM guest ORDER BY id")


@fact
def rows_elsewhere(con: sqlite3.Connection, table: str) -> object:
    return [
        rows(con, f"SELECT * FROM {name} ORDER BY 1, 2") for name in ("owner", "firm", "pairs")
    ]


@fact
def rowids_without_a_key(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "SELECT rowid, * FROM plain ORDER BY rowid")


# The definition.


@fact
def sequence(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'")


@fact
def no_number_twice(con: sqlite3.Connection, table: str) -> object:
    return after(
        con, f"INSERT INTO {table} (code) VALUES ('n')", f"SELECT max(id) FROM {table}"
    )


@fact
def comments(con: sqlite3.Connection, table: str) -> object:
    (sql,) = con.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    return [
        text in sql
        for text in (
            "-- numbers are never given twice",
            "/* a comment, with ( and ' and ; in it */",
        )
    ]


@fact
def quoting_of_names(con: sqlite3.Connection, table: str) -> object:
    (sql,) = con.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    return ["[up]" in sql, "`twice`" in sql]


@fact
def names_of_constraints(con: sqlite3.Connection, table: str) -> object:
    (sql,) = con.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    names = ("amount_short", "code_once", "not_both")
    return ["CONSTRAINT " + name in sql for name in names]


@fact
def collation(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"SELECT id FROM {table} WHERE code = 'ALPHA'")


@fact
def default_expression(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"INSERT INTO {table} (code) VALUES ('n')",
        f"SELECT \"the name\" FROM {table} WHERE code = 'n'",
    )


@fact
def default_keyword(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"INSERT INTO {table} (code) VALUES ('n')",
        f"SELECT born GLOB '2*-*-* *:*:*' FROM {table} WHERE code = 'n'",
    )


@fact
def default_string_like_a_keyword(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"INSERT INTO {table} (code) VALUES ('n')",
        f"SELECT word FROM {table} WHERE code = 'n'",
    )


@fact
def default_literal(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"INSERT INTO {table} (code) VALUES ('n')",
        f"SELECT size FROM {table} WHERE code = 'n'",
    )


@fact
def not_null(con: sqlite3.Connection, table: str) -> object:
    return refuses(con, f"INSERT INTO {table} (code) VALUES (NULL)") != "accepted"


@fact
def check_of_column(con: sqlite3.Connection, table: str) -> object:
    return refuses(con, f"INSERT INTO {table} (code, size) VALUES ('n', 0)") != "accepted"


@fact
def check_with_name(con: sqlite3.Connection, table: str) -> object:
    return refuses(con, f"INSERT INTO {table} (code, amount) VALUES ('n', '{'x' * 40}')")


@fact
def check_of_table(con: sqlite3.Connection, table: str) -> object:
    return refuses(con, f"INSERT INTO {table} (code, word, size) VALUES ('n', 'never', 99)")


@fact
def unique_on_conflict_ignore(con: sqlite3.Connection, table: str) -> object:
    insert = f"INSERT INTO {table} (code, size) VALUES ('ALPHA', 1)"
    return [refuses(con, insert), after(con, insert, f"SELECT count(*) FROM {table}")]


# References.


@fact
def cascade(con: sqlite3.Connection, table: str) -> object:
    return after(con, f"DELETE FROM {table} WHERE id = 2", "SELECT id FROM child ORDER BY id")


@fact
def set_null(con: sqlite3.Connection, table: str) -> object:
    return after(con, f"DELETE FROM {table} WHERE id = 5", "SELECT * FROM guest ORDER BY id")


@fact
def set_null_in_itself(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"DELETE FROM child; DELETE FROM {table} WHERE id = 1",
        f"SELECT id, up FROM {table} ORDER BY id",
    )


@fact
def reference_to_a_missing_row(con: sqlite3.Connection, table: str) -> object:
    return refuses(con, f"INSERT INTO {table} (code, owner_id) VALUES ('n', 77)")


@fact
def reference_is_deferred(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"BEGIN; INSERT INTO {table} (id, code, up) VALUES (500, 'n', 501);"
        f"INSERT INTO {table} (id, code) VALUES (501, 'm'); COMMIT",
        f"SELECT up FROM {table} WHERE id = 500",
    )


@fact
def foreign_key_check(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "PRAGMA foreign_key_check")


@fact
def integrity_check(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "PRAGMA integrity_check")


# Indexes and statistics.


def index_fact(name: str) -> None:
    def definition(con: sqlite3.Connection, table: str) -> object:
        return [stored(con, name), rows(con, f"PRAGMA index_xinfo({name})")]

    FACTS["index " + name] = definition


for index_name in (
    "parent_owner",
    "parent_lower",
    "parent_large",
    "parent_order",
    "plain_name",
):
    index_fact(index_name)


@fact
def statistics(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2")


@fact
def index_is_used(con: sqlite3.Connection, table: str) -> object:
    return rows(con, f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE owner_id = 1")[0][3]


# Views, triggers, full text.


@fact
def view(con: sqlite3.Connection, table: str) -> object:
    return [rows(con, "SELECT * FROM large ORDER BY 1"), stored(con, "large")]


@fact
def view_on_a_view(con: sqlite3.Connection, table: str) -> object:
    return [rows(con, "SELECT * FROM largest"), stored(con, "largest")]


@fact
def trigger_of_the_view(con: sqlite3.Connection, table: str) -> object:
    return after(con, "INSERT INTO large (code) VALUES ('v')", "SELECT * FROM log")


@fact
def own_trigger(con: sqlite3.Connection, table: str) -> object:
    write = f"UPDATE {table} SET size = 3 WHERE id = 1"
    return [after(con, write, "SELECT * FROM log"), stored(con, "parent_changed")]


@fact
def trigger_of_another_table(con: sqlite3.Connection, table: str) -> object:
    return [
        after(
            con,
            "INSERT INTO child VALUES (99, 5)",
            f'SELECT "the name" FROM {table} WHERE id = 5',
        ),
        stored(con, "child_added"),
    ]


@fact
def full_text(con: sqlite3.Connection, table: str) -> object:
    return [
        rows(con, "SELECT rowid, name FROM words WHERE words MATCH 'fox' ORDER BY 1"),
        rows(con, "SELECT rowid, code FROM codes WHERE codes MATCH 'gamma OR beta' ORDER BY 1"),
    ]


@fact
def full_text_follows(con: sqlite3.Connection, table: str) -> object:
    return after(
        con,
        f"INSERT INTO {table} (code) VALUES ('omega'); DELETE FROM {table} WHERE id = 5;"
        "INSERT INTO codes (codes) VALUES ('integrity-check');"
        "INSERT INTO words (words) VALUES ('integrity-check')",
        "SELECT code FROM codes WHERE codes MATCH 'omega OR gamma'",
    )


@fact
def nothing_left_over(con: sqlite3.Connection, table: str) -> object:
    return rows(con, "SELECT type, name FROM sqlite_schema ORDER BY 1, 2")


def ask(con: sqlite3.Connection, table: str = "parent") -> dict[str, object]:
    """Every fact by its name; one that cannot be found out is its error."""
    found: dict[str, object] = {}
    for name, question in FACTS.items():
        try:
            found[name] = question(con, table)
        except sqlite3.Error as error:
            found[name] = f"error: {error}"
    return found


def lost(
    before: dict[str, object], now: dict[str, object], changed: Collection[str] = ()
) -> list[str]:
    """Names of the facts that are not what they were."""
    return [name for name in before if now[name] != before[name] and name not in changed]
