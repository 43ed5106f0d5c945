"""The Python that the pages show is run, block after block, as a reader would."""

import re
from pathlib import Path

import pytest
import rowtide

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PAGES = [
    "README.md",
    "docs/changesets.md",
    "docs/audit.md",
    "docs/undo.md",
    "docs/replication.md",
]

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER, total REAL);
INSERT INTO users VALUES (1, 'Al', 36), (2, 'Bo', 41), (3, 'Cy', 85);
INSERT INTO orders VALUES (1, 1, 9.5);
"""


def open_example(path="app.db"):
    db = rowtide.connect(path, isolation_level=None)
    db.executescript("DROP TABLE IF EXISTS users; DROP TABLE IF EXISTS orders;" + SCHEMA)
    return db


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the pages take for granted."""
    monkeypatch.chdir(tmp_path)
    db, replica, other = open_example(), open_example("replica.db"), open_example("other.db")
    for path in ("old.db", "new.db"):
        open_example(path).close()
    db.execute("ATTACH 'new.db' AS other")
    with other.capture() as first:
        other.execute("UPDATE users SET age = 1 WHERE id = 3")
    with other.capture() as second:
        other.execute("UPDATE users SET age = 2 WHERE id = 3")
    remote, local = first.changeset, second.changeset
    yield {
        "rowtide": rowtide, "db": db, "replica": replica, "other": other, "first": remote,
        "second": local, "changes": [remote, local], "remote": remote, "local": local,
        "decide": "replace",
    }  # fmt: skip
    for connection in (db, replica, other):
        connection.close()


@pytest.mark.parametrize("page", PAGES)
def test_page(page, names):
    blocks = BLOCK.findall((ROOT / page).read_text())
    assert blocks
    for block in blocks:
        try:
            exec(compile(block, page, "exec"), names)
        except rowtide.ConflictError as conflict:
            # A block of alternatives: the later ones find the work done.
            assert "on_conflict=lambda" in block, conflict


def test_page_on_merging(tmp_path):
    phone, laptop = (
        rowtide.connect(tmp_path / name, isolation_level=None)
        for name in ("phone.db", "laptop.db")
    )
    laptop.execute(
        "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, done INTEGER)"
    )
    laptop.crdt.enable("notes")
    names = {"rowtide": rowtide, "phone": phone, "laptop": laptop, "db": phone}
    for block in BLOCK.findall((ROOT / "docs/crdt.md").read_text()):
        exec(compile(block, "docs/crdt.md", "exec"), names)
    assert laptop.execute("SELECT * FROM notes").fetchall() == [("a", "milk", 0)]
    phone.close()
    laptop.close()


def test_page_on_schemas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    db = rowtide.connect("app.db", isolation_level=None)
    names = {"rowtide": rowtide, "db": db, "__name__": "__main__"}
    for block in BLOCK.findall((ROOT / "docs/schema.md").read_text()):
        exec(compile(block, "docs/schema.md", "exec"), names)
    assert db.schema().tables["users"].columns["bio"].not_null
    db.close()
