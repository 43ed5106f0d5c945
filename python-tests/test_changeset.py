"""Changesets as values."""

import copy
import pickle
import sys

import pytest
import rowtide
from conftest import rows
from rowtide import UNDEFINED, Builder, Changeset


@pytest.fixture
def three(db):
    """One insert, one update, one delete, in two tables."""
    with db.capture() as change:
        db.execute("INSERT INTO orders VALUES (7, 1, 2.5)")
        db.execute("UPDATE users SET age = 31 WHERE id = 1")
        db.execute("DELETE FROM users WHERE id = 3")
    db.commit()
    return change.changeset


def test_counts_and_repr(three):
    assert len(three) == 3
    assert three
    assert three.size == len(bytes(three))
    assert three.tables == {
        "orders": rowtide.Counts(1, 0, 0, 0),
        "users": rowtide.Counts(0, 1, 1, 0),
    }
    assert three.tables["users"].total == 2
    assert repr(three) == f"<rowtide.Changeset 3 changes in 2 tables, {three.size} bytes>"


def test_nothing():
    empty = Changeset()
    assert not empty and len(empty) == 0 and bytes(empty) == b"" and list(empty) == []
    assert empty == Changeset(b"") and ~empty == empty and empty.tables == {}


def test_is_a_value(three):
    same = Changeset(bytes(three))
    assert same == three and hash(same) == hash(three) and same is not three
    assert {same, three} == {three}
    assert three != ~three and three != bytes(three)
    assert copy.copy(three) is three and copy.deepcopy(three) is three
    assert pickle.loads(pickle.dumps(three)) == three


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_takes_any_bytes(three, kind):
    assert Changeset(kind(bytes(three))) == three


def test_refuses_other_things():
    for thing in ("text", 1, None, [1]):
        with pytest.raises(TypeError):
            Changeset(thing)


def test_changes(three):
    insert, update, delete = sorted(three, key=lambda op: (op.table, op.kind != "update"))
    assert (insert.table, insert.kind, insert.old, insert.new) == (
        "orders", rowtide.ChangeKind.INSERT, None, (7, 1, 2.5),
    )  # fmt: skip
    assert (update.old, update.new) == ((1, UNDEFINED, 30), (UNDEFINED, UNDEFINED, 31))
    assert (delete.kind, delete.old, delete.new) == ("delete", (3, "Max", None), None)
    assert (update.primary_key, update.key_columns, update.indirect) == ((1,), (0,), False)
    assert update.table is delete.table, "the name of a table is made once"
    assert repr(update) == (
        "<rowtide.Change update users old=(1, UNDEFINED, 30) new=(UNDEFINED, UNDEFINED, 31)>"
    )


def test_changes_are_values(three):
    first, again = next(iter(three)), next(iter(three))
    assert first == again and hash(first) == hash(again) and first != 3
    assert len({*three, *three}) == 3
    with pytest.raises(AttributeError):
        first.table = "other"
    with pytest.raises(TypeError):
        rowtide.Change()


def test_undefined():
    assert repr(UNDEFINED) == str(UNDEFINED) == "UNDEFINED"
    assert not UNDEFINED
    assert pickle.loads(pickle.dumps(UNDEFINED)) is UNDEFINED


def test_iterator_outlives_the_changeset(three):
    iterator = iter(Changeset(bytes(three)))
    assert len(list(iterator)) == 3
    assert next(iterator, "end") == "end"


def test_iterator_can_be_closed(three):
    with iter(three) as iterator:
        next(iterator)
    assert list(iterator) == []


def test_composite_key_order(make):
    db = make("CREATE TABLE t (a, b, c, PRIMARY KEY (c, a))")
    with db.capture("t") as change:
        db.execute("INSERT INTO t VALUES (1, 2, 3)")
    (op,) = change
    assert op.key_columns == (2, 0) and op.primary_key == (3, 1)


@pytest.mark.parametrize("columns", [1, 2, 15, 16, 17, 40, 300])
def test_width(make, columns):
    names = ", ".join(f"c{i}" for i in range(columns))
    db = make(f"CREATE TABLE t ({names}, PRIMARY KEY (c0))")
    values = tuple(range(1000, 1000 + columns))
    with db.capture() as change:
        db.execute(f"INSERT INTO t VALUES ({','.join('?' * columns)})", values)
    assert [op.new for op in change] == [values]


VALUES = [
    None, 0, 1, -1, 2**63 - 1, -(2**63), 0.5, float("inf"), 1e300, "", "text", "ä\U0001f600",
    "nul\0inside", b"", b"\0\xff", "x" * 100_000, b"y" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:12])
def test_values_survive(make, value):
    db, other = (
        make("CREATE TABLE t (a INTEGER PRIMARY KEY, b)"),
        make("CREATE TABLE t (a INTEGER PRIMARY KEY, b)"),
    )
    with db.capture() as change:
        db.execute("INSERT INTO t VALUES (1, ?)", (value,))
    (op,) = change
    assert op.new == (1, value) and type(op.new[1]) is type(value)
    assert Changeset.from_json(change.to_json()) == change.changeset
    other.apply(change)
    assert rows(other, "t") == [(1, value)]


def test_text_that_is_no_utf8(make):
    db = make("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    with db.capture() as change:
        db.execute("INSERT INTO t VALUES (1, CAST(x'41ff42' AS TEXT))")
    (op,) = change
    assert op.new[1] == "A\udcffB"
    assert Changeset.build([op]) == change.changeset
    assert Changeset.from_json(change.to_json()) == change.changeset


# -- Computing


def test_invert(three, db):
    assert ~~three == three
    db.apply(~three)
    assert rows(db) == [(1, "Bob", 30), (2, "Eve", 40), (3, "Max", None)]


def test_add_and_concat(db, three, replica):
    with db.capture() as second:
        db.execute("UPDATE users SET age = 32 WHERE id = 1")
        db.execute("DELETE FROM orders")
    db.commit()
    both = three + second
    assert both == Changeset.concat([three, second.changeset])
    assert both.tables == {"users": rowtide.Counts(0, 1, 1, 0)}
    assert not three + ~three
    assert Changeset.concat([]) == Changeset()
    replica.apply(both)
    assert rows(replica) == rows(db)
    with pytest.raises(TypeError):
        three + b"bytes"


def test_filter(three):
    assert three.filter("users").tables.keys() == {"users"}
    assert three.filter(["orders", "nothing"]).tables.keys() == {"orders"}
    assert three.filter("USERS") == three.filter("users"), "as SQLite compares names"
    assert three.filter(lambda table: table.startswith("o")) == three.filter("orders")
    with pytest.raises(ZeroDivisionError):
        three.filter(lambda table: 1 / 0)
    with pytest.raises(TypeError):
        three.filter([1])


def test_rebase(db, make):
    replica = make()
    with db.capture() as local:
        db.execute("UPDATE users SET name = 'Local', age = 1 WHERE id = 1")
    db.commit()
    with replica.capture() as remote:
        replica.execute("UPDATE users SET name = 'Remote' WHERE id = 1")
    replica.commit()
    report = db.apply(remote, "replace")
    assert report.rebase
    rebased = local.rebase(report)
    assert rebased == local.rebase(report.rebase)
    replica.apply(rebased)
    assert rows(replica) == rows(db) == [(1, "Remote", 1), (2, "Eve", 40), (3, "Max", None)]
    with pytest.raises(rowtide.CorruptError):
        local.rebase(b"garbage")


def test_patchset(db, replica):
    with db.capture(patchset=True) as change:
        db.execute("UPDATE users SET age = 31 WHERE id = 1")
    assert change.is_patchset and "patchset" in repr(change.changeset)
    (op,) = change
    assert op.old == (1, UNDEFINED, UNDEFINED)
    with pytest.raises(rowtide.InvalidError, match="patchset"):
        change.invert()
    replica.apply(change)
    assert rows(replica) == rows(db)


# -- Building


def test_builder(three, replica):
    builder = Builder()
    builder.table("orders", columns=["id", "user", "total"], primary_key=["id"])
    builder.insert({"id": 7, "user": 1, "total": 2.5})
    builder.table("users", columns=3, primary_key=[0])
    builder.update((1, UNDEFINED, 30), (UNDEFINED, UNDEFINED, 31))
    builder.delete([3, "Max", None])
    made = builder.finish()
    assert set(made) == set(three)
    replica.apply(made)
    assert rows(replica) == [(1, "Bob", 31), (2, "Eve", 40)]
    assert builder.finish() == Changeset(), "it starts again"


def test_builder_names_leave_columns_out():
    builder = Builder()
    builder.table("t", columns=["a", "b", "c"], primary_key=["a"])
    builder.update({"a": 1, "b": 2}, {"b": 3}, indirect=True)
    (op,) = builder.finish()
    assert op.old == (1, 2, UNDEFINED) and op.new == (UNDEFINED, 3, UNDEFINED) and op.indirect


def test_builder_refuses():
    builder = Builder()
    with pytest.raises(rowtide.MisuseError):
        builder.insert((1,))
    with pytest.raises(TypeError):
        builder.table("t", columns="abc", primary_key=[0])
    with pytest.raises(rowtide.InvalidError):
        builder.table("t", columns=2, primary_key=[2])
    with pytest.raises(rowtide.InvalidError):
        builder.table("t", columns=["a"], primary_key=["b"])
    builder.table("t", columns=["a", "b"], primary_key=["a"])
    for row in [(1,), (1, 2, 3), (None, 2), (1, UNDEFINED), {"a": 1}, {"a": 1, "x": 2}]:
        with pytest.raises(rowtide.InvalidError):
            builder.insert(row)
    with pytest.raises(TypeError, match="list"):
        builder.insert((1, [2]))
    with pytest.raises(OverflowError):
        builder.insert((1, 2**63))
    assert not builder.finish()


def test_build_from_changes(three):
    some = Changeset.build(op for op in three if op.kind != "insert")
    assert some.tables == {"users": rowtide.Counts(0, 1, 1, 0)}
    assert set(Changeset.build(three)) == set(three)


# -- Rendering


def test_json(three, db):
    for text in (three.to_json(), three.to_json(db), three.to_json(compact=True)):
        assert Changeset.from_json(text) == three
        assert Changeset.from_json(text.encode()) == three
    assert '"name"' in three.to_json(db) and '"name"' not in three.to_json()
    with pytest.raises(rowtide.CorruptError) as caught:
        Changeset.from_json('{"format": ')
    assert caught.value.offset is not None


def test_sql_does_the_same(three, db, replica):
    replica.executescript(three.to_sql(db))
    assert rows(replica) == rows(db)


def test_text_and_html(three, db):
    text = three.to_text(db)
    assert "users" in text and "Max" in text and "\x1b[" not in text
    assert "\x1b[" in three.to_text(db, color=True)
    assert len(three.to_text(db, limit=1)) < len(text)
    html = three.to_html(db, title="A & B")
    assert "<table" in html and "A &amp; B" in html


def test_names_from_any_connection(three, tmp_path):
    import sqlite3

    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name, years)")
    assert '"years"' in three.to_json(plain)
    plain.close()
    with rowtide.open(":memory:") as own:
        own.executescript("CREATE TABLE users (id INTEGER PRIMARY KEY, name, yrs)")
        assert '"yrs"' in three.to_json(own)


def test_write_and_read(three, tmp_path):
    path = tmp_path / "a.changeset"
    three.write(path)
    assert path.read_bytes() == bytes(three)
    assert Changeset.read(path) == Changeset.read(str(path)) == three
    with path.open("rb") as file:
        assert Changeset.read(file) == three
    with (tmp_path / "b").open("wb") as file:
        three.write(file)
    assert (tmp_path / "b").read_bytes() == bytes(three)
    with pytest.raises(OSError):
        three.write(tmp_path / "no" / "such" / "place")
    with pytest.raises(rowtide.IoError, match="missing"):
        Changeset.read(tmp_path / "missing")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.changeset", "b"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes cannot be buffers before 3.12")
def test_is_a_buffer(three):
    assert bytes(memoryview(three)) == bytes(three)
