"""Connections: the standard library's, adopted ones, and our own."""

import contextlib
import gc
import os
import sqlite3
import subprocess
import sys
import threading
import warnings

import pytest
import rowtide
from conftest import USERS, rows

OPTIONS = [
    {},
    {"isolation_level": None},
    {"isolation_level": "IMMEDIATE"},
    {"check_same_thread": False},
    {"cached_statements": 0},
    {"detect_types": sqlite3.PARSE_DECLTYPES},
]
if sys.version_info >= (3, 12):
    OPTIONS += [{"autocommit": True}, {"autocommit": False}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_is_a_sqlite3_connection(make, replica, options):
    db = make(USERS, **options)
    db.row_factory = sqlite3.Row
    assert isinstance(db, sqlite3.Connection)
    with db.capture() as change, db:
        db.executemany("INSERT INTO orders VALUES (?, 1, 1.0)", [(1,), (2,)])
    assert len(change) == 2
    in_transaction = db.in_transaction
    db.apply(~change)
    assert db.in_transaction == in_transaction
    assert db.execute("SELECT count(*) FROM orders").fetchone()[0] == 0
    replica.apply(change)


def test_implicit_transaction_is_kept(db):
    db.execute("UPDATE users SET age = 1")
    assert db.in_transaction
    with db.capture() as change:
        db.execute("UPDATE users SET age = 2")
    assert db.in_transaction
    db.rollback()
    assert len(change) == 3
    assert rows(db)[0][2] == 30


def test_subclass_as_factory():
    class Mine(rowtide.Connection):
        def cursor(self, *args):
            raise AssertionError("not by way of the subclass")

    db = rowtide.connect(":memory:", factory=Mine)
    with db.capture() as change:
        pass
    assert not change and type(db) is Mine
    db.close()
    with sqlite3.connect(":memory:", factory=rowtide.Connection) as db, db.capture():
        pass
    db.close()
    for wrong in (sqlite3.Connection, None, lambda *args: None):
        with pytest.raises(TypeError, match="factory"):
            rowtide.connect(":memory:", factory=wrong)


def test_closed(make, rename):
    db = make()
    log = db.audit_log()
    db.close()
    db.close()
    for use in (db.capture().__enter__, lambda: db.apply(rename), db.audit_log, db.undo_log,
                lambda: db.diff("main", "temp"), lambda: rename.to_json(db),
                log.entry().__enter__):  # fmt: skip
        with pytest.raises(rowtide.ClosedError) as caught:
            use()
    assert isinstance(caught.value, ValueError)


def test_never_opened(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        rowtide.connect(tmp_path / "no" / "such.db")
    with pytest.raises(rowtide.Error):
        rowtide.open(tmp_path / "no" / "such.db")
    with pytest.raises(rowtide.Error):
        rowtide.open(tmp_path / "missing.db", must_exist=True)


def in_thread(work):
    result = []

    def run():
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def test_another_thread(db, rename):
    error = in_thread(lambda: db.apply(~rename))
    assert isinstance(error, rowtide.ThreadError)
    assert isinstance(in_thread(db.capture().__enter__), rowtide.ThreadError)
    assert rows(db)[0][1] == "Ada"


def test_closing_from_another_thread(db):
    assert isinstance(in_thread(db.close), sqlite3.ProgrammingError)
    assert len(rows(db)) == 3


def test_closing_while_another_thread_is_inside(make, rename):
    db = make(check_same_thread=False)
    db.execute("DELETE FROM users")
    seen = []
    db.apply(rename, lambda conflict: seen.append(in_thread(db.close)) or "omit")
    assert isinstance(seen[0], rowtide.Error)
    assert rows(db) == []


def test_handler_closes_our_own(own, rename):
    own.executescript("DELETE FROM users")
    with pytest.raises(rowtide.MisuseError):
        own.apply(rename, lambda conflict: own.close())
    assert own.is_open and not own.in_transaction


def test_another_thread_that_may(make, rename):
    db = make(check_same_thread=False)
    assert in_thread(lambda: db.apply(rename)).applied == 1


def test_two_threads_at_once(make, rename):
    db = make(check_same_thread=False)
    db.execute("UPDATE users SET name = 'Zoe' WHERE id = 1")
    db.commit()
    errors = []

    def handler(conflict):
        errors.append(in_thread(lambda: db.apply(rename)))
        errors.append(in_thread(db.capture().__enter__))
        return "omit"

    db.apply(rename, handler)
    assert [type(error) for error in errors] == [rowtide.ThreadError] * 2


# -- Adopting


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_adopt(options, replica):
    plain = sqlite3.connect(":memory:", **options)
    plain.executescript(USERS)
    plain.row_factory = lambda cursor, row: pytest.fail("not our business")
    plain.set_trace_callback(None)
    db = rowtide.adopt(plain)
    with db.capture() as change:
        plain.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
        plain.commit()
    assert len(change) == 1
    db.apply(~change)
    assert db.execute("SELECT name FROM users WHERE id = 1").fetchall() == [("Bob",)]
    db.close()
    assert plain.total_changes > 0, "it is only let go"
    with pytest.raises(rowtide.ClosedError):
        db.execute("SELECT 1")
    plain.close()


def test_adopt_twice_and_ours(make):
    plain = sqlite3.connect(":memory:")
    plain.executescript(USERS)
    first, second = rowtide.adopt(plain), rowtide.adopt(plain)
    with first.capture() as change:
        second.execute("UPDATE users SET age = 1")
    assert len(change) == 3
    ours = make()
    with rowtide.adopt(ours).capture() as change:
        ours.execute("UPDATE users SET age = 1")
    assert len(change) == 3
    plain.close()
    with pytest.raises(TypeError):
        rowtide.adopt("app.db")


def test_adopted_connection_is_closed(rename):
    plain = sqlite3.connect(":memory:")
    db = rowtide.adopt(plain)
    plain.close()
    with pytest.raises(rowtide.ClosedError):
        db.apply(rename)
    with pytest.raises(rowtide.ClosedError):
        rowtide.adopt(plain)
    assert not db.is_open
    assert "closed" in repr(db)


def test_adopted_connection_is_dropped():
    plain = sqlite3.connect(":memory:")
    plain.executescript(USERS)
    capture = rowtide.adopt(plain).capture()
    capture.__enter__()
    plain.execute("UPDATE users SET age = 1")
    del plain
    gc.collect()
    capture.__exit__(None, None, None)
    assert len(capture) == 3, "what was adopted is kept as long as it is used"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del capture
        gc.collect()


def test_adopt_in_another_thread():
    plain = sqlite3.connect(":memory:")
    assert isinstance(in_thread(lambda: rowtide.adopt(plain)), rowtide.ThreadError)
    plain.close()
    shared = sqlite3.connect(":memory:", check_same_thread=False)
    assert in_thread(lambda: rowtide.adopt(shared)).is_open
    shared.close()


def test_adopt_says_why_not():
    plain = sqlite3.connect(":memory:")
    plain.set_authorizer(lambda *args: sqlite3.SQLITE_DENY)
    with pytest.raises(rowtide.MisuseError, match="cannot be adopted"):
        rowtide.adopt(plain)
    plain.close()


def run_python(code):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_opened_before_the_import():
    assert "import rowtide first" in run_python("""
import sqlite3
plain = sqlite3.connect(":memory:")
import rowtide
try:
    rowtide.adopt(plain)
except rowtide.MisuseError as error:
    print(error)
plain.close()
""")


def test_python_with_its_own_copy_of_sqlite():
    """As seen from here: connections are never offered."""
    assert "use rowtide.open()" in run_python("""
import ctypes, ctypes.util, sqlite3, rowtide
ctypes.CDLL(ctypes.util.find_library("sqlite3")).sqlite3_reset_auto_extension()
try:
    rowtide.connect(":memory:")
except rowtide.UnsupportedError as error:
    print(error)
with rowtide.open(":memory:") as db:
    assert db.execute("SELECT 1").fetchall() == [(1,)]
""")


def test_hidden_function_does_nothing_for_others(db):
    assert db.execute("SELECT __rowtide_adopt()").fetchone() == (None,)


def test_fork(db, rename):
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about threads that other tests left
        child = os.fork()
    if child == 0:
        try:
            with contextlib.suppress(rowtide.ForkError):
                db.apply(rename)
                os._exit(1)
            fresh = rowtide.connect(":memory:")
            fresh.executescript(USERS)
            fresh.apply(rename)
            os.write(write, b"fine")
        finally:
            os._exit(0)
    os.close(write)
    assert os.read(read, 10) == b"fine"
    os.close(read)
    assert os.waitpid(child, 0)[1] == 0
    db.apply(~rename)
    assert rows(db)[0][1] == "Bob"


def test_open_files_and_differences(tmp_path):
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    for path in (one, two):
        with rowtide.open(path) as db:
            db.executescript(USERS)
            assert db.path == str(path)
    with rowtide.open(two) as db:
        db.executescript("UPDATE users SET age = 1 WHERE id = 2; DELETE FROM users WHERE id=1")
    change = rowtide.diff(one, two)
    assert len(change) == 2
    with rowtide.open(one) as db:
        db.apply(change)
        db.execute("ATTACH ? AS other", (str(two),))
        assert not db.diff("main", "other")
        db.executescript("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
        with pytest.raises(rowtide.SchemaError, match="extra"):
            db.diff("main", "other")
        assert not db.diff("main", "other", tables=["users", "orders"])
        assert not db.diff("main", "other", tables=lambda table: table != "extra")
        db.diff_to(tmp_path / "d", "main", "other", tables="users")
        assert (tmp_path / "d").read_bytes() == b""


# -- Our own


@pytest.fixture
def own():
    with rowtide.open(":memory:") as db:
        db.executescript(USERS)
        yield db


def test_rows(own):
    result = own.execute("SELECT id, name AS n FROM users WHERE id < :top", {"top": 3})
    assert result.columns == ("id", "n")
    assert result.fetchone() == (1, "Bob")
    assert list(result) == [(2, "Eve")]
    assert result.fetchone() is None and result.fetchall() == []
    assert own.execute("SELECT ?, ?, ?, ?, ?", (None, 1, 1.5, "ä", b"\0")).fetchall() == [
        (None, 1, 1.5, "ä", b"\0")
    ]
    assert own.execute("SELECT 1 WHERE 0").fetchall() == []


def test_writes(own):
    inserted = own.execute("INSERT INTO users VALUES (4, 'New', 1) RETURNING name").fetchall()
    assert inserted == [("New",)]
    assert own.last_insert_rowid == 4
    more = [(5, "a", 1), (6, "b", 2)]
    assert own.executemany("INSERT INTO users VALUES (?, ?, ?)", more) == 2
    own.execute("UPDATE users SET age = 0")
    assert own.changes == 6


def test_transactions(own):
    with pytest.raises(KeyError), own.transaction():
        own.execute("DELETE FROM users")
        assert own.in_transaction
        raise KeyError
    assert not own.in_transaction
    with own.transaction():
        own.execute("DELETE FROM users WHERE id = 1")
        with pytest.raises(KeyError), own.transaction():
            own.execute("DELETE FROM users")
            raise KeyError
        with own.transaction():
            own.execute("DELETE FROM users WHERE id = 2")
    assert own.execute("SELECT id FROM users").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("sql", "params", "error"),
    [("SELEC 1", (), rowtide.SqlError), ("SELECT 1; SELECT 2", (), rowtide.Error),
     ("SELECT ?", (), rowtide.InvalidError), ("SELECT ?", (1, 2), rowtide.InvalidError),
     ("SELECT :a", {"b": 1}, rowtide.InvalidError), ("SELECT :a", {}, rowtide.InvalidError),
     ("SELECT ?", (object(),), TypeError), ("SELECT ?", (2**64,), OverflowError),
     ("INSERT INTO users VALUES (1, 'x', 1)", (), rowtide.ConstraintError),
     ("SELECT 1\0", (), ValueError)],
)  # fmt: skip
def test_statements_that_fail(own, sql, params, error):
    with pytest.raises(error):
        own.execute(sql, params)
    assert len(own.execute("SELECT * FROM users").fetchall()) == 3


def test_error_points_at_the_sql(own):
    with pytest.raises(rowtide.SqlError) as caught:
        own.execute("SELECT nothing FROM users")
    assert "nothing" in str(caught.value) and caught.value.sqlite_code == 1


def test_closing(tmp_path):
    db = rowtide.open(tmp_path / "a.db")
    assert db.is_open and str(tmp_path) in repr(db)
    db.close()
    db.close()
    assert not db.is_open and repr(db) == "<rowtide.Database, closed>"
    with pytest.raises(rowtide.ClosedError):
        db.execute("SELECT 1")
    with pytest.warns(ResourceWarning, match="not closed"):
        rowtide.open(":memory:")
        gc.collect()


def test_interrupt(own):
    done = threading.Event()

    def stop():
        while not done.wait(0.01):
            own.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(rowtide.CancelledError):
            own.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT count(*) FROM n"
            )
    finally:
        done.set()
        thread.join()


def test_read_only_open(tmp_path):
    with rowtide.open(tmp_path / "a.db") as db:
        db.executescript(USERS)
    with (
        rowtide.open(tmp_path / "a.db", read_only=True) as db,
        pytest.raises(rowtide.ReadOnlyError),
    ):
        db.execute("DELETE FROM users")
