"""Changes the type of one column with other tools: what they lose of a table with
everything that can be lost, and how long a plain table takes. Prints tables.

The questions about what is left are those of the tests (schema_traps.py). A tool
that fails gets a simpler table, without what it stumbles over, until it succeeds."""

import importlib.metadata
import pathlib
import re
import sqlite3
import sys
import time
import warnings
from collections.abc import Callable

import rowtide
import sqlalchemy
import sqlite_utils
from alembic.migration import MigrationContext
from alembic.operations import Operations

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python-tests"))
import schema_traps

Change = Callable[[str, str, bool], None]

# What is taken away, and the text without it.
SIMPLER: list[tuple[str, Callable[[str], str]]] = [
    ("the default expression", lambda sql: sql.replace("DEFAULT ('x' || 'y')", "DEFAULT 'xy'")),
    (
        "generated columns",
        lambda sql: re.sub(r"    (`twice`|thrice) INTEGER [^\n]*\n", "", sql),
    ),
    (
        "views",
        lambda sql: re.sub(
            r"CREATE TRIGGER large_insert.*?END;\n|CREATE VIEW [^\n]*\n",
            "",
            sql,
            flags=re.DOTALL,
        ),
    ),
    (
        "triggers of other tables",
        lambda sql: re.sub(r"CREATE TRIGGER child_added.*?END;\n", "", sql, flags=re.DOTALL),
    ),
    (
        "full text",
        lambda sql: re.sub(
            r"CREATE TRIGGER (plain|parent)_(insert|delete|update).*?END;\n"
            r"|CREATE VIRTUAL TABLE [^\n]*\n",
            "",
            sql,
            flags=re.DOTALL,
        ),
    ),
]


def with_rowtide(path: str, table: str, foreign_keys: bool) -> None:
    db = rowtide.connect(path, isolation_level=None)
    db.execute(f"PRAGMA foreign_keys={foreign_keys:d}")
    sql = db.schema().to_sql()
    db.plan(sql.replace("amount TEXT", "amount INTEGER"), allow="lossy").apply()
    db.close()


def with_sqlite_utils(path: str, table: str, foreign_keys: bool) -> None:
    con = sqlite3.connect(path)
    con.execute(f"PRAGMA foreign_keys={foreign_keys:d}")
    db = sqlite_utils.Database(con)
    db[table].transform(types={"amount": int})
    con.close()


def with_alembic(path: str, table: str, foreign_keys: bool) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as con, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            con.exec_driver_sql(f"PRAGMA foreign_keys={foreign_keys:d}")
            con.commit()
            with (
                con.begin(),
                Operations(MigrationContext.configure(con)).batch_alter_table(table) as batch,
            ):
                batch.alter_column("amount", type_=sqlalchemy.Integer())
    finally:
        engine.dispose()


TOOLS: dict[str, Change] = {
    "rowtide": with_rowtide,
    "sqlite-utils": with_sqlite_utils,
    "alembic": with_alembic,
}


def name_of(tool: str) -> str:
    return f"{tool} {importlib.metadata.version(tool)}" if tool != "rowtide" else "Rowtide"


# -- What is lost


def ask(path: str) -> dict[str, object]:
    con = sqlite3.connect(path, isolation_level=None)
    try:
        return schema_traps.ask(con)
    finally:
        con.close()


def make(path: str, sql: str) -> None:
    con = sqlite3.connect(path, isolation_level=None)
    con.executescript(sql)
    con.close()


def one_line(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).splitlines()[0]
    return text.replace("|", "\\|")


def try_table(
    directory: pathlib.Path, change: Change, foreign_keys: bool
) -> tuple[list[str], list[str], int, list[str]]:
    """What had to be taken away, the errors before that, how many facts there were,
    and which of them are lost."""
    sql = schema_traps.SQL.read_text(encoding="utf-8")
    gone: list[str] = []
    errors: list[str] = []
    for what, simplify in [("", lambda text: text), *SIMPLER]:
        path = directory / f"{len(list(directory.iterdir()))}.db"
        sql = simplify(sql)
        gone += [what] if what else []
        make(str(path), sql)
        before = ask(str(path))
        known = {key: value for key, value in before.items() if "error: " not in str(value)}
        try:
            change(str(path), "parent", foreign_keys)
        except Exception as error:
            now = ask(str(path))
            left = schema_traps.lost(known, now)
            errors.append(
                one_line(error) + (f" (and leaves {', '.join(left)})" if left else "")
            )
            continue
        # The values are those of another type, as was asked for.
        return (
            gone,
            errors,
            len(known),
            schema_traps.lost(known, ask(str(path)), {"values of amount"}),
        )
    return gone, errors, 0, []


def print_losses(directory: pathlib.Path) -> None:
    print("\n### One column's type, on a table with everything that can be lost\n")
    heads = "tool | foreign keys | fails with | succeeds without | facts | lost | which"
    print(f"| {heads} |")
    print("|" + " --- |" * (heads.count("|") + 1))
    for tool, change in TOOLS.items():
        for foreign_keys in (False, True):
            gone, errors, facts, lost = try_table(directory, change, foreign_keys)
            cells = [
                name_of(tool),
                "on" if foreign_keys else "off",
                "; ".join(dict.fromkeys(errors)) or "-",
                (", ".join(gone) or "-") if facts else "never",
                facts or "-",
                len(lost) if facts else "-",
                ", ".join(lost) or "-",
            ]
            print("| " + " | ".join(map(str, cells)) + " |")


# -- Time

PLAIN = """
CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT NOT NULL, amount TEXT, note TEXT,
    at INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX t_code ON t (code);
CREATE INDEX t_amount ON t (amount, at);
CREATE INDEX t_at ON t (at);
"""


def fill(path: str, rows: int) -> None:
    con = sqlite3.connect(path, isolation_level=None)
    con.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; BEGIN; {PLAIN}")
    con.executemany(
        "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                i,
                f"{i * 2654435761 % 2**32:08x}",
                str(i % 10007),
                "n" * 60,
                i * 7 % 1000003,
                i % 3,
            )
            for i in range(rows)
        ),
    )
    con.execute("COMMIT")
    con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    con.close()


def print_times(directory: pathlib.Path, rows: int, rounds: int) -> None:
    best: dict[str, float] = {}
    for number in range(rounds):
        for tool, change in TOOLS.items():
            path = str(directory / f"{tool}-{number}.db")
            fill(path, rows)
            start = time.process_time()
            change(path, "t", False)
            best[tool] = min(best.get(tool, float("inf")), time.process_time() - start)
            pathlib.Path(path).unlink()
    print(f"\n### One column's type, on a plain table of {rows} rows with three indexes\n")
    print("| tool | CPU s | time / Rowtide |")
    print("| --- | --- | --- |")
    for tool, seconds in best.items():
        print(f"| {name_of(tool)} | {seconds:.2f} | {seconds / best['rowtide']:.2f} |")


def main() -> None:
    directory = pathlib.Path(sys.argv[1])
    for name in ("traps", "plain"):
        (directory / name).mkdir()
    print_losses(directory / "traps")
    print_times(directory / "plain", int(sys.argv[2]), int(sys.argv[3]))


main()
