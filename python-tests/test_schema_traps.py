"""A table with everything that a rebuild can lose survives every kind of change."""

import functools
from pathlib import Path

import pytest
import rowtide
import schema_traps

# Text of the schema, what it becomes, and the facts that are not the same then.
CHANGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "type": ("amount TEXT", "amount INTEGER", ("values of amount",)),
    "type, the same affinity": ("spare VARCHAR(20)", "spare TEXT", ()),
    "not null": ("born TEXT DEFAULT", "born TEXT NOT NULL DEFAULT", ()),
    "null": ("size INTEGER NOT NULL DEFAULT 1", "size INTEGER DEFAULT 1", ()),
    "default": ("NOT NULL DEFAULT 1", "NOT NULL DEFAULT 2", ("default_literal",)),
    "check": ("spare VARCHAR(20)", "spare VARCHAR(20) CHECK (length(spare) < 9)", ()),
    "no check": (
        "    CONSTRAINT not_both CHECK (NOT (word = 'never' AND size = 99)),\n",
        "",
        ("names_of_constraints", "check_of_table"),
    ),
    "collation": ("spare VARCHAR(20)", "spare VARCHAR(20) COLLATE NOCASE", ()),
    "another column": ("spare VARCHAR(20)", "spare VARCHAR(20), more TEXT DEFAULT 'm'", ()),
    "another column, computed": (
        "spare VARCHAR(20)",
        "spare VARCHAR(20), m DEFAULT (1 + 1)",
        (),
    ),
    "another column, stored": (
        "spare VARCHAR(20)",
        "spare VARCHAR(20), m AS (size) STORED",
        ("generated_kinds",),
    ),
    "a column less": (
        "    spare VARCHAR(20), -- nothing depends on this one\n",
        "",
        ("values of spare",),
    ),
    "generated": ("AS (size * 3) STORED", "AS (size * 3) VIRTUAL", ("generated_kinds",)),
    "reference": ("ON DELETE SET NULL DEF", "ON DELETE SET NULL ON UPDATE CASCADE DEF", ()),
    "another reference": ("owner_id INTEGER,", "owner_id INTEGER REFERENCES owner (id),", ()),
    "unique": (
        "spare VARCHAR(20)",
        "spare VARCHAR(20) UNIQUE",
        ("nothing_left_over", "statistics"),
    ),
    "key": (
        "id INTEGER PRIMARY KEY AUTOINCREMENT",
        "id INTEGER PRIMARY KEY",
        ("sequence", "no_number_twice"),
    ),
    "table options": (
        "name TEXT, note TEXT)",
        "name TEXT, note TEXT) STRICT",
        (),
    ),
    "no rowid": (
        "PRIMARY KEY (a, b)) WITHOUT ROWID",
        "PRIMARY KEY (a, b))",
        ("statistics", "nothing_left_over"),
    ),
    "a key for rows without": (
        "name TEXT, note TEXT)",
        "name TEXT, note TEXT, id INTEGER PRIMARY KEY)",
        ("rowids_without_a_key",),
    ),
}


def target(db: rowtide.Connection, old: str, new: str) -> str:
    sql = db.schema().to_sql()
    assert old in sql
    return sql.replace(old, new, 1)


@functools.cache
def facts() -> dict[str, object]:
    return schema_traps.ask(schema_traps.make())


@pytest.fixture(params=[False, True], ids=["foreign keys off", "foreign keys on"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> rowtide.Connection:
    path = tmp_path / "traps.db"
    schema_traps.make(str(path)).close()
    db = rowtide.connect(path, isolation_level=None)
    request.addfinalizer(db.close)
    db.execute(f"PRAGMA foreign_keys={int(request.param)}")
    return db


@pytest.mark.parametrize("name", CHANGES)
def test_all_facts_are_the_same(db: rowtide.Connection, name: str) -> None:
    old, new, changed = CHANGES[name]
    sql = target(db, old, new)
    before = facts()
    foreign_keys = db.execute("PRAGMA foreign_keys").fetchall()
    db.plan(sql, allow=("lossy", "destructive")).apply()
    assert schema_traps.lost(before, schema_traps.ask(db), changed) == []
    assert list(db.plan(sql)) == []
    assert db.execute("PRAGMA foreign_keys").fetchall() == foreign_keys
    assert not db.in_transaction


def test_all_of_them_at_once(db: rowtide.Connection) -> None:
    sql = db.schema().to_sql()
    changed = ["generated_kinds"]
    for name, (old, new, others) in CHANGES.items():
        if old in sql and name not in ("a column less", "not null", "unique"):
            sql = sql.replace(old, new, 1)
            changed += others
    before = facts()
    db.plan(sql, allow=("lossy", "destructive")).apply()
    assert schema_traps.lost(before, schema_traps.ask(db), changed) == []
    assert list(db.plan(sql)) == []


def test_another_name(db: rowtide.Connection) -> None:
    """SQLite puts the new name into views, triggers, and references. A full-text table
    names its content in an argument, which is its owner's to change."""
    before = facts()
    after = rowtide.connect(":memory:", isolation_level=None)
    db.backup(after)
    after.execute("ALTER TABLE parent RENAME TO people")
    renamed = after.schema().to_sql().replace("amount TEXT", "amount INTEGER")
    after.close()
    db.plan(renamed, renames={"parent": "people"}, allow="lossy").apply()
    now = schema_traps.ask(db, "people")
    texts = {
        "values of amount",
        "own_trigger",
        "trigger_of_another_table",
        "view",
        "view_on_a_view",
        "statistics",
        "nothing_left_over",
        "sequence",
        "index_is_used",
        "check_with_name",
        "full_text",
        "full_text_follows",
        *(name for name in before if name.startswith("index ")),
    }
    assert schema_traps.lost(before, now, texts) == []
    assert now["sequence"] == before["sequence"]
    assert list(db.plan(renamed)) == []


def test_inside_a_transaction(db: rowtide.Connection) -> None:
    sql = target(db, "amount TEXT", "amount INTEGER")
    before = facts()
    plan = db.plan(sql, allow="lossy")
    db.execute("BEGIN")
    if db.execute("PRAGMA foreign_keys").fetchone()[0]:
        with pytest.raises(rowtide.MisuseError, match="foreign_keys"):
            plan.apply()
        assert db.in_transaction
    else:
        plan.apply()
        assert db.execute("SELECT typeof(amount) FROM parent").fetchone() == ("integer",)
    db.execute("ROLLBACK")
    assert schema_traps.lost(before, schema_traps.ask(db)) == []
