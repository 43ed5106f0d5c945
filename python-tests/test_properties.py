"""Laws that hold for any changes of any rows."""

import contextlib

import rowtide
from conftest import rows
from hypothesis import given
from hypothesis import strategies as st
from rowtide import Changeset

SCHEMA = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);
    CREATE TABLE u (k TEXT, n, v BLOB, PRIMARY KEY (k, n)) WITHOUT ROWID;
"""

values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    # Not 1.0, which SQLite finds equal to 1 where it looks for the old row.
    st.floats(allow_nan=False).filter(lambda number: not number.is_integer()),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=20),
)
ids = st.integers(1, 6)
keys = st.tuples(st.sampled_from(["x", "y"]), st.integers(1, 3))
steps = st.one_of(
    st.tuples(st.just("INSERT OR REPLACE INTO t VALUES (?, ?, ?)"),
              st.tuples(ids, values, values)),
    st.tuples(st.just("UPDATE t SET a = ? WHERE id = ?"), st.tuples(values, ids)),
    st.tuples(st.just("UPDATE t SET b = ? WHERE id <= ?"), st.tuples(values, ids)),
    st.tuples(st.just("DELETE FROM t WHERE id = ?"), st.tuples(ids)),
    st.tuples(st.just("UPDATE OR IGNORE t SET id = ? WHERE id = ?"), st.tuples(ids, ids)),
    st.tuples(st.just("INSERT OR REPLACE INTO u VALUES (?, ?, ?)"),
              st.tuples(keys, values).map(lambda p: (*p[0], p[1]))),
    st.tuples(st.just("DELETE FROM u WHERE k = ? AND n = ?"), keys),
)  # fmt: skip
work = st.lists(steps, max_size=12)


@contextlib.contextmanager
def databases(count, start=()):
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            db = rowtide.connect(":memory:", isolation_level=None)
            stack.callback(db.close)
            db.executescript(SCHEMA)
            run(db, start)
            made.append(db)
        yield made


def run(db, steps):
    for sql, params in steps:
        db.execute(sql, params)


def record(db, steps, **options):
    with db.capture(**options) as change:
        run(db, steps)
    return change.changeset


def state(db):
    return rows(db, "t"), db.execute("SELECT * FROM u ORDER BY k, n").fetchall()


@given(work, work)
def test_a_replica_becomes_equal_and_undo_brings_it_back(start, steps):
    with databases(2, start) as (db, replica):
        before = state(db)
        change = record(db, steps)
        replica.apply(change)
        assert state(replica) == state(db)
        replica.apply(~change)
        assert state(replica) == before
        db.apply(change, invert=True)
        assert state(db) == before


@given(work, work)
def test_forms_of_the_same(start, steps):
    with databases(1, start) as (db,):
        change = record(db, steps)
        assert ~~change == change
        assert Changeset(bytes(change)) == change
        assert Changeset.from_json(change.to_json()) == change
        assert Changeset.from_json(change.to_json(db, compact=True)) == change
        assert set(Changeset.build(change)) == set(change)
        assert sum(counts.total for counts in change.tables.values()) == len(change)
        assert not change + ~change


@given(work, work)
def test_patchsets(start, steps):
    with databases(2, start) as (db, replica):
        change = record(db, steps, patchset=True)
        assert Changeset.from_json(change.to_json()) == change
        replica.apply(change)
        assert state(replica) == state(db)


@given(work, st.lists(work, max_size=4))
def test_concat_is_one_after_the_other(start, parts):
    with databases(3, start) as (db, one_by_one, at_once):
        changes = [record(db, part) for part in parts]
        for change in changes:
            one_by_one.apply(change)
        at_once.apply(Changeset.concat(changes))
        assert state(at_once) == state(one_by_one) == state(db)


@given(work, work)
def test_diff_is_what_is_missing(start, steps):
    with databases(1, start) as (db,), databases(1, steps) as (other,):
        db.execute("ATTACH ':memory:' AS other")
        db.executescript(SCHEMA.replace("TABLE ", "TABLE other."))
        for table in ("t", "u"):
            insert = f"INSERT INTO other.{table} VALUES (?, ?, ?)"
            db.executemany(insert, other.execute(f"SELECT * FROM {table}"))
        db.apply(db.diff("main", "other"))
        assert state(db) == state(other)
        assert not db.diff("main", "other")


@given(work, work)
def test_sql_does_the_same(start, steps):
    with databases(2, start) as (db, replica):
        change = record(db, [(sql, params) for sql, params in steps if finite(params)])
        replica.executescript(change.to_sql(db))
        assert state(replica) == state(db)


def finite(params):
    return not any(isinstance(p, str) and "\0" in p for p in params)


@given(work, work, work)
def test_rebase_converges(start, mine, theirs):
    check_rebase(start, without_keys(mine), without_keys(theirs), "replace")


@given(work, work, work)
def test_rebase_converges_where_mine_wins(start, mine, theirs):
    """Omitting leaves out all columns of a change, so it has to be about one column."""
    check_rebase(start, one_column(mine), one_column(theirs), "omit")


def check_rebase(start, mine, theirs, policy):
    """Theirs is applied over mine here; mine, rebased, is applied over theirs there."""
    with databases(2, start) as (here, there):
        local, remote = record(here, mine), record(there, theirs)
        report = here.apply(remote, policy)
        there.apply(local.rebase(report))
        assert state(here) == state(there)


def without_keys(steps):
    """Without changes of keys, which are two changes each."""
    return [step for step in steps if "UPDATE OR IGNORE" not in step[0]]


def one_column(steps):
    return [step for step in steps if step[0].startswith(("UPDATE t SET a", "DELETE FROM t"))]


@given(work, work)
def test_undo_and_redo(start, steps):
    with databases(1, start) as (db,):
        undo = db.undo_log()
        states = [state(db)]
        for step in steps:
            with undo.step():
                run(db, [step])
            if state(db) != states[-1]:
                states.append(state(db))
        for expected in reversed(states[:-1]):
            undo.undo()
            assert state(db) == expected
        for expected in states[1:]:
            undo.redo()
            assert state(db) == expected


@given(st.binary(max_size=80))
def test_no_bytes_do_harm(data):
    with contextlib.suppress(rowtide.CorruptError):
        change = Changeset(b"T" + data)
        assert Changeset(bytes(change)) == change
