"""Bring databases to schemas: additively, by hand, and by a plan."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from typing import Annotated

import pytest
import rowtide
from conftest import rows
from rowtide.schema import Schema, belongs_to, column, index, many_to_many, table


@dataclass
class Team:
    id: int
    name: Annotated[str, column(unique=True)]


@table(index("team_id", "name"), many_to_many("skills"))
@dataclass
class Member:
    id: int
    team_id: Annotated[int, belongs_to(Team, on_delete="CASCADE")]
    email: Annotated[str, column(unique=True, collation="NOCASE")]
    name: str = ""
    deleted_at: Annotated[str | None, column(soft_delete=True)] = None


@dataclass
class Skill:
    id: int
    name: str


MODELS = (Member, Team, Skill)


@pytest.fixture
def empty(make):
    return make("")


def count(db: rowtide.Connection, table: str) -> int:
    return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


# -- auto_migrate


def test_everything_is_made_once(empty):
    report = empty.auto_migrate(*MODELS)
    assert report and not report.refused
    made = [action.name for action in report]
    assert {"members", "teams", "skills", "members_skills", "ux_teams_name"} <= set(made)
    assert all(action.sql.startswith("CREATE") and action.done for action in report)
    assert empty.schema() == Schema(empty.schema().to_sql())
    again = empty.auto_migrate(*MODELS)
    assert not again and len(again) == 0 and list(again) == []
    assert repr(again) == "<rowtide.SchemaReport 0 done, 0 refused>"


def test_a_model_against_its_own_tables_is_nothing(empty):
    empty.auto_migrate(*MODELS)
    assert not empty.schema().diff(Schema(*MODELS))
    assert not empty.plan(*MODELS)


def test_columns_come_with_all_they_say(empty):
    empty.executescript("CREATE TABLE notes (id INTEGER PRIMARY KEY);"
                        "INSERT INTO notes VALUES (1)")  # fmt: skip

    class Note:
        id: int
        title: Annotated[str, column(collation="NOCASE", check="title <> 'no'")] = "none"
        size: Annotated[int, column(generated_as="length(title)")]

    report = empty.auto_migrate(Note)
    assert [action.name for action in report] == ["title", "size"] and not report.refused
    assert empty.schema() == Schema(Note)
    assert rows(empty, "notes") == [(1, "none", 4)]


def test_what_cannot_be_added_is_refused_and_said(empty):
    empty.executescript("CREATE TABLE notes (id INTEGER PRIMARY KEY, old TEXT);"
                        "INSERT INTO notes VALUES (1, 'x')")  # fmt: skip

    class Note:
        id: int
        needed: str
        fine: str | None
        old: int

    report = empty.auto_migrate(Note)
    assert [action.name for action in report.done] == ["fine"]
    refused = {action.name: action.reason for action in report.refused}
    assert set(refused) == {"needed", "old"}
    assert all(action.sql is None for action in report.refused)
    assert "NOT NULL" in refused["needed"]
    assert empty.schema().tables["notes"].columns.names == ("id", "old", "fine")
    assert "needed" in str(report) and report[0] in list(report)


def test_nothing_is_dropped(db):
    before = db.schema()
    db.auto_migrate(Team)
    assert {change.operation for change in before.diff(db.schema())} == {"add"}
    assert count(db, "users") == 3


def test_uniques_know_about_soft_deletion(empty):
    empty.auto_migrate(*MODELS)
    add = "INSERT INTO members (team_id, email, deleted_at) VALUES (1, 'a@b', ?)"
    empty.execute(add, ("2020-01-01",))
    empty.execute(add, ("2021-01-01",))
    empty.execute(add, (None,))
    with pytest.raises(sqlite3.IntegrityError):
        empty.execute(add, (None,))


def test_foreign_keys_are_opt_in(empty, make):
    empty.auto_migrate(*MODELS)
    assert not empty.schema().tables["members"].foreign_keys
    other = make("")
    other.auto_migrate(*MODELS, foreign_keys=True)
    (key,) = other.schema().tables["members"].foreign_keys
    assert (key.columns, key.table, key.on_delete) == (("team_id",), "teams", "CASCADE")
    assert len(other.schema().tables["members_skills"].foreign_keys) == 2
    assert not other.auto_migrate(*MODELS, foreign_keys=True)
    assert not other.auto_migrate(*MODELS), "and what has them already keeps them"


def test_dry_run(empty):
    report = empty.auto_migrate(*MODELS, dry_run=True)
    assert len(report) >= 5 and all(action.sql for action in report)
    assert not empty.schema().tables


def test_inside_a_transaction_it_is_a_savepoint(empty):
    empty.execute("BEGIN")
    empty.auto_migrate(*MODELS)
    assert empty.in_transaction
    empty.rollback()
    assert not empty.schema().tables


def test_a_failure_leaves_nothing_half_done(empty):
    empty.executescript("CREATE TABLE skills (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
                        "CREATE VIEW teams AS SELECT 1 AS id")  # fmt: skip
    before = empty.schema()
    try:
        report = empty.auto_migrate(*MODELS)
    except rowtide.Error as error:
        assert "teams" in str(error)
        assert empty.schema() == before
    else:
        assert "teams" in {action.name for action in report.refused}
    assert not empty.in_transaction


# -- diff and generate

OLD = """
CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, age TEXT);
CREATE INDEX by_mail ON people (mail);
CREATE TABLE gone (x);
"""
NEW = """
CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, age INTEGER, nick TEXT DEFAULT 'x');
CREATE INDEX by_mail ON people (email);
CREATE TABLE added (y);
"""
RENAMES = {"people.mail": "email"}


def test_differences_say_what_they_are():
    change = Schema(OLD).diff(Schema(NEW), renames=RENAMES)
    found = {(one.operation, one.object, one.name, one.aspect): one for one in change}
    assert ("rename", "column", "email", "whole") in found or \
        ("rename", "column", "mail", "whole") in found  # fmt: skip
    age = found["change", "column", "age", "type"]
    assert (age.from_, age.to, age.effect, age.unknown) == ("TEXT", "INTEGER", "lossy", False)
    assert age.note and "\n" not in age.note
    assert str(age) == f"change column people.age, type: {age.note}"
    assert found["add", "column", "nick", "whole"].effect in ("additive", "safe")
    assert found["add", "table", "added", "whole"].effect == "additive"
    assert found["remove", "table", "gone", "whole"].effect == "destructive"
    assert len(change) == len(list(change)) == len(found) and change
    assert repr(change) == f"<rowtide.Difference {len(change)} changes>"
    assert repr(age).startswith("<rowtide.schema.SchemaChange ")


def test_a_new_name_is_a_new_thing_without_a_hint():
    change = Schema(OLD).diff(NEW)
    operations = {(one.operation, one.name) for one in change if one.object == "column"}
    assert {("remove", "mail"), ("add", "email")} <= operations
    assert not [one for one in change if one.operation == "rename"]


def test_tables_that_are_not_declared_can_be_ignored():
    names = {one.table for one in Schema(OLD).diff(NEW, undeclared="ignore")}
    assert "gone" not in names and "added" in names


def test_generated_sql_is_for_review():
    change = Schema(OLD).diff(Schema(NEW), renames=RENAMES)
    up, down = change.up(), change.down()
    active = [line for line in up.splitlines() if line and not line.startswith("--")]
    assert any(line.startswith("CREATE TABLE") for line in active)
    assert any("nick" in line for line in active)
    assert not any("DROP TABLE" in line for line in active)
    assert "gone" in up and "age" in up
    db = sqlite3.connect(":memory:")
    db.executescript(OLD + up)
    assert {name for (name,) in db.execute("SELECT name FROM pragma_table_info('people')")} \
        >= {"id", "age", "nick"}  # fmt: skip
    db.executescript(down)
    db.close()
    nothing = Schema(OLD).diff(Schema(OLD))
    assert not nothing and nothing.up() == nothing.down() == ""


@pytest.mark.parametrize(
    ("renames", "error"),
    [({"people.nothing": "x"}, rowtide.NotFoundError), ({"nobody": "x"}, rowtide.NotFoundError),
     (["people=x"], TypeError)],
)  # fmt: skip
def test_hints_that_are_wrong(renames, error):
    with pytest.raises(error):
        Schema(OLD).diff(Schema(NEW), renames=renames)


def test_words_that_are_wrong():
    with pytest.raises(ValueError, match="'remove' or 'ignore'"):
        Schema(OLD).diff(Schema(NEW), undeclared="drop")
    with pytest.raises(TypeError, match="a model is"):
        Schema(OLD).diff(5)


# -- plan, preflight, apply


@pytest.fixture
def people(make):
    db = make(OLD)
    db.executescript("""
        INSERT INTO people VALUES (1, 'a@x', '36'), (5, 'b@x', '007'), (9, NULL, 'old');
        CREATE VIEW mails AS SELECT mail FROM people;
        CREATE TRIGGER noted AFTER DELETE ON people BEGIN SELECT 1; END;
    """)
    return db


def test_a_plan_is_read_before_it_is_run(people):
    plan = people.plan(NEW, renames=RENAMES, undeclared="ignore")
    methods = [step.method for step in plan]
    assert "rename" in methods and "create" in methods
    assert "people" in str(plan) and repr(plan).startswith("<rowtide.Plan ")
    assert all(step.statements or step.refused for step in plan)
    (refused,) = plan.refused
    assert "lossy" in (refused.effect, refused.refused) or "lossy" in refused.refused
    assert [change.aspect for change in refused.changes] == ["type"]
    report = plan.apply()
    assert report.refused and report.done
    columns = people.schema().tables["people"].columns
    assert columns["email"].type == "TEXT" and columns["age"].type == "TEXT"


def test_preflight_finds_what_would_be_converted(people):
    plan = people.plan(NEW, renames=RENAMES, undeclared="ignore", allow={"lossy"})
    assert not plan.refused
    findings = plan.preflight()
    (finding,) = (one for one in findings if one.kind == "lossy")
    assert finding.table == "people" and finding.columns == ("age",)
    assert finding.count >= 1 and finding.samples and not finding.fatal
    condition = finding.samples[0]
    assert people.execute(f"SELECT count(*) FROM people WHERE {condition}").fetchone() == (1,)
    assert "\n" not in str(finding)
    plan.apply()
    schema = people.schema()
    assert schema.tables["people"].columns["age"].type == "INTEGER"
    assert [row[0] for row in rows(people, "people")] == [1, 5, 9], "rowids are kept"
    assert schema.views.names == ("mails",)
    assert schema.tables["people"].triggers.names == ("noted",)
    assert not people.plan(NEW, undeclared="ignore")


def test_rows_in_the_way_stop_it(people):
    wanted = OLD.replace("mail TEXT", "mail TEXT NOT NULL")
    plan = people.plan(wanted, undeclared="ignore")
    (finding,) = plan.preflight()
    assert (finding.kind, finding.fatal, finding.count) == ("null", True, 1)
    before = people.schema(), rows(people, "people")
    with pytest.raises(rowtide.ConstraintError) as caught:
        plan.apply()
    assert "people" in str(caught.value) and "mail" in str(caught.value)
    assert (people.schema(), rows(people, "people")) == before
    people.execute("UPDATE people SET mail = '' WHERE mail IS NULL")
    people.commit()
    plan.apply()
    assert people.schema().tables["people"].columns["mail"].not_null


def test_dropping_needs_leave(people):
    plan = people.plan(people.schema().to_sql().replace("CREATE TABLE gone (x);", ""))
    (step,) = plan
    assert (step.method, step.effect) == ("drop", "destructive") and step.refused
    assert not plan.apply().done and "gone" in people.schema().tables
    plan = people.plan(people.schema().to_sql().replace("CREATE TABLE gone (x);", ""),
                       allow="destructive")  # fmt: skip
    assert not plan.refused
    plan.apply()
    assert "gone" not in people.schema().tables


def test_a_plan_that_is_out_of_date(people):
    plan = people.plan(NEW, renames=RENAMES, undeclared="ignore")
    people.execute("ALTER TABLE people ADD COLUMN late")
    with pytest.raises(rowtide.SchemaError):
        plan.apply()


def test_rows_that_refer_are_not_lost(make):
    db = make("""
        CREATE TABLE parent (id INTEGER PRIMARY KEY, n TEXT);
        CREATE TABLE child (parent REFERENCES parent ON DELETE CASCADE);
        INSERT INTO parent VALUES (1, '2'); INSERT INTO child VALUES (1);
        PRAGMA foreign_keys = ON;
    """)
    wanted = db.schema().to_sql().replace("n TEXT", "n INTEGER")
    db.execute("BEGIN")
    with pytest.raises(rowtide.MisuseError, match="foreign_keys"):
        db.plan(wanted, allow="lossy").apply()
    assert db.in_transaction
    db.rollback()
    db.plan(wanted, allow="lossy").apply()
    assert count(db, "child") == 1 and rows(db, "parent") == [(1, 2)]
    assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_rebuild(people):
    report = people.rebuild(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, age TEXT CHECK (age <> ''),"
        " more DEFAULT 3)"
    )
    assert report.done and not report.refused
    assert rows(people, "people")[1] == (5, "b@x", "007", 3)
    sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail BLOB, age INTEGER, more)"
    assert [action.reason for action in people.rebuild(sql).refused]
    report = people.rebuild(sql, allow="lossy")
    assert sum(action.rows for action in report) == 3
    assert rows(people, "people")[1] == (5, "b@x", 7, 3)
    assert people.schema().views.names == ("mails",)


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT NOT NULL, age TEXT)",
         rowtide.ConstraintError, "people"),
        ("CREATE TABLE nothing (x)", rowtide.Error, "nothing"),
        ("DROP TABLE people", rowtide.Error, ""),
        ("CREATE TABLE", rowtide.Error, ""),
        ("", rowtide.Error, ""),
    ],
)  # fmt: skip
def test_rebuilds_that_cannot_be(people, sql, error, words):
    before = people.schema(), rows(people, "people")
    with pytest.raises(error) as caught:
        people.rebuild(sql)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert (people.schema(), rows(people, "people")) == before


def big(make):
    db = make("CREATE TABLE t (id INTEGER PRIMARY KEY, n TEXT)")
    db.execute("WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c"
               " WHERE i < 60000) INSERT INTO t SELECT i, i FROM c")  # fmt: skip
    db.commit()
    return db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"


def test_progress_and_cancel(make):
    db, sql = big(make)
    seen = []
    with pytest.raises(rowtide.CancelledError):
        db.rebuild(sql, allow="lossy", progress=lambda step: seen.append(step) or False)
    assert seen and seen[0].phase and count(db, "t") == 60000
    assert db.schema().tables["t"].columns["n"].type == "TEXT" and not db.in_transaction
    db.plan(sql, allow="lossy").apply(progress=seen.append)
    assert db.schema().tables["t"].columns["n"].type == "INTEGER"


def test_what_a_callback_raises_comes_out(make):
    db, sql = big(make)

    class Enough(Exception):
        pass

    def stop(_):
        raise Enough

    for call in (db.plan(sql, allow="lossy").preflight, db.plan(sql, allow="lossy").apply):
        with pytest.raises(Enough):
            call(progress=stop)
    with pytest.raises(TypeError, match="callable"):
        db.plan(sql).apply(progress=5)
    assert count(db, "t") == 60000 and not db.in_transaction


def test_other_threads_run_meanwhile(make):
    db, sql = big(make)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        db.plan(sql, allow="lossy").apply()
    finally:
        done.set()
        thread.join()
    assert ticks


def test_words_of_plans_that_are_wrong(people):
    with pytest.raises(ValueError, match="'lossy' or 'destructive'"):
        people.plan(NEW, allow={"everything"})
    with pytest.raises(TypeError):
        people.plan(NEW, allow=5)
    with pytest.raises(rowtide.SqlError):
        people.plan("CREATE TABLE")
    with pytest.raises(TypeError, match="a model is"):
        people.auto_migrate(5)


def test_an_empty_plan(people):
    plan = people.plan(people.schema())
    assert not plan and str(plan) == "" and plan.preflight() == ()
    assert not plan.apply()


def test_with_our_own_connection(tmp_path):
    with rowtide.open(tmp_path / "a.db") as db:
        db.auto_migrate(*MODELS)
        assert not db.plan(*MODELS)


# -- What may be in the way


SQL = "CREATE TABLE t (x INTEGER)"


@pytest.fixture
def path(tmp_path, make):
    path = tmp_path / "a.db"
    make("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('1')", path).close()
    return path


def test_a_lock_of_another(path, make):
    first = make("", path, isolation_level=None, timeout=0.05)
    other = make("", path, isolation_level=None, timeout=0.05)
    plan = other.plan(SQL, allow="lossy")
    first.execute("BEGIN IMMEDIATE")
    for call in (plan.apply, lambda: other.auto_migrate("CREATE TABLE u (y)")):
        with pytest.raises(rowtide.BusyError):
            call()
        assert not other.in_transaction
    assert other.schema().tables.names == ("t",)
    first.execute("ROLLBACK")
    assert plan.apply().done


def test_a_statement_that_is_not_finished(path, make):
    db = make("INSERT INTO t VALUES ('2')", path, isolation_level=None)
    cursor = db.execute("SELECT * FROM t")
    cursor.fetchone()
    with pytest.raises(rowtide.BusyError):
        db.plan(SQL, allow="lossy").apply()
    cursor.close()
    assert db.plan(SQL, allow="lossy").apply().done


def test_a_file_that_may_not_be_written(path):
    with rowtide.open(path, read_only=True) as db:
        assert not db.auto_migrate("CREATE TABLE t (x TEXT)")
        plan = db.plan(SQL, allow="lossy")
        assert plan.preflight() == ()
        for call in (plan.apply, lambda: db.auto_migrate("CREATE TABLE u (y)")):
            with pytest.raises(rowtide.ReadOnlyError):
                call()


def test_a_connection_that_is_closed(path, make):
    db = make("", path)
    plan = db.plan(SQL, allow="lossy")
    db.close()
    for call in (plan.apply, plan.preflight, db.schema, lambda: db.plan(SQL)):
        with pytest.raises(rowtide.ClosedError):
            call()
    assert len(plan) == 1 and plan[0].table == "t"


def test_closing_inside_of_a_callback(path, make):
    db = make("", path)
    errors = []

    def close(_):
        try:
            db.close()
        except rowtide.Error as error:
            errors.append(type(error))

    db.plan(SQL, allow="lossy").apply(progress=close)
    assert errors and set(errors) == {rowtide.MisuseError}
    assert rows(db, "t") == [(1,)]


def test_tables_that_take_part_in_merging(make):
    db = make("CREATE TABLE n (id TEXT PRIMARY KEY NOT NULL, t TEXT)", isolation_level=None)
    db.crdt.enable("n")
    wanted = "CREATE TABLE n (id TEXT PRIMARY KEY NOT NULL, t TEXT, u)"
    (refused,) = db.auto_migrate(wanted).refused
    assert "crsql_begin_alter" in refused.reason
    assert db.plan(wanted).refused
    with db.crdt.alter("n"):
        assert db.auto_migrate(wanted).done
    assert "u" in db.schema().tables["n"].columns
