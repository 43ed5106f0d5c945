"""rowtide crdt: merging from the shell."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
import rowtide
from test_cli import Shell

SCHEMA = """
    CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, body);
    CREATE TABLE plain (id INTEGER PRIMARY KEY NOT NULL, x);
"""


class Peers(Shell):
    def run(self, file: str, sql: str) -> None:
        with rowtide.connect(self.folder / file) as db:
            db.crdt.is_enabled("notes")
            db.executescript(sql)
        db.close()

    def notes(self, file: str) -> list[tuple[object, ...]]:
        return self.rows(file, "SELECT * FROM notes ORDER BY id")

    def lines(self, *args: str) -> list[dict[str, object]]:
        return [
            json.loads(line) for line in self("crdt", "pull", *args, "--json").out.splitlines()
        ]


@pytest.fixture
def sh(tmp_path: Path) -> Peers:
    sh = Peers(tmp_path)
    for name in ("a.db", "b.db"):
        db = sqlite3.connect(tmp_path / name)
        db.executescript(SCHEMA)
        db.close()
        sh("crdt", "enable", name, "notes")
    sh.run("a.db", "INSERT INTO notes VALUES ('x', 'milk', 1), ('y', 'tea', 2)")
    return sh


def test_enable_is_all_or_nothing(sh):
    error = sh("crdt", "enable", "a.db", "plain", "nothing", status=1).err
    assert "nothing" in error
    assert sh("crdt", "status", "a.db", "--json").json["tables"] == ["notes"]
    assert sh("crdt", "enable", "a.db", "plain", "notes", "--json").json == {}
    assert sh("crdt", "status", "a.db", "--json").json["tables"] == ["notes", "plain"]
    sh("crdt", "disable", "a.db", "plain")
    assert sh("crdt", "status", "a.db", "--json").json["tables"] == ["notes"]
    assert len(sh.notes("a.db")) == 2


def test_status_only_looks(sh):
    db = sqlite3.connect(sh.folder / "new.db")
    db.executescript(SCHEMA)
    db.close()
    before = (sh.folder / "new.db").read_bytes()
    assert "no table has been enabled" in sh("crdt", "status", "new.db", status=1).err
    assert (sh.folder / "new.db").read_bytes() == before
    status = sh("crdt", "status", "a.db", "--json").json
    assert len(bytes.fromhex(status["site_id"])) == 16
    assert status["version"] == 1
    assert status["peers"] == []
    text = sh("crdt", "status", "a.db").out.splitlines()
    assert text == [f"site {status['site_id']}", "version 1", "table notes"]


@pytest.mark.parametrize("json_lines", [False, True])
def test_pull_and_merge(sh, json_lines):
    option = ["--json"] if json_lines else []
    said = sh("crdt", "pull", "a.db", "-o", "changes", *option)
    size = (sh.folder / "changes").stat().st_size
    assert said.out == "" or said.json == {"output": "changes", "bytes": size}
    report = sh("crdt", "merge", "b.db", "changes", "--json").json
    assert (report["count"], report["applied"], report["ignored"]) == (4, 4, 0)
    assert report["version"] == 1
    assert report["tables"] == [{"table": "notes", "applied": 4, "ignored": 0}]
    assert sh.notes("b.db") == sh.notes("a.db")
    data = sh("crdt", "pull", "a.db", *option).bytes
    again = sh("crdt", "merge", "b.db", "-", stdin=data).out
    assert again == "0 applied, 4 ignored, up to version 1\n"


@pytest.mark.parametrize("json_lines", [False, True])
def test_nothing_to_pull_can_be_merged(sh, json_lines):
    option = ["--json"] if json_lines else []
    data = sh("crdt", "pull", "a.db", "--since", "1", *option).bytes
    assert sh("crdt", "merge", "b.db", "-", "--json", stdin=data).json["count"] == 0


def test_pull_chooses(sh):
    site = sh("crdt", "status", "a.db", "--json").json["site_id"]
    sh.run("a.db", "UPDATE notes SET title = 'oat milk' WHERE id = 'x'")
    (line,) = sh.lines("a.db", "--since", "1")
    assert line == {
        "table": "notes",
        "pk": "010b0178",
        "column": "title",
        "value": "oat milk",
        "column_version": 2,
        "db_version": 2,
        "site_id": site,
        "causal_length": 1,
        "sequence": 0,
    }
    assert len(sh.lines("a.db", "--until", "1")) == 3
    assert len(sh.lines("a.db", "--local")) == 4
    assert sh.lines("a.db", "--exclude", site) == []
    assert len(sh.lines("a.db", "-t", "notes")) == 4
    assert "plain" in sh("crdt", "pull", "a.db", "-t", "plain", "--json", status=1).err
    for wrong in ("", "0", "xy", "00" * 17):
        sh("crdt", "pull", "a.db", "--exclude", wrong, status=2)


def test_json_keeps_every_value(sh):
    values = (
        "9223372036854775807, -9223372036854775808, 0, 2.0, -0.1, 1e300, 5e-324, 9e999, "
        "-9e999, NULL, '', 'ä \"\\ \u202e \U0001f600', x'', x'00ff', 'a' || char(0) || 'b', "
        "CAST(x'ff41' AS TEXT), 123456789.123456789, '1', 0.1 + 0.2"
    )
    rows = ", ".join(f"('v{i}', {i}, {v})" for i, v in enumerate(values.split(", ")))
    sh.run("a.db", f"INSERT INTO notes VALUES {rows}")
    data = sh("crdt", "pull", "a.db", "--json").bytes
    sh("crdt", "merge", "b.db", "-", stdin=data)
    sql = "SELECT id, typeof(body), hex(body), body = 0.1 + 0.2 FROM notes ORDER BY id"
    assert sh.rows("b.db", sql) == sh.rows("a.db", sql)
    assert len(sh.rows("b.db", sql)) == 21


def test_names_are_kept(sh):
    name = 'o"d\\d tä\nble'
    for file in ("a.db", "b.db"):
        db = sqlite3.connect(sh.folder / file)
        quoted = name.replace('"', '""')
        db.execute(f'CREATE TABLE "{quoted}" (id INTEGER PRIMARY KEY NOT NULL, "{quoted}")')
        db.close()
        sh("crdt", "enable", file, name)
    sh.run("a.db", f'INSERT INTO "{quoted}" VALUES (1, 2)')
    data = sh("crdt", "pull", "a.db", "--json", "-t", name).bytes
    assert json.loads(data)["table"] == name
    sh("crdt", "merge", "b.db", "-", stdin=data)
    assert sh.rows("b.db", f'SELECT * FROM "{quoted}"') == [(1, 2)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table": "nothing"}, "nothing"),
        ({"table": 1}, '"table": a name expected'),
        ({"table": {"text": "00"}}, '"table": a name expected'),
        ({"pk": "0"}, '"pk": bytes in hexadecimal expected'),
        ({"pk": None}, '"pk"'),
        ({"value": [1]}, '"value": a value expected'),
        ({"value": {"blob": "0g"}}, '"value": bytes in hexadecimal expected'),
        ({"value": {"blob": 1}}, '"value"'),
        ({"value": "a\0b"}, "NUL"),
        ({"value": 10**400 + 0}, '"value"'),
        ({"column_version": "1"}, '"column_version": a whole number'),
        ({"column_version": 2**70}, '"column_version": a whole number'),
        ({"db_version": 1.0}, '"db_version": a whole number'),
        ({"site_id": 7}, '"site_id"'),
        ({"cl": 1}, 'no member "cl"'),
    ],
)
def test_wrong_lines_name_themselves(sh, change, message):
    lines = sh.lines("a.db")
    lines[2] = {**lines[2], **change}
    data = "\n".join(json.dumps(line) for line in lines).encode()
    result = sh("crdt", "merge", "b.db", "-", stdin=data, status=1)
    assert "line 3: " in result.err
    assert message in result.err
    assert result.err.count("\n") == 1
    assert sh.notes("b.db") == []


def test_lines_are_utf8(sh):
    data = sh("crdt", "pull", "a.db", "--json").bytes
    for wrong in (
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf4\x90\x80\x80",
        b"\0",
        b"\xe2\x82",
    ):
        lines = data.replace(b"milk", wrong)
        assert "UTF-8" in sh("crdt", "merge", "b.db", "-", stdin=lines, status=1).err


def test_bad_bytes_are_one_line(sh):
    payload = sh("crdt", "pull", "a.db").bytes
    lines = sh("crdt", "pull", "a.db", "--json").bytes
    cut = [payload[:size] for size in range(1, len(payload), 5)]
    cut += [lines[:size] for size in range(1, lines.index(b"}"), 7)]
    for data in cut:
        result = sh("crdt", "merge", "b.db", "-", stdin=data, status=1)
        assert result.err.count("\n") == 1
    error = json.loads(sh("crdt", "merge", "b.db", "-", "--json", stdin=cut[9], status=1).err)
    assert error["error"]["name"] == "corrupt"
    assert sh.notes("b.db") == []
    assert "nowhere" in sh("crdt", "merge", "b.db", "nowhere", status=1).err


def test_sync_and_peers(sh):
    sh.run("b.db", "INSERT INTO notes VALUES ('z', 'from b', NULL)")
    assert sh("crdt", "sync", "a.db", "b.db").out == (
        "a.db: 2 applied, 0 ignored, up to version 1\n"
        "b.db: 4 applied, 0 ignored, up to version 2\n"
    )
    assert sh.notes("a.db") == sh.notes("b.db")
    assert len(sh.notes("a.db")) == 3
    there, back = sh("crdt", "sync", "a.db", "b.db", "--json").json
    assert (there["database"], there["applied"]) == ("a.db", 0)
    assert (back["database"], back["applied"]) == ("b.db", 0)
    (peer,) = sh("crdt", "peers", "a.db", "--json").json
    other = sh("crdt", "status", "b.db", "--json").json
    assert peer["site_id"] == other["site_id"]
    assert peer["received"] >= 1
    assert peer["acknowledged"] >= 1
    assert sh("crdt", "peers", "a.db").out.startswith(f"peer {peer['site_id']} received ")
    assert sh("crdt", "status", "a.db", "--json").json["peers"] == [peer]
    sh("crdt", "sync", "a.db", "a.db", status=1)


def test_collect(sh):
    sh("crdt", "sync", "a.db", "b.db")
    sh.run("a.db", "DELETE FROM notes WHERE id = 'x'")
    assert sh("crdt", "collect", "a.db", "--json").json == {"collected": 0}
    sh("crdt", "sync", "a.db", "b.db")
    assert sh("crdt", "collect", "a.db").out == "1 deletion forgotten\n"
    assert sh("crdt", "collect", "b.db", "--until", "9").out == "1 deletion forgotten\n"
    assert len(sh.notes("b.db")) == 1


def test_alter(sh):
    for file in ("a.db", "b.db"):
        sql = "ALTER TABLE notes ADD COLUMN colour TEXT"
        sh("crdt", "alter", file, "notes", "--sql", sql)
    sh.run("a.db", "UPDATE notes SET colour = 'red'")
    sh("crdt", "sync", "a.db", "b.db")
    assert sh.notes("b.db") == sh.notes("a.db")
    sql = "ALTER TABLE notes ADD COLUMN size; ALTER TABLE nothing ADD COLUMN size"
    assert "nothing" in sh("crdt", "alter", "a.db", "notes", "--sql", sql, status=1).err
    assert len(sh.notes("a.db")[0]) == 4
    sql = "ALTER TABLE notes ADD"
    told = sh("crdt", "alter", "a.db", "notes", "--sql", sql, status=1).err
    assert told == "rowtide: crdt alter: incomplete input\n"
    sql = "ALTER TABLE notes ADD COLUMN size; COMMIT"
    sh("crdt", "alter", "a.db", "notes", "--sql", sql, status=1)
    sh.run("a.db", "UPDATE notes SET colour = 'blue'")


OLD_FILE = """
    CREATE TABLE crsql_tracked_peers (site_id BLOB NOT NULL, version INTEGER NOT NULL,
        seq INTEGER DEFAULT 0, tag INTEGER, event INTEGER,
        PRIMARY KEY(site_id, tag, event)) STRICT;
    CREATE TABLE crsql_master (key TEXT PRIMARY KEY, value ANY);
    CREATE TABLE crsql_site_id (site_id BLOB NOT NULL, ordinal INTEGER PRIMARY KEY);
    CREATE UNIQUE INDEX crsql_site_id_site_id ON crsql_site_id(site_id);
    INSERT INTO crsql_master VALUES ('crsqlite_version', 160300);
    INSERT INTO crsql_site_id VALUES (x'000102030405460788090a0b0c0d0e0f', 0);
    CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT);
    INSERT INTO notes VALUES ('x', 'milk');
    CREATE TABLE notes__crsql_clock (key INTEGER NOT NULL, col_name TEXT NOT NULL,
        col_version INTEGER NOT NULL, db_version INTEGER NOT NULL,
        site_id INTEGER NOT NULL DEFAULT 0, seq INTEGER NOT NULL,
        PRIMARY KEY(key, col_name)) WITHOUT ROWID, STRICT;
    CREATE INDEX notes__crsql_clock_dbv_idx ON notes__crsql_clock(db_version);
    CREATE TABLE notes__crsql_pks (__crsql_key INTEGER PRIMARY KEY, id);
    CREATE UNIQUE INDEX notes__crsql_pks_pks ON notes__crsql_pks(id);
    INSERT INTO notes__crsql_pks VALUES (1, 'x');
    INSERT INTO notes__crsql_clock VALUES (1, 'title', 4, 7, 0, 0);
"""


def test_convert(sh):
    db = sqlite3.connect(sh.folder / "old.db")
    db.executescript(OLD_FILE)
    db.close()
    assert sh("crdt", "convert", "old.db").out == "1 table taken over\n"
    assert sh("crdt", "convert", "old.db", "--json").json == {"converted": 0}
    (line,) = sh.lines("old.db")
    assert line["site_id"] == "000102030405460788090a0b0c0d0e0f"
    assert (line["value"], line["column_version"], line["db_version"]) == ("milk", 4, 7)


@pytest.mark.parametrize(
    "args",
    [
        ["crdt"],
        ["crdt", "enable", "a.db"],
        ["crdt", "merge", "a.db"],
        ["crdt", "sync", "a.db"],
        ["crdt", "pull", "a.db", "--since", "x"],
        ["crdt", "bogus"],
    ],
)
def test_wrong_usage(sh, args):
    result = sh(*args, status=2)
    assert result.err.startswith("rowtide: ")
    assert result.err.count("\n") == 1


def test_files_that_are_not_there(sh):
    assert "nowhere.db" in sh("crdt", "pull", "nowhere.db", status=1).err
    assert not os.path.exists(sh.folder / "nowhere.db")
    sh("crdt", "pull", "a.db", "-o", "nowhere/x", status=1)


@pytest.mark.parametrize(
    "args",
    [["crdt", "sync", "a.db", "text"], ["crdt", "status", "text"], ["crdt", "pull", "text"]],
)
def test_files_that_are_no_database(sh, args):
    """Of two files it says which."""
    (sh.folder / "text").write_text("not a database, but long enough to be looked at" * 40)
    result = sh(*args, status=1)
    assert result.err.count("\n") == 1
    assert "text: " in result.err and "file is not a database" in result.err
