"""Schemas, files and callers that mean no good, or are merely large."""

from __future__ import annotations

import time

import pytest
import rowtide
from rowtide.schema import Schema, index, table

MANY = 700


def wide(definition):
    return f"CREATE TABLE t({', '.join(definition.format(i) for i in range(MANY))})"


def test_all_of_very_many_columns_change(make):
    db = make(wide("c{0} TEXT CHECK (c{0} <> 'no')"))
    new = Schema(wide("c{0} INTEGER CHECK (c{0} <> 'no')"))
    begun = time.process_time()
    plan = db.plan(new, allow="lossy")
    assert time.process_time() - begun < 20, "it was a matter of minutes"
    assert [step.method for step in plan] == ["rebuild"]
    plan.apply()
    assert db.schema() == new


OLD = "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)"
NEW = "CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER)"
ROWS = """;
    WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 20000)
    INSERT INTO t SELECT x, 'same' FROM r;
"""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 'new' WHERE id = 1",
        "DELETE FROM t WHERE id < 100",
        "INSERT INTO t (a) VALUES ('new')",
    ],
)
def test_rows_that_a_callback_writes_are_not_lost(make, sql):
    db = make(OLD + ROWS)
    db.create_function("slow", 1, lambda _: time.sleep(1e-5), deterministic=True)
    plan = db.plan(NEW.replace(")", ", s AS (slow(a)) STORED)"), allow="lossy")
    copying = []

    def progress(now):
        if now.phase == "rebuild" and now.done:
            copying.append(now.done)
            db.execute(sql)

    with pytest.raises(rowtide.MisuseError, match="wrote to the database"):
        plan.apply(progress=progress)
    assert copying
    assert db.schema() == Schema(OLD)
    assert db.execute("SELECT count(*) FROM t WHERE a = 'same'").fetchone() == (20000,)


@pytest.mark.parametrize("new", [NEW, ""])
def test_a_cursor_that_is_read_is_not_disturbed(make, new):
    db = make(OLD)
    db.executescript("INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)")
    plan = db.plan(new, allow=("lossy", "destructive"))
    cursor = db.execute("SELECT id FROM t")
    cursor.fetchone()
    with pytest.raises(rowtide.BusyError, match=r'"t".*not finished: SELECT id FROM t'):
        plan.apply()
    assert cursor.fetchall() == [(2,), (3,)]
    plan.apply()


def test_shadow_tables_of_a_module_that_is_missing_are_not_dropped(make, tmp_path):
    """As when an extension was loaded where the table was made, but is not here."""
    db = make("CREATE VIRTUAL TABLE v USING fts5(x); INSERT INTO v VALUES ('kept')"
              "; CREATE TABLE victim(x)", tmp_path / "a.db")  # fmt: skip
    db.executescript("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET "
                     "sql = replace(sql, 'fts5', 'unheard_of') WHERE name = 'v'")  # fmt: skip
    db.close()
    db = make("", tmp_path / "a.db")
    model = "CREATE VIRTUAL TABLE v USING unheard_of(x); CREATE TABLE other(x)"
    kinds = {table.name: table.kind for table in db.schema().tables}
    assert kinds.pop("v") == "virtual" and kinds.pop("victim") == "ordinary"
    assert set(kinds.values()) == {"shadow"}
    plan = db.plan(model, allow="destructive")
    assert sorted(step.name for step in plan) == ["other", "victim"]
    plan.apply()
    assert db.execute("SELECT * FROM v_content").fetchall() == [(1, "kept")]
    assert not db.plan(model)


@pytest.mark.parametrize(
    ("check", "fine", "odd"),
    [
        ("typeof(a) = 'integer'", ["1", "02"], "x"),
        ("a < 10", ["5", "-3"], "60"),
        ("a IN ('1', '2')", ["1", "2"], "3"),
        ("a + 0 > coalesce(b, 0)", ["7", "10"], "-1"),
    ],
)
def test_a_check_is_about_values_as_they_become(make, check, fine, odd):
    new = f"CREATE TABLE t(a INTEGER, b, CHECK ({check}))"
    db = make("CREATE TABLE t(a TEXT, b)")
    db.executemany("INSERT INTO t (a) VALUES (?)", [(value,) for value in fine])
    db.commit()
    plan = db.plan(new, allow="lossy")
    assert not [finding for finding in plan.preflight() if finding.fatal]
    db.execute("INSERT INTO t (rowid, a) VALUES (99, ?)", (odd,))
    db.commit()
    found = [finding for finding in plan.preflight() if finding.fatal]
    assert [finding.samples for finding in found] == [("rowid = 99",)]
    db.execute("DELETE FROM t WHERE rowid = 99")
    db.commit()
    plan.apply()
    assert db.execute("SELECT a FROM t").fetchall() == [(int(value),) for value in fine]


@pytest.mark.parametrize(
    "left",
    [
        "CREATE TABLE rowtide_rebuild_t(x)",
        'CREATE TABLE ROWTIDE_REBUILD_T(x); CREATE VIEW "rowtide_rebuild_t_1" AS SELECT 1',
        "CREATE TABLE u(x); CREATE INDEX rowtide_rebuild_t ON u(x)",
        "CREATE TEMP TABLE rowtide_rebuild_t(id, a)",
    ],
)
def test_what_somebody_left_halfway_is_not_in_the_way(make, left):
    db = make(f"{OLD}; INSERT INTO t VALUES (1, '5'); {left}")
    kept = "SELECT sql FROM {} WHERE tbl_name <> 't' ORDER BY name"
    before = [
        db.execute(kept.format(name)).fetchall()
        for name in ("sqlite_schema", "sqlite_temp_schema")
    ]
    plan = db.plan(NEW, allow="lossy", undeclared="ignore")
    assert [step.method for step in plan] == ["rebuild"]
    plan.apply()
    assert db.execute("SELECT id, a FROM t").fetchall() == [(1, 5)]
    assert before == [
        db.execute(kept.format(name)).fetchall()
        for name in ("sqlite_schema", "sqlite_temp_schema")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a TEXT", "a INTEGER UNIQUE"),
        ("a TEXT UNIQUE", "a INTEGER UNIQUE"),
        ("a TEXT UNIQUE", "a REAL UNIQUE"),
        ("a TEXT PRIMARY KEY", "a INTEGER PRIMARY KEY"),
        ("a TEXT NOT NULL PRIMARY KEY", "a INT NOT NULL PRIMARY KEY"),
        ("a TEXT, b", "a INTEGER, b, UNIQUE (b, a)"),
        (
            "a TEXT, b); CREATE UNIQUE INDEX i ON t(a",
            "a NUMERIC, b); CREATE UNIQUE INDEX i ON t(a",
        ),
        ("a TEXT", "a INTEGER); CREATE UNIQUE INDEX i ON t(a) WHERE a > 0 --"),
    ],
)
def test_rows_that_become_alike_by_conversion_are_found(make, old, new):
    new = f"CREATE TABLE t({new})"
    db = make(f"CREATE TABLE t({old})")
    db.executemany("INSERT INTO t (a) VALUES (?)", [("1",), ("01",), ("2",)])
    db.execute("UPDATE t SET b = 5") if "b" in old.split(")")[0] else None
    db.commit()
    plan = db.plan(new, allow="lossy")
    found = [finding for finding in plan.preflight() if finding.fatal]
    assert [(finding.kind, finding.count) for finding in found] == [("duplicate", 2)]
    assert sorted(found[0].samples) == ["rowid = 1", "rowid = 2"]
    assert "would be converted" in found[0].note
    with pytest.raises(rowtide.ConstraintError, match=r'table "t", column .*"a".*: 2 rows'):
        plan.apply()
    db.execute("DELETE FROM t WHERE a = '01'")
    db.commit()
    plan.apply()
    assert db.schema() == Schema(new)
    assert db.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize(
    ("old", "new", "rows"),
    [
        ("a TEXT UNIQUE", "a ANY UNIQUE", ["1", "01"]),
        ("a UNIQUE", "a TEXT UNIQUE", [1, 1.5]),
        ("a TEXT", "a INTEGER UNIQUE", ["1", "x", "X"]),
        ("a TEXT", "a INTEGER); CREATE UNIQUE INDEX i ON t(a > '0') --", ["-1", "5"]),
    ],
)
def test_rows_that_stay_different_are_not_found(make, old, new, rows):
    strict = " STRICT" if "ANY" in new else ""
    new = f"CREATE TABLE t({new}){strict}"
    db = make(f"CREATE TABLE t({old})")
    db.executemany("INSERT INTO t (a) VALUES (?)", [(row,) for row in rows])
    db.commit()
    plan = db.plan(new, allow="lossy")
    assert not [finding for finding in plan.preflight() if finding.fatal]
    plan.apply()
    assert db.execute("SELECT count(*) FROM t").fetchone() == (len(rows),)


def test_what_the_copy_refuses_is_told_of_the_table(make):
    """As where preflight cannot tell what an expression will be."""
    db = make("CREATE TABLE t(a TEXT, b AS (a || '') UNIQUE)")
    db.executescript("INSERT INTO t VALUES ('1'), ('01')")
    plan = db.plan("CREATE TABLE t(a INTEGER, b AS (a || '') UNIQUE)", allow="lossy")
    with pytest.raises(rowtide.ConstraintError) as caught:
        plan.apply()
    assert str(caught.value) == 'apply: table "t": UNIQUE constraint failed: t.b'


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE sqlite_x(a)",
        'CREATE TABLE IF NOT EXISTS "SQLite_x" (a)',
        "CREATE TABLE t(a); CREATE INDEX sqlite_x ON t(a)",
        "CREATE VIEW sqlite_x AS SELECT 1",
        "CREATE TABLE t(a); CREATE TRIGGER sqlite_x AFTER DELETE ON t BEGIN SELECT 1; END",
        "CREATE VIRTUAL TABLE sqlite_x USING fts5(a)",
    ],
)
def test_names_that_sqlite_keeps_for_itself_are_refused(sql):
    with pytest.raises(rowtide.Error, match=r"(?i)reserved.*sqlite_x"):
        Schema(sql)


def test_tables_that_sqlite_makes_for_itself_may_be_in_a_dump():
    kept = Schema(
        "CREATE TABLE t(a); CREATE TABLE sqlite_stat1(tbl, idx, stat);"
        "CREATE TABLE SQLite_Stat4(tbl, idx, neq, nlt, ndlt, sample);"
        "CREATE TABLE sqlite_sequence(name, seq)"
    )
    assert kept == Schema("CREATE TABLE t(a)")


@pytest.mark.parametrize("name", ["sqlite_x", "SQLITE_stat1", "sqlite_sequence"])
def test_models_with_a_name_that_sqlite_keeps_for_itself_are_refused(make, name):
    @table(name=name)
    class Reserved:
        a: int

    @table(index("a", name=name))
    class Indexed:
        a: int

    for model in (Reserved, Indexed):
        with pytest.raises(rowtide.Error, match="reserved") as caught:
            make("").auto_migrate(model)
        assert name in str(caught.value)
