"""rowtide schema: looking at schemas and changing them from the shell."""

from __future__ import annotations

import os
import pty
import sqlite3
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from test_cli import ROWTIDE, Shell

OLD = """\
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL COLLATE NOCASE, -- who
  age INT DEFAULT 1 CHECK (age > 0),
  boss INTEGER REFERENCES users(id) ON DELETE SET NULL,
  old TEXT,
  UNIQUE (name, age)
);
CREATE TABLE tags (user REFERENCES users, tag, PRIMARY KEY (user, tag)) WITHOUT ROWID;
CREATE INDEX by_age ON users(age DESC) WHERE age > 3;
CREATE VIEW grown AS SELECT name FROM users WHERE age > 17;
CREATE TRIGGER noted AFTER UPDATE ON users BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE words USING fts5(body);
"""
NEW = (
    OLD.replace("age INT DEFAULT", "age TEXT DEFAULT").replace("old TEXT", "email TEXT")
    + "CREATE TABLE extra (id INTEGER PRIMARY KEY);\n"
)
ROWS = """
    INSERT INTO users (name, age, old) VALUES ('Ada', 36, 'x'), ('Bob', 40, NULL);
    INSERT INTO tags VALUES (1, 'a');
"""


@pytest.fixture
def sh(tmp_path: Path) -> Shell:
    db = sqlite3.connect(tmp_path / "app.db")
    db.executescript(OLD + ROWS)
    db.close()
    (tmp_path / "old.sql").write_text(OLD)
    (tmp_path / "new.sql").write_text(NEW)
    return Shell(tmp_path)


def test_show_lists_what_a_table_has(sh):
    text = sh("schema", "show", "app.db").out
    assert text.startswith(
        "users\n"
        "  id    INTEGER  primary key autoincrement\n"
        "  name  TEXT     not null  collate NOCASE\n"
        "  age   INT      default 1\n"
        "  boss  INTEGER  references users(id) on delete SET NULL\n"
        "  old   TEXT\n"
        "  unique (name, age)\n"
        "  check (age > 0)\n"
        "  index by_age (age desc)  where age > 3\n"
        "  trigger noted  AFTER UPDATE\n"
        "\n"
        "tags  without rowid\n"
    )
    assert "words  virtual, using fts5\n" in text
    assert "words_data" not in text
    assert "grown  view\n  name  TEXT\n" in text
    assert text.endswith("\n3 tables, 1 view, 1 index, 1 trigger\n")
    assert sh("schema", "show", "old.sql").out == text
    assert sh("schema", "show", "-", stdin=OLD.encode()).out == text


def test_show_some_tables(sh):
    assert sh("schema", "show", "app.db", "TAGS", "grown").out == (
        "tags  without rowid\n"
        "  user    not null  references users\n"
        "  tag     not null\n"
        "  primary key (user, tag)\n"
        "\n"
        "grown  view\n"
        "  name  TEXT\n"
        "\n"
    )
    shown = sh("schema", "show", "app.db", "grown", "users", "--json").json
    assert [table["name"] for table in shown["tables"]] == ["users"]
    assert [view["name"] for view in shown["views"]] == ["grown"]
    sql = sh("schema", "show", "app.db", "users", "--sql").out
    assert "CREATE INDEX by_age" in sql and "CREATE TABLE tags" not in sql
    svg = sh("schema", "show", "app.db", "users", "--svg").out
    assert ">tags<" not in svg
    error = sh("schema", "show", "app.db", "nothing", status=1).err
    assert error == ('rowtide: schema show: app.db: there is no table or view "nothing"\n')


def test_show_in_other_forms(sh):
    sql = sh("schema", "show", "app.db", "--sql").out
    (sh.folder / "again.sql").write_text(sql)
    assert sh("schema", "show", "again.sql", "--sql").out == sql
    assert "  name TEXT NOT NULL COLLATE NOCASE, -- who\n" in sql
    json = sh("schema", "show", "app.db", "--json")
    assert sh("schema", "show", "again.sql", "--json").out == json.out
    assert json.json["tables"][0]["columns"][2]["affinity"] == "integer"
    sh("schema", "show", "app.db", "--svg", "-o", "app.svg")
    svg = ET.parse(sh.folder / "app.svg").getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ["".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "users" in texts and "name" in texts and "words using fts5" in texts


def test_diff(sh):
    assert sh("schema", "diff", "app.db", "old.sql").out == "no changes\n"
    sh("schema", "diff", "app.db", "old.sql", "--exit-code")
    text = sh("schema", "diff", "app.db", "new.sql", "--exit-code", status=1).out
    lines = text.splitlines()
    assert lines[0] == "users"
    assert any(line.startswith("  ~ column age: type INT → TEXT ") for line in lines)
    assert any(line.startswith("  + column email TEXT ") for line in lines)
    assert any(line.startswith("  - column old TEXT ") for line in lines)
    assert any(line.startswith("+ table extra ") for line in lines)
    assert lines[-1] == "4 changes: 2 additive, 1 lossy, 1 destructive"
    changes = sh("schema", "diff", "app.db", "new.sql", "--json").json["changes"]
    assert {change["effect"] for change in changes} == {"additive", "lossy", "destructive"}


def test_diff_with_hints(sh):
    renamed = sh("schema", "diff", "old.sql", "new.sql", "--rename", "users.old=email").out
    assert "> column old → email" in renamed
    assert "destructive" not in renamed
    error = sh(
        "schema", "diff", "old.sql", "new.sql", "--rename", "none=tags2", "--json", status=1
    ).err
    assert "not_found" in error
    few = (
        b"CREATE TABLE tags (user REFERENCES users, tag, PRIMARY KEY (user, tag)) WITHOUT ROWID"
    )
    ignored = sh("schema", "diff", "app.db", "-", "--undeclared", "ignore", stdin=few)
    assert ignored.out == "no changes\n"
    assert "- table users" in sh("schema", "diff", "app.db", "-", stdin=few).out
    sh("schema", "diff", "app.db", "old.sql", "--undeclared", "perhaps", status=2)


def test_plan_only_looks(sh):
    before = (sh.folder / "app.db").read_bytes()
    text = sh("schema", "plan", "app.db", "new.sql").out
    assert "refused: " in text
    assert text.splitlines()[-1].endswith(" refused")
    allowed = ["--allow", "lossy", "--allow", "destructive"]
    text = sh("schema", "plan", "app.db", "new.sql", *allowed, "--sql").out
    assert "rebuild table users" in text
    assert "2 rows, needs about " in text
    assert "refused" not in text
    assert "\nCREATE TABLE extra (id INTEGER PRIMARY KEY);\n" in text
    plan = sh("schema", "plan", "app.db", "new.sql", *allowed, "--json").json
    assert set(plan) == {"steps", "findings"}
    assert [step["refused"] for step in plan["steps"]] == [None] * len(plan["steps"])
    assert (sh.folder / "app.db").read_bytes() == before
    assert sh("schema", "plan", "app.db", "old.sql", "--exit-code").out == "nothing to do\n"
    sh("schema", "plan", "app.db", "new.sql", "--exit-code", status=1)
    sh("schema", "plan", "app.db", "missing.sql", "--exit-code", status=2)
    sh("schema", "plan", "app.db", "new.sql", "--allow", "everything", status=2)


def test_plan_finds_rows_in_the_way(sh):
    strict = OLD.replace("  old TEXT", "  old TEXT NOT NULL")
    text = sh("schema", "plan", "app.db", "-", stdin=strict.encode()).out
    assert 'rows in the way:\n  ! table "users", column "old": 1 row' in text
    assert "rowid = 2" in text
    error = sh("schema", "apply", "app.db", "-", stdin=strict.encode(), status=1).err
    assert error.startswith('rowtide: schema apply: table "users", column "old": 1 row')
    assert sh("schema", "diff", "app.db", "old.sql").out == "no changes\n"


def test_apply(sh):
    allowed = ["--allow", "lossy", "--allow", "destructive"]
    dry = sh("schema", "apply", "app.db", "new.sql", *allowed, "--dry-run").out
    assert "done     table users  2 rows  " in dry
    assert dry.endswith("nothing was written: this was a dry run\n")
    assert sh("schema", "diff", "app.db", "old.sql").out == "no changes\n"
    half = sh("schema", "apply", "app.db", "new.sql", status=1)
    assert "refused  " in half.out
    assert half.err.startswith("rowtide: schema apply: 2 steps were refused: see --allow")
    report = sh("schema", "apply", "app.db", "new.sql", *allowed, "--json").json
    assert all(action["done"] for action in report["actions"])
    assert sh("schema", "diff", "app.db", "new.sql").out == "no changes\n"
    assert sh.rows("app.db", "SELECT name, age, email FROM users ORDER BY id") == [
        ("Ada", "36", None),
        ("Bob", "40", None),
    ]
    assert sh("schema", "apply", "app.db", "new.sql").out == "nothing to do\n"
    assert sh("schema", "apply", "app.db", "new.sql", "--quiet").out == ""


def test_apply_to_what_is_not_there(sh):
    assert "none.db" in sh("schema", "apply", "none.db", "new.sql", status=1).err
    assert not (sh.folder / "none.db").exists()


def test_generate(sh):
    both = sh("schema", "generate", "app.db", "new.sql").out
    assert both.startswith("-- up\n")
    assert "\n-- down\n" in both
    texts = sh("schema", "generate", "app.db", "new.sql", "--json").json
    assert texts["up"] in both and texts["down"] in both
    sh("schema", "generate", "app.db", "new.sql", "--up", "up.sql", "--down", "down.sql")
    assert (sh.folder / "up.sql").read_text() == texts["up"]
    assert (sh.folder / "down.sql").read_text() == texts["down"]
    before = sh("schema", "show", "app.db", "--sql").out
    db = sqlite3.connect(sh.folder / "app.db")
    db.executescript(texts["up"])
    assert "extra" in sh("schema", "show", "app.db", "--sql").out
    db.executescript(texts["down"])
    db.close()
    assert sh("schema", "show", "app.db", "--sql").out == before
    assert sh("schema", "generate", "app.db", "old.sql").out == "no changes\n"
    assert sh("schema", "generate", "app.db", "old.sql", "--up", "-").out == "no changes\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"CREATE TABLE t(a);\n\nCREATE TABLE u(", "x.sql: line 3: incomplete input"),
        (b"CREATE TABLE t(a);\n.read y", "x.sql: line 2: commands of the sqlite3 shell"),
        (b"MZ\0\0\0\1", "x.sql is neither a database nor SQL"),
    ],
)
def test_what_is_no_schema(sh, content, message):
    (sh.folder / "x.sql").write_bytes(content)
    error = sh("schema", "show", "x.sql", status=1).err
    assert error.startswith(f"rowtide: schema show: {message}")
    assert error.count("\n") == 1
    sh("schema", "diff", "x.sql", "app.db", "--exit-code", status=2)


def test_an_empty_file_is_an_empty_schema(sh):
    (sh.folder / "x.sql").write_bytes(b"")
    assert sh("schema", "show", "x.sql").out == "nothing\n"
    assert sh("schema", "show", "x.sql", "--sql").out == ""
    assert sh("schema", "show", "x.sql", "--json").json == {"tables": [], "views": []}


def test_internal_tables(sh):
    sh("undo", "record", "app.db", "--sql", "DELETE FROM tags")
    assert "rowtide_undo" not in sh("schema", "show", "app.db").out
    assert "rowtide_undo" in sh("schema", "show", "app.db", "--internal").out
    assert sh("schema", "diff", "app.db", "old.sql").out == "no changes\n"


def test_names_cannot_play_with_the_terminal(sh):
    (sh.folder / "x.sql").write_text('CREATE TABLE "a\x1b[31mb" ("c\x07" TEXT)')
    for arguments in (["show", "x.sql"], ["diff", "old.sql", "x.sql"]):
        assert "\x1b" not in sh("schema", *arguments).out
        assert "\x07" not in sh("schema", *arguments).out


def test_colours_on_a_terminal(sh):
    plain = sh("schema", "diff", "app.db", "new.sql").out
    assert "\x1b" not in plain
    assert (
        "\x1b[32m+ \x1b[0m" in sh("schema", "diff", "app.db", "new.sql", "--color=always").out
    )
    master, terminal = pty.openpty()
    environment = {name: value for name, value in sh.env.items() if name != "NO_COLOR"}
    subprocess.run(
        [ROWTIDE, "schema", "show", "app.db", "tags"],
        cwd=sh.folder,
        env={**environment, "TERM": "xterm"},
        stdout=terminal,
        check=True,
    )
    os.close(terminal)
    shown = os.read(master, 65536)
    os.close(master)
    assert b"\x1b[1mtags\x1b[0m" in shown
