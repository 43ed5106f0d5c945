"""The audit log."""

import pytest
import rowtide
from conftest import rows


@pytest.fixture
def log(db):
    return db.audit_log()


def test_entry(db, log):
    with log.entry(author="ada", label="rename", tables=["users"]) as change:
        assert change.id is None
        db.execute("UPDATE users SET name = 'Ada', age = 31 WHERE id = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    (entry,) = log.entries()
    assert entry == (change.id, entry.time, "ada", "rename")
    assert entry.time.endswith("Z")
    (one,) = log.changes()
    assert one == rowtide.AuditChange(
        entry.id, 0, "users", rowtide.ChangeKind.UPDATE, False,
        {"id": 1}, {"name": "Bob", "age": 30}, {"name": "Ada", "age": 31},
    )  # fmt: skip
    assert change.changeset == log.changeset(entry.id)
    assert next(iter(change)).new[1] == "Ada" and len(change) == 1
    db.apply(~change)
    assert rows(db)[0] == (1, "Bob", 30)


def test_nothing_changed(db, log):
    with log.entry() as change:
        db.execute("UPDATE users SET age = age")
    assert change.id is None and not change
    assert list(log.entries()) == []


def test_exception_undoes_all(db, log):
    with pytest.raises(KeyError), log.entry() as change:
        db.execute("DELETE FROM users")
        raise KeyError
    assert len(rows(db)) == 3 and not db.in_transaction
    assert list(log.entries()) == []
    with pytest.raises(rowtide.MisuseError):
        len(change)
    with log.entry():
        db.execute("DELETE FROM users WHERE id = 1")
    assert len(list(log.entries())) == 1


@pytest.mark.parametrize("options", [{}, {"isolation_level": None}])
def test_inside_the_callers_transaction(make, options):
    db = make(**options)
    log = db.audit_log()
    db.execute("BEGIN")
    db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    with log.entry():
        db.execute("UPDATE users SET age = 1")
    assert db.in_transaction
    db.rollback()
    assert list(log.entries()) == [] and rows(db)[0][2] == 30


def test_inside_an_implicit_transaction(db, log):
    db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    assert db.in_transaction
    with pytest.raises(KeyError), log.entry():
        db.execute("UPDATE users SET age = 1")
        raise KeyError
    assert db.in_transaction and rows(db, "orders") == [(1, 1, 1.0)]
    with log.entry():
        db.execute("UPDATE users SET age = 1")
    db.commit()
    assert len(list(log.changes())) == 3


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_ending_the_transaction_inside(db, log, end, begun):
    if begun:
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    with pytest.raises(rowtide.MisuseError, match="transaction"), log.entry():
        db.execute("UPDATE users SET age = 1")
        getattr(db, end)()
    assert list(log.entries()) == [] and not db.in_transaction
    with log.entry():
        db.execute("UPDATE users SET age = 5")
    assert len(list(log.entries())) == 1


def test_values_that_json_cannot_say(db, log):
    values = [b"\0\xff", float("inf"), float("-inf"), 2**63 - 1, "ä\0b", None, 0.1]
    with log.entry():
        db.executemany(
            "INSERT INTO users VALUES (?, 'x', ?)", [(10 + i, v) for i, v in enumerate(values)]
        )
        db.execute("INSERT INTO users VALUES (99, 'x', CAST(x'ff' AS TEXT))")
    seen = {c.primary_key["id"]: c.new["age"] for c in log.changes()}
    assert [seen[10 + i] for i in range(len(values))] == values
    assert seen[99] == "\udcff"


def test_queries(db, log):
    with log.entry(author="ada", label="one"):
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    with log.entry(author="bob"):
        db.execute("UPDATE users SET age = 2 WHERE id = 2")
    assert [e.author for e in log.entries()] == ["ada", "bob"]
    assert [e.author for e in log.entries(newest_first=True)] == ["bob", "ada"]
    assert [e.label for e in log.entries(author="ada")] == ["one"]
    assert len(list(log.changes(1))) == 2
    assert [c.entry for c in log.changes(table="USERS")] == [1, 2]
    count = db.execute("SELECT count(*) FROM rowtide_audit_change WHERE kind = 'insert'")
    assert count.fetchone() == (1,)


def test_append_and_prune(db, log, rename):
    number = log.append(rename, author="remote", time="2020-01-01T00:00:00.000Z")
    assert log.changeset(number) == rename
    with log.entry():
        db.execute("DELETE FROM users")
    db.commit()
    assert log.prune(before="2021-01-01") == 1
    assert log.prune(keep=0) == 1
    assert list(log.entries()) == [] and list(log.changes()) == []
    for wrong in ({}, {"before": "2020", "keep": 1}):
        with pytest.raises(TypeError):
            log.prune(**wrong)
    with pytest.raises(rowtide.NotFoundError):
        log.changeset(12345)


def test_filter_that_raises(db, log):
    with pytest.raises(ZeroDivisionError), log.entry(filter=lambda table: 1 / 0):
        db.execute("UPDATE users SET age = 1")
    assert rows(db)[0][2] == 30 and not db.in_transaction


def test_close(db):
    with db.audit_log() as log:
        assert repr(log) == "<rowtide.AuditLog>"
    with pytest.raises(rowtide.ClosedError):
        log.entry().__enter__()
    with pytest.raises(rowtide.ClosedError):
        log.entries()
    assert "closed" in repr(log)


def test_reopened(make, tmp_path):
    db = make(path=tmp_path / "a.db")
    with db.audit_log().entry(label="kept"):
        db.execute("DELETE FROM users")
    db.close()
    again = make("", tmp_path / "a.db")
    assert [e.label for e in again.audit_log().entries()] == ["kept"]
