"""The rowtide command, run as users run it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWTIDE = os.environ.get("ROWTIDE_BIN") or shutil.which("rowtide") or "rowtide"

SCHEMA = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL);
    INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', NULL);
    INSERT INTO orders VALUES (1, 9.5);
"""
WORK = """
    UPDATE users SET name = 'Ada L' WHERE id = 1;
    DELETE FROM users WHERE id = 2;
    INSERT INTO orders VALUES (2, 1e300);
"""


class Result:
    def __init__(self, done: subprocess.CompletedProcess[bytes]):
        self.status = done.returncode
        self.bytes = done.stdout
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    @property
    def json(self) -> object:
        return json.loads(self.out)


class Shell:
    def __init__(self, folder: Path):
        self.folder = folder
        self.env = {**os.environ, "LC_ALL": "C.UTF-8"}

    def __call__(self, *args: str, stdin: bytes = b"", status: int = 0) -> Result:
        done = subprocess.run(
            [ROWTIDE, *args],
            cwd=self.folder,
            env=self.env,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, (args, done)
        return Result(done)

    def rows(self, file: str, sql: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(self.folder / file)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def users(self, file: str) -> list[tuple[object, ...]]:
        return self.rows(file, "SELECT * FROM users ORDER BY id")


@pytest.fixture
def sh(tmp_path: Path) -> Shell:
    for name in ("app.db", "replica.db"):
        db = sqlite3.connect(tmp_path / name)
        db.executescript(SCHEMA)
        db.close()
    return Shell(tmp_path)


@pytest.fixture
def work(sh: Shell) -> str:
    sh("changeset", "record", "app.db", "-o", "work.changeset", "--sql", WORK)
    return "work.changeset"


def test_record_takes_sql_from_everywhere(sh):
    (sh.folder / "x.sql").write_text("DELETE FROM users WHERE id = 1")
    result = sh("changeset", "record", "app.db", "-f", "x.sql", "-o", "a", "--json")
    assert result.json["changes"] == 1
    sh("changeset", "record", "app.db", "-o", "b", stdin=b"DELETE FROM users WHERE id = 2")
    assert sh.users("app.db") == []
    both = sh("changeset", "concat", "a", "b").bytes
    assert sh("changeset", "show", "-", "--stat", "--json", stdin=both).json["changes"] == 2


def test_record_that_fails_changes_nothing(sh):
    sql = "DELETE FROM users; DELETE FROM nowhere"
    result = sh("changeset", "record", "app.db", "-o", "a", "--sql", sql, status=1)
    assert "no such table: nowhere" in result.err
    assert result.err.count("\n") == 1
    assert not (sh.folder / "a").exists()
    assert len(sh.users("app.db")) == 2
    sh(
        "changeset",
        "record",
        "app.db",
        "-o",
        "a",
        "--sql",
        "DELETE FROM users; COMMIT",
        status=1,
    )
    assert not (sh.folder / "a").exists()


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", "COMMIT; BEGIN", "ROLLBACK; BEGIN"])
def test_record_notices_that_its_transaction_was_ended(sh, end):
    sql = f"{end}; DELETE FROM users WHERE id = 1"
    result = sh("changeset", "record", "app.db", "-o", "a", "--sql", sql, status=1)
    assert "has ended the transaction" in result.err
    assert not (sh.folder / "a").exists()


def test_record_chooses_tables(sh):
    sh("changeset", "record", "app.db", "-o", "a", "--table", "orders", "--sql", WORK)
    assert [
        t["table"] for t in sh("changeset", "show", "a", "--stat", "--json").json["tables"]
    ] == ["orders"]
    error = sh("changeset", "record", "app.db", "-t", "nowhere", "--sql", WORK, status=1).err
    assert "nowhere" in error


def test_apply_and_invert(sh, work):
    report = sh("changeset", "apply", "replica.db", work, "--json").json
    assert report["applied"] == 3
    assert sh.users("replica.db") == sh.users("app.db") == [(1, "Ada L", 36)]
    sh("changeset", "apply", "replica.db", work, "--invert")
    assert sh.users("replica.db") == [(1, "Ada", 36), (2, "Bob", None)]


def test_dry_run_writes_nothing(sh, work):
    result = sh("changeset", "apply", "replica.db", work, "--dry-run", "--json")
    assert result.json["applied"] == 3
    assert result.json["dry_run"] is True
    assert sh.users("replica.db") == [(1, "Ada", 36), (2, "Bob", None)]


def test_conflict_has_its_own_status(sh, work):
    sh("changeset", "apply", "replica.db", work)
    before = sh.rows("replica.db", "SELECT * FROM orders")
    result = sh("changeset", "apply", "replica.db", work, "--json", status=3)
    assert json.loads(result.err)["error"]["name"] == "conflict"
    assert result.out == ""
    assert sh.rows("replica.db", "SELECT * FROM orders") == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--on-conflict", "omit"], (0, 3, 0)),
        (["--on-conflict", "replace"], (2, 1, 2)),
        (
            [
                "--on-data",
                "replace",
                "--on-not-found",
                "omit",
                "--on-conflict",
                "conflict=omit",
            ],
            (1, 2, 1),
        ),
        (["--on-conflict", "replace", "--on-conflict", "data=omit"], (1, 2, 1)),
    ],
)
def test_policies(sh, work, options, expected):
    sh("changeset", "apply", "replica.db", work)
    report = sh("changeset", "apply", "replica.db", work, "--json", *options).json
    assert (report["applied"], report["omitted"], report["replaced"]) == expected


@pytest.mark.parametrize("option", ["data=bogus", "bogus", "bogus=omit", "not_found=replace"])
def test_policies_that_are_none(sh, option):
    sh("changeset", "apply", "no.db", "no.changeset", "--on-conflict", option, status=2)


def test_misfits(sh, work):
    db = sqlite3.connect(sh.folder / "replica.db")
    db.execute("DROP TABLE orders")
    db.close()
    error = sh("changeset", "apply", "replica.db", work, status=1).err
    assert "orders" in error
    assert len(sh.users("replica.db")) == 2
    report = sh("changeset", "apply", "replica.db", work, "--skip-misfits", "--json").json
    reasons = {t["table"]: t.get("skip_reason") for t in report["tables"]}
    assert reasons["users"] is None
    assert reasons["orders"]


def test_show(sh, work):
    text = sh("changeset", "show", work, "--db", "app.db").out
    assert "~ id=1  name: 'Ada' → 'Ada L'" in text
    assert "\x1b" not in text
    assert "\x1b[32m" in sh("changeset", "show", work, "--color=always").out
    assert "… and 2 more" in sh("changeset", "show", work, "-n", "1").out
    assert "orders" not in sh("changeset", "show", work, "--table", "users").out
    sh("changeset", "show", work, "--color=sometimes", status=2)


def on_terminal(sh: Shell, args: list[str], **env: str) -> tuple[str, int]:
    main, other = pty.openpty()
    process = subprocess.Popen(
        [ROWTIDE, *args], cwd=sh.folder, env={**sh.env, **env}, stdout=other, stderr=other
    )
    os.close(other)
    text = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(main)
    return text.decode(), process.wait()


def test_terminal(sh, work):
    sh.env.pop("NO_COLOR", None)
    text, _ = on_terminal(sh, ["changeset", "show", work], TERM="xterm")
    assert "\x1b[" in text
    text, _ = on_terminal(sh, ["changeset", "show", work], TERM="xterm", NO_COLOR="1")
    assert "\x1b[" not in text
    text, status = on_terminal(sh, ["changeset", "invert", work])
    assert status == 2
    assert "-o FILE" in text


def test_json_and_sql_say_the_same(sh, work):
    original = (sh.folder / work).read_bytes()
    for options in (["--compact"], ["--db", "app.db"], []):
        text = sh("changeset", "to-json", work, *options).bytes
        assert sh("changeset", "from-json", "-", stdin=text).bytes == original
        again = json.dumps(json.loads(text), sort_keys=True).encode()
        assert sh("changeset", "from-json", "-", stdin=again).bytes == original
    sql = sh("changeset", "to-sql", work, "--db", "app.db").out
    db = sqlite3.connect(sh.folder / "replica.db")
    db.executescript(sql)
    db.close()
    assert sh("diff", "app.db", "replica.db", "--exit-code").out == "no changes\n"
    assert "column names" in sh("changeset", "to-sql", work, status=1).err


def test_invert_concat_filter(sh, work):
    inverse = sh("changeset", "invert", work).bytes
    assert (
        sh("changeset", "invert", "-", stdin=inverse).bytes == (sh.folder / work).read_bytes()
    )
    assert sh("changeset", "concat", work, "-", stdin=inverse).bytes == b""
    kept = sh("changeset", "filter", work, "--table", "orders").bytes
    rest = sh("changeset", "filter", work, "--table", "orders", "--exclude").bytes
    (sh.folder / "kept").write_bytes(kept)
    (sh.folder / "rest").write_bytes(rest)
    assert sh("changeset", "concat", "rest", "kept").bytes == (sh.folder / work).read_bytes()
    sh("changeset", "filter", work, status=2)


def test_what_was_written_is_said_in_json(sh, work):
    size = (sh.folder / work).stat().st_size
    for command in (
        ["invert", work],
        ["concat", work],
        ["filter", work, "-t", "users", "-t", "orders"],
        ["to-json", work],
    ):
        result = sh("changeset", *command, "-o", "out", "--json").json
        assert result["output"] == "out"
        assert result["bytes"] == (sh.folder / "out").stat().st_size
    assert sh("changeset", "from-json", "out", "-o", "again", "--json").json["bytes"] == size


def test_rebase_converges(sh, work):
    sql = "UPDATE users SET name = 'Augusta' WHERE id = 1"
    sh("changeset", "record", "replica.db", "-o", "mine", "--sql", sql)
    sh(
        *("changeset", "apply", "replica.db", work),
        *("--on-conflict", "omit", "--rebase-out", "data"),
    )
    rebased = sh("changeset", "rebase", "mine", "data").bytes
    sh("changeset", "apply", "app.db", "-", stdin=rebased)
    assert sh.users("app.db") == sh.users("replica.db") == [(1, "Augusta", 36)]


def test_diff(sh, work):
    assert "id=1" in sh("diff", "replica.db", "app.db").out
    sh("diff", "replica.db", "app.db", "--exit-code", status=1)
    sh("diff", "app.db", "app.db", "--exit-code")
    sh("diff", "nowhere.db", "app.db", "--exit-code", status=2)
    sh("changeset", "diff", "replica.db", "app.db", "-o", "d")
    sh("changeset", "apply", "replica.db", "d")
    assert sh.users("replica.db") == sh.users("app.db")


def test_audit(sh):
    sql = "UPDATE users SET age = 1 WHERE id = 1"
    args = ["--author", "ann", "--label", "\x1b[2J", "--sql", sql]
    assert sh("audit", "record", "app.db", "--json", *args).json == {"entry": 1}
    (entry,) = sh("audit", "log", "app.db", "--json").json
    assert (entry["author"], entry["label"], entry["changes"]) == ("ann", "\x1b[2J", 1)
    assert "\x1b" not in sh("audit", "log", "app.db").out
    assert "age: 36 → 1" in sh("audit", "show", "app.db", "1").out
    sh("audit", "show", "app.db", "1", "-o", "entry")
    sh("changeset", "apply", "app.db", "entry", "--invert")
    assert sh.users("app.db")[0] == (1, "Ada", 36)
    assert sh("audit", "prune", "app.db", "--keep", "0", "--json").json == {"pruned": 1}
    sh("audit", "prune", "app.db", status=2)
    sh("audit", "show", "app.db", "7", status=1)


def test_undo(sh):
    sh(
        "undo",
        "record",
        "app.db",
        "--label",
        "drop Bob",
        "--sql",
        "DELETE FROM users WHERE id = 2",
    )
    assert sh("undo", "undo", "app.db", "--json").json == {"undone": "drop Bob"}
    assert len(sh.users("app.db")) == 2
    assert sh("undo", "undo", "app.db").out == "nothing to do\n"
    assert [step["undone"] for step in sh("undo", "list", "app.db", "--json").json] == [True]
    sh("undo", "redo", "app.db")
    assert len(sh.users("app.db")) == 1
    sh("undo", "clear", "app.db")
    assert sh("undo", "list", "app.db", "--json").json == []


def test_replicate(sh, work):
    sh("replicate", "status", "replica.db", "stream", status=1)
    sql = "DELETE FROM users WHERE id = 1"
    shutil.copy(sh.folder / "app.db", sh.folder / "copy.db")
    assert sh("replicate", "publish", "app.db", "stream", "--sql", sql, "--json").json == {
        "number": 1
    }
    pulled = sh("replicate", "pull", "copy.db", "stream", "--json").json
    assert pulled == {"applied": 1, "position": 1}
    assert sh("replicate", "pull", "copy.db", "stream", "--json").json["applied"] == 0
    assert sh.users("copy.db") == []
    assert sh("replicate", "status", "copy.db", "stream", "--json").json == {
        "role": "replica",
        "position": 1,
        "directory": 1,
    }


def test_bad_bytes_are_one_line(sh, work):
    data = (sh.folder / work).read_bytes()
    for size in range(1, len(data), 7):
        for command in (["show", "-"], ["invert", "-"], ["apply", "replica.db", "-"]):
            done = subprocess.run(
                [ROWTIDE, "changeset", *command],
                cwd=sh.folder,
                input=data[:size],
                capture_output=True,
                check=False,
            )
            assert done.returncode in (0, 1), (size, command, done)
            assert done.stderr.count(b"\n") == done.returncode
    error = json.loads(sh("changeset", "show", "-", "--json", stdin=data[:9], status=1).err)
    assert error["error"]["name"] == "corrupt"
    assert error["error"]["offset"] >= 0


@pytest.mark.parametrize(
    "args",
    [
        ["bogus"],
        ["changeset"],
        ["changeset", "bogus"],
        ["changeset", "show"],
        ["changeset", "show", "a", "b"],
        ["changeset", "show", "--bogus", "a"],
        ["changeset", "show", "a", "--limit"],
        ["changeset", "show", "a", "--limit", "-1"],
        ["help", "bogus"],
    ],
)
def test_wrong_usage(sh, args):
    result = sh(*args, status=2)
    assert result.err.startswith("rowtide: ")
    assert result.err.count("\n") == 1
    assert result.out == ""


def test_usage_errors_are_json_too(sh):
    error = json.loads(sh("changeset", "show", "--bogus", "x", "--json", status=2).err)
    assert error["error"]["name"] == "invalid"


def test_output_that_cannot_be_written(sh, work):
    assert "nowhere" in sh("changeset", "invert", work, "-o", "nowhere/x", status=1).err
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [ROWTIDE, "changeset", "show", work],
            cwd=sh.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1


def test_version(sh):
    assert sh("--version").out.startswith("rowtide ")


def test_pages_are_what_the_command_says(sh):
    """Every command and example in docs/cli.md and the manual page, run again."""
    tool = ROOT / "docs" / "tools" / "cli_page.py"
    command = [sys.executable, str(tool), ROWTIDE, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
