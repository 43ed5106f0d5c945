"""SQL that is generated, run with tools that know nothing of this library."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess

import apsw
import pytest
import rowtide
import schema_traps
from rowtide.schema import Schema
from test_schema_traps import CHANGES


def uncomment(sql):
    return re.sub("^-- ", "", sql, flags=re.MULTILINE)


def run_shell(path, sql):
    shell = shutil.which("sqlite3")
    if not shell:
        pytest.skip("there is no sqlite3 shell here")
    done = subprocess.run(
        [shell, "-bail", str(path)], input=sql, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def run_python(path, sql):
    db = sqlite3.connect(path)
    db.executescript(sql)
    db.close()


def run_apsw(path, sql):
    db = apsw.Connection(str(path))
    assert db.execute(sql).fetchall() == []
    db.close()


def schema_of(path):
    db = rowtide.connect(path)
    found = db.schema()
    db.close()
    return found


@pytest.mark.parametrize("run", [run_shell, run_python, run_apsw])
@pytest.mark.parametrize("what", CHANGES)
def test_the_table_with_every_trap_survives(tmp_path, what, run):
    before, after, changed = CHANGES[what]
    old = schema_traps.SQL.read_text(encoding="utf-8")
    new = old.replace(before, after)
    assert new != old
    path = tmp_path / "a.db"
    db = schema_traps.make(str(path))
    facts = schema_traps.ask(db)
    db.close()
    change = schema_of(path).diff(new)
    run(path, uncomment(change.up()))
    assert not schema_of(path).diff(new)
    db = sqlite3.connect(path)
    assert schema_traps.lost(facts, schema_traps.ask(db), {*changed, "statistics"}) == []
    db.close()
    run(path, uncomment(change.down()))
    assert not schema_of(path).diff(old)


def test_a_file_of_a_migration_does_nothing_but_add(tmp_path):
    path = tmp_path / "a.db"
    run_python(path, "CREATE TABLE t(a TEXT, b); INSERT INTO t VALUES ('1', 2)")
    change = schema_of(path).diff("CREATE TABLE t(a INT, c DEFAULT 3); CREATE TABLE s(x)")
    run_shell(path, f"BEGIN;\n{change.up()}COMMIT;")
    db = sqlite3.connect(path)
    assert db.execute("SELECT * FROM t").fetchall() == [("1", 2, 3)]
    assert db.execute("SELECT * FROM s").fetchall() == []
    db.close()
    run_shell(path, f"BEGIN;\n{change.down()}COMMIT;")
    db = sqlite3.connect(path)
    assert db.execute("SELECT * FROM t").fetchall() == [("1", 2)]
    db.close()


def test_nothing_to_do_is_no_text():
    change = Schema("CREATE TABLE t(a)").diff("CREATE TABLE t(a)")
    assert (change.up(), change.down()) == ("", "")


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        ("a TEXT UNIQUE", "(2, '1'), (5, '1')"),
        ("a CHECK (missing(a))", "(2, '1')"),
        ("a INT NOT NULL", "(2, '1'), (5, NULL)"),
        ("a INT", "(2, '1')"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_tool_that_goes_on_after_an_error_loses_nothing(tmp_path, column, rows, inside):
    path = tmp_path / "a.db"
    old = """
        CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);
        CREATE INDEX i ON t(a);
        CREATE TABLE c(t REFERENCES t ON DELETE CASCADE);
    """
    run_python(path, f"{old} INSERT INTO t VALUES {rows}; INSERT INTO c VALUES (2)")
    change = schema_of(path).diff(old.replace("a TEXT", column))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA foreign_keys={int(inside)}")
    if inside:
        db.execute("BEGIN")
    failed = go_on(db, uncomment(change.up()))
    db.close()
    done = column == "a INT" and not inside
    assert bool(failed) != done
    assert bool(schema_of(path).diff(old)) == done
    db = sqlite3.connect(path)
    found = db.execute("SELECT id, CAST(a AS TEXT) FROM t").fetchall()
    assert str(found) == f"[{rows}]".replace("NULL", "None")
    assert db.execute("SELECT * FROM c").fetchall() == [(2,)]
    db.close()


def go_on(db, sql):
    """Run all statements, as the shell does unless it is told otherwise."""
    failed = []
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if not sqlite3.complete_statement(statement):
            continue
        try:
            db.execute(statement).fetchall()
        except sqlite3.Error as error:
            failed.append(str(error))
        statement = ""
    return failed
