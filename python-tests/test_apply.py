"""Conflicts, policies, handlers, and what is left after a failure."""

import signal
import sqlite3
import traceback

import pytest
import rowtide
from conftest import USERS, rows
from rowtide import Action, Builder, ConflictKind

SCHEMA = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b CHECK (b < 100));
    CREATE TABLE child (id INTEGER PRIMARY KEY, t REFERENCES t);
    INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2);
    PRAGMA foreign_keys = ON;
"""


def make_changes(*changes):
    builder = Builder()
    for table, old, new in changes:
        builder.table(table, columns=len(old or new), primary_key=[0])
        if old is None:
            builder.insert(new)
        elif new is None:
            builder.delete(old)
        else:
            builder.update(old, new)
    return builder.finish()


CONFLICTS = {
    "data": make_changes(("t", (1, "other", 1), (1, "new", 1))),
    "not_found": make_changes(("t", (9, "nine", 9), None)),
    "conflict": make_changes(("t", None, (1, "uno", 5))),
    "constraint": make_changes(("t", None, (3, "one", 5))),
    "foreign_key": make_changes(("child", None, (1, 77))),
}
FORBIDDEN = {"not_found", "constraint", "foreign_key"}


@pytest.fixture
def db(make):
    db = make(SCHEMA)
    db.execute("INSERT INTO t VALUES (50, 'fifty', 50)")
    db.commit()
    return db


@pytest.mark.parametrize("how", ["policy", "mapping", "handler", "enum"])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("kind", list(ConflictKind))
def test_matrix(db, kind, action, how):
    change = CONFLICTS[kind] + make_changes(("t", None, (60, "sixty", 60)))
    before = rows(db, "t")
    seen = []

    def handler(conflict):
        seen.append(conflict)
        return action.value

    on_conflict = {
        "policy": action if kind != "foreign_key" else {kind: action},
        "mapping": {kind.value: action.value},
        "handler": handler,
        "enum": {kind: action},
    }[how]
    if action == "abort":
        with pytest.raises(rowtide.ConflictError, match=kind.replace("_", ".")):
            db.apply(change, on_conflict)
    elif action == "replace" and kind in FORBIDDEN and how != "policy":
        with pytest.raises(rowtide.InvalidError, match="replace"):
            db.apply(change, on_conflict)
    elif action == "replace" and kind == "foreign_key":
        with pytest.raises(rowtide.InvalidError):
            db.apply(change, on_conflict)
    else:
        report = db.apply(change, on_conflict)
        replaced = action == "replace" and kind not in FORBIDDEN
        assert report.replaced == int(replaced)
        assert report.omitted == int(not replaced and kind != "foreign_key")
        assert (60, "sixty", 60) in rows(db, "t")
        return
    assert rows(db, "t") == before and rows(db, "child") == []
    assert not db.in_transaction
    if seen:
        assert seen[0].kind is kind


def test_what_a_handler_is_given(db):
    seen = {}

    def handler(conflict):
        seen[conflict.kind] = conflict
        return "omit"

    for change in CONFLICTS.values():
        db.apply(change, handler)
    assert seen["data"].conflicting == seen["conflict"].conflicting == (1, "one", 1)
    assert seen["not_found"].conflicting is None and seen["constraint"].conflicting is None
    assert seen["not_found"].change.primary_key == (9,)
    assert seen["foreign_key"].change is None and seen["foreign_key"].foreign_key_count == 1
    assert "UNIQUE" in seen["constraint"].message
    assert repr(seen["data"]).startswith("<rowtide.Conflict data: ")


def test_no_handler_aborts(db, rename):
    with pytest.raises(rowtide.ConflictError) as caught:
        db.apply(CONFLICTS["conflict"])
    assert isinstance(caught.value, RuntimeError)
    assert (caught.value.code, caught.value.name) == (-9, "conflict")
    assert '"t"' in str(caught.value)


class Own(Exception):
    pass


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize("error", [Own, ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_what_a_handler_raises_comes_out(db, error, inside):
    change = make_changes(("t", None, (60, "sixty", 60))) + CONFLICTS["data"]
    if inside:
        db.execute("INSERT INTO t VALUES (7, 'mine', 7)")
    before = rows(db, "t")
    raised = error("mine")

    def handler(conflict):
        raise raised

    with pytest.raises(error) as caught:
        db.apply(change, handler)
    assert caught.value is raised
    assert "handler" in [frame.name for frame in traceback.extract_tb(raised.__traceback__)]
    assert rows(db, "t") == before
    assert db.in_transaction == inside


@pytest.mark.parametrize(
    ("answer", "error"),
    [(None, TypeError), (1, TypeError), (True, TypeError), ("", ValueError),
     ("REPLACE", ValueError), (object(), TypeError)],
)  # fmt: skip
def test_garbage_from_a_handler(db, answer, error):
    before = rows(db, "t")
    with pytest.raises(error, match="on_conflict must return"):
        db.apply(CONFLICTS["data"], lambda conflict: answer)
    assert rows(db, "t") == before and not db.in_transaction


@pytest.mark.parametrize(
    ("policy", "error"),
    [("garbage", ValueError), (3, TypeError), ({"data": "x"}, ValueError),
     ({"x": "omit"}, ValueError), (["omit"], TypeError)],
)  # fmt: skip
def test_garbage_as_a_policy(db, policy, error):
    with pytest.raises(error):
        db.apply(CONFLICTS["data"], policy)


def test_handler_may_use_the_connection(db):
    def handler(conflict):
        db.execute("INSERT INTO t VALUES (70, 'seventy', 70)")
        return "omit" if db.execute("SELECT count(*) FROM t").fetchone()[0] else "abort"

    db.apply(CONFLICTS["data"], handler)
    assert (70, "seventy", 70) in rows(db, "t")


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("inside", [False, True])
def test_handler_that_ends_the_transaction(db, sql, inside):
    before = rows(db, "t")
    if inside:
        db.execute("BEGIN")
    change = make_changes(("t", None, (60, "sixty", 60))) + CONFLICTS["data"]
    with pytest.raises(rowtide.MisuseError, match="transaction"):
        db.apply(change, lambda conflict: db.execute(sql) and "omit")
    assert not db.in_transaction
    if sql == "ROLLBACK":
        assert rows(db, "t") == before


def test_handler_that_closes_the_connection(make, tmp_path):
    db = make(SCHEMA, tmp_path / "a.db")

    def handler(conflict):
        db.close()
        return "omit"

    with pytest.raises(rowtide.MisuseError):
        db.apply(CONFLICTS["data"], handler)
    assert rows(db, "t") == [(1, "one", 1), (2, "two", 2)]


def test_handler_that_closes_an_adopted_connection(make, tmp_path):
    plain = sqlite3.connect(tmp_path / "a.db")
    plain.executescript(SCHEMA)
    change = make_changes(("t", None, (60, "sixty", 60))) + CONFLICTS["data"]

    def handler(conflict):
        plain.close()
        return "omit"

    with pytest.raises(rowtide.Error):
        rowtide.adopt(plain).apply(change, handler)
    assert rows(make("", tmp_path / "a.db"), "t") == [(1, "one", 1), (2, "two", 2)]


def test_apply_inside_a_handler(db):
    def handler(conflict):
        db.apply(make_changes(("t", None, (80, "eighty", 80))))
        return "omit"

    db.apply(CONFLICTS["data"], handler)
    assert (80, "eighty", 80) in rows(db, "t")


def test_transactions_stay_the_callers(db):
    db.execute("INSERT INTO t VALUES (7, 'mine', 7)")
    assert db.in_transaction
    db.apply(make_changes(("t", None, (60, "sixty", 60))))
    assert db.in_transaction
    db.rollback()
    assert [row[0] for row in rows(db, "t")] == [1, 2, 50]


# -- Choosing


def test_tables(db):
    change = make_changes(("t", None, (60, "x", 60)), ("child", None, (1, None)))
    report = db.apply(change, tables="T")
    assert report.tables["t"].applied == 1 and report.tables["child"].skipped == 1
    assert db.apply(change, tables=["child"]).applied == 1
    db.execute("DELETE FROM child")
    db.apply(change, tables=lambda table: table == "child")
    assert rows(db, "child") == [(1, None)]
    with pytest.raises(Own):
        db.apply(change, tables=lambda table: raise_own())


def raise_own():
    raise Own


def test_change_filter(db):
    change = make_changes(("t", None, (60, "x", 60)), ("t", None, (61, "y", 61)))
    report = db.apply(change, change_filter=lambda op: op.new[0] == 61)
    assert (report.applied, report.skipped) == (1, 1)
    with pytest.raises(Own):
        db.apply(change, change_filter=lambda op: raise_own())


def test_flags(db):
    change = make_changes(("t", None, (60, "x", 60)))
    db.apply(change)
    assert db.apply(change, ignore_noop=True).omitted == 0
    assert db.apply(change, invert=True).applied == 1
    db.execute(
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO child VALUES (9, NULL); END"
    )
    db.apply(change, triggers=False)
    assert rows(db, "child") == []
    builder = Builder()
    builder.table("t", columns=3, primary_key=[0])
    builder.insert((90, "z", 1), indirect=True)
    assert db.apply(builder.finish(), skip_indirect=True).skipped == 1


def test_fk_no_action(make):
    db = make("""
        PRAGMA foreign_keys = ON;
        CREATE TABLE t (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE);
        INSERT INTO t VALUES (1); INSERT INTO c VALUES (5, 1);
    """)
    gone = make_changes(("t", (1,), None))
    with pytest.raises(rowtide.ConflictError):
        db.apply(gone, fk_no_action=True)
    db.apply(gone)
    assert rows(db, "c") == []


def test_progress(db):
    builder = Builder()
    builder.table("t", columns=3, primary_key=[0])
    for i in range(100, 40_000):
        builder.insert((i, str(i), 1))
    change = builder.finish()
    seen = []
    db.apply(change, progress=seen.append)
    db.apply(~change)
    assert all(p.phase and 0 <= p.done <= p.total for p in seen)
    before = rows(db, "t")
    if seen:
        with pytest.raises(rowtide.CancelledError):
            db.apply(change, progress=lambda progress: False)
        with pytest.raises(Own):
            db.apply(change, progress=lambda progress: raise_own())
        assert rows(db, "t") == before


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("progress", [None, lambda progress: None], ids=["quiet", "progress"])
def test_a_signal_ends_a_long_call(db, progress):
    db.execute("""
        CREATE TRIGGER slow AFTER INSERT ON t BEGIN
            DELETE FROM child WHERE id = (
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
                SELECT sum(i) FROM n);
        END
    """)
    builder = Builder()
    builder.table("t", columns=3, primary_key=[0])
    for i in range(100, 5_000):
        builder.insert((i, str(i), 1))
    before = rows(db, "t")
    kept = signal.signal(signal.SIGALRM, lambda *args: raise_own())
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Own):
            db.apply(builder.finish(), progress=progress)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, kept)
    assert rows(db, "t") == before and not db.in_transaction


# -- What does not fit


@pytest.mark.parametrize(
    "script",
    ["", "CREATE TABLE users (id INTEGER PRIMARY KEY, name)",
     "CREATE TABLE users (id, name PRIMARY KEY, age)", "CREATE TABLE users (id, name, age)",
     "CREATE VIEW users AS SELECT 1 AS id, 2 AS name, 3 AS age"],
    ids=["missing", "columns", "key", "no key", "view"],
)  # fmt: skip
def test_a_schema_that_does_not_fit(make, rename, script):
    db = make(script + "; CREATE TABLE other (id INTEGER PRIMARY KEY)")
    with pytest.raises(rowtide.SchemaError, match="users"):
        db.apply(rename)
    both = make_changes(("other", None, (1,))) + rename
    with pytest.raises(rowtide.SchemaError):
        db.apply(both)
    assert rows(db, "other") == []
    report = db.apply(both, skip_misfits=True)
    assert rows(db, "other") == [(1,)]
    assert report.tables["users"].skipped == 1 and report.tables["users"].skip_reason
    assert "1 skipped" in repr(report)


@pytest.fixture
def rename(make):
    db = make(USERS)
    with db.capture("users") as change:
        db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    return change.changeset


@pytest.mark.parametrize("form", ["capture", "bytes", "path", "str", "reader"])
def test_forms(make, rename, tmp_path, form):
    db = make(USERS)
    path = tmp_path / "x"
    rename.write(path)
    if form == "reader":
        with path.open("rb") as file:
            report = db.apply(file)
    else:
        forms = {"capture": rename, "bytes": bytes(rename), "path": path, "str": str(path)}
        report = db.apply(forms[form])
    assert report.applied == 1 and rows(db)[0][1] == "Ada"


def test_other_forms_are_refused(db):
    for thing in (None, 1, [b"x"]):
        with pytest.raises(TypeError, match="changeset"):
            db.apply(thing)


def test_busy(make, rename, tmp_path):
    path = tmp_path / "a.db"
    db, other = make(USERS, path, timeout=0), make("", path, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(rowtide.BusyError) as caught:
        db.apply(rename)
    assert isinstance(caught.value, TimeoutError) and caught.value.sqlite_code == 5
    assert not db.in_transaction
    other.rollback()
    db.apply(rename)


def test_read_only(make, rename, tmp_path):
    path = tmp_path / "a.db"
    make(USERS, path)
    db = make("", f"file:{path}?mode=ro", uri=True)
    with pytest.raises(rowtide.ReadOnlyError) as caught:
        db.apply(rename)
    assert isinstance(caught.value, PermissionError)
