"""Recording what a block writes."""

import pickle
import sqlite3

import pytest
import rowtide
from conftest import rows


def test_records_only_the_named_tables(db):
    with db.capture("orders") as change:
        db.execute("UPDATE users SET age = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert change.tables.keys() == {"orders"}


def test_without_names_records_all(db):
    with db.capture() as change:
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert change.tables.keys() == {"users", "orders"}


@pytest.mark.parametrize("name", ["nothing", "keyless", "seen", "words"])
def test_a_table_that_cannot_be_recorded_is_an_error(db, name):
    db.executescript("""
        CREATE TABLE keyless (a);
        CREATE VIEW seen AS SELECT * FROM users;
        CREATE VIRTUAL TABLE words USING fts5(a);
    """)
    with pytest.raises(rowtide.SchemaError, match=name), db.capture("users", name):
        pytest.fail("the block must not run")
    assert issubclass(rowtide.SchemaError, LookupError)


def test_skipped_says_why(db):
    db.executescript("CREATE TABLE keyless (a)")
    with db.capture() as change:
        assert "keyless" in change.skipped
        assert "key" in change.skipped["keyless"]
    assert "keyless" in change.skipped


def test_filter(db):
    asked = []

    def choose(table):
        asked.append(table)
        return table == "orders"

    with db.capture(filter=choose) as change:
        db.execute("UPDATE users SET age = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert change.tables.keys() == {"orders"}
    assert set(asked) <= {"users", "orders"}
    with db.capture(filter=["users"]) as change:
        db.execute("UPDATE users SET age = 2")
        db.execute("DELETE FROM orders")
    assert change.tables.keys() == {"users"}


def test_what_a_filter_raises_comes_out(db):
    with pytest.raises(ZeroDivisionError) as caught, db.capture(filter=lambda table: 1 / 0):
        db.execute("UPDATE users SET age = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert "<lambda>" in [frame.name for frame in caught.traceback]
    with db.capture() as change:
        db.execute("UPDATE users SET age = 5")
    assert len(change) == 3


def test_exception_cancels_and_passes(db):
    with pytest.raises(KeyError), db.capture() as change:
        db.execute("UPDATE users SET age = 1")
        raise KeyError("mine")
    assert rows(db)[0][2] == 1, "what was written stays written"
    with pytest.raises(rowtide.MisuseError, match="exception"):
        len(change)


def test_using_it_too_early(db):
    change = db.capture()
    with pytest.raises(rowtide.MisuseError, match="not begun"):
        bytes(change)
    with change:
        for use in (len, bytes, list, repr, rowtide.Changeset.invert):
            if use is repr:
                assert "recording" in repr(change)
                continue
            with pytest.raises(rowtide.MisuseError, match="recording"):
                use(change)
    assert list(change) == []
    with pytest.raises(rowtide.MisuseError), change:
        pass
    with pytest.raises(rowtide.MisuseError):
        change.peek()


def test_rolled_back(db):
    with db.capture() as change:
        db.execute("UPDATE users SET age = 1")
        db.rollback()
    assert not change


def test_not_committed_yet(db, replica):
    with db.capture() as change:
        db.execute("UPDATE users SET age = 1")
    assert db.in_transaction
    db.rollback()
    assert len(change) == 3


def test_nested_and_side_by_side(db):
    with db.capture() as outer, db.capture("users") as users:
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
        with db.capture() as inner:
            db.execute("UPDATE users SET age = 2 WHERE id = 2")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert (len(outer), len(users), len(inner)) == (3, 2, 1)


def test_peek_pause_and_indirect(db):
    with db.capture() as change:
        assert change.is_empty and change.is_open
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
        assert len(change.peek()) == 1 and not change.is_empty
        change.enabled = False
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
        change.enabled = True
        assert change.enabled and not change.indirect
        change.indirect = True
        db.execute("UPDATE users SET age = 1 WHERE id = 2")
        assert change.memory_used > 0 and change.size_bound is None
    assert {op.primary_key: op.indirect for op in change} == {(1,): False, (2,): True}
    assert not change.is_open


def test_indirect_and_triggers(db):
    with db.capture(indirect=True) as change:
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
    assert [op.indirect for op in change] == [True]
    db.execute(
        "CREATE TRIGGER t AFTER UPDATE ON users "
        "BEGIN INSERT INTO orders VALUES (new.age, 1, 1.0); END"
    )
    with db.capture() as change:
        db.execute("UPDATE users SET age = 50 WHERE id = 1")
    assert {op.table: op.indirect for op in change} == {"users": False, "orders": True}


def test_size_and_memory(db):
    with db.capture(track_size=True) as change:
        db.execute("UPDATE users SET age = 1")
        bound = change.size_bound
    assert change.size <= bound
    with pytest.raises(rowtide.TooBigError), db.capture(memory_limit=1):
        db.execute("UPDATE users SET age = 2")
    assert not db.execute("SELECT count(*) FROM users WHERE age != 2").fetchone()[0]


def test_attached(db, tmp_path):
    db.execute("ATTACH ? AS aux", (str(tmp_path / "aux.db"),))
    db.execute("CREATE TABLE aux.things (id INTEGER PRIMARY KEY)")
    with db.capture(schema="aux") as change:
        db.execute("INSERT INTO aux.things VALUES (1)")
        db.execute("UPDATE users SET age = 1")
    assert change.tables.keys() == {"things"}
    with pytest.raises(rowtide.Error), db.capture(schema="missing"):
        pass


def test_cancel(db):
    with db.capture() as change:
        db.execute("UPDATE users SET age = 1")
        change.cancel()
        assert not change.is_open
    with pytest.raises(rowtide.MisuseError, match="cancelled"):
        len(change)


def test_stream_to(db, replica, tmp_path):
    path = tmp_path / "x.changeset"
    with db.capture() as change:
        db.execute("UPDATE users SET age = 1")
        change.stream_to(path)
        db.execute("UPDATE users SET age = 2")
    with pytest.raises(rowtide.MisuseError, match="stream"):
        len(change)
    replica.apply(path)
    assert [row[2] for row in rows(replica)] == [1, 1, 1]


def test_closing_the_connection_ends_it(make):
    for close in (rowtide.Connection.close, sqlite3.Connection.close):
        db = make()
        with pytest.raises(rowtide.ClosedError), db.capture() as change:
            db.execute("UPDATE users SET age = 1")
            close(db)
            assert not change.is_open
        with pytest.raises(rowtide.MisuseError, match="failed"):
            len(change)


def test_dropped_capture_is_released(db):
    change = db.capture()
    change.__enter__()
    db.execute("UPDATE users SET age = 1")
    del change
    with db.capture() as second:
        db.execute("UPDATE users SET age = 2")
    assert len(second) == 3


def test_pickle(db, rename):
    with db.capture() as change:
        pass
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(change)
