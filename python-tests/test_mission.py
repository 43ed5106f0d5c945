"""What the README promises, line by line."""

import rowtide
from conftest import rows


def test_record_ship_and_undo(db, replica):
    with db.capture("users", "orders") as change:
        db.execute("UPDATE users SET name = ? WHERE id = ?", ("Ada", 1))

    replica.apply(change, on_conflict={"not_found": "omit", "data": "replace"})
    assert rows(replica) == rows(db)

    db.apply(~change)
    assert rows(db)[0] == (1, "Bob", 30)

    seen = [(op.table, op.kind, op.old, op.new) for op in change]
    assert seen == [
        ("users", "update", (1, "Bob", rowtide.UNDEFINED),
         (rowtide.UNDEFINED, "Ada", rowtide.UNDEFINED)),
    ]  # fmt: skip


def test_a_handler_decides(replica, rename):
    replica.execute("UPDATE users SET name = 'Zoe' WHERE id = 1")
    asked = []

    def decide(conflict):
        asked.append(conflict)
        return "replace" if conflict.kind == "data" else "omit"

    report = replica.apply(rename, decide)
    assert (report.applied, report.replaced, report.omitted) == (1, 1, 0)
    assert asked[0].kind is rowtide.ConflictKind.DATA
    assert asked[0].conflicting == (1, "Zoe", 30)
    assert asked[0].change.new[1] == "Ada"
    assert '"users"' in asked[0].message


def test_the_same_on_our_own_connection(tmp_path):
    with rowtide.open(tmp_path / "app.db") as db:
        db.executescript("CREATE TABLE users (id INTEGER PRIMARY KEY, name)")
        with db.capture("users") as change:
            db.execute("INSERT INTO users VALUES (?, ?)", (1, "Bob"))
        assert db.execute("SELECT * FROM users").fetchall() == [(1, "Bob")]
        db.apply(~change)
        assert db.execute("SELECT * FROM users").fetchall() == []


def test_audit_undo_and_replication(db, make, tmp_path):
    log = db.audit_log()
    with log.entry(author="ada", label="import") as change:
        db.execute("UPDATE users SET age = age + 1")
    assert [c.new for c in log.changes(table="users")] == [{"age": 31}, {"age": 41}]
    db.apply(~log.changeset(change.id))
    db.commit()

    undo = db.undo_log(limit=100)
    with undo.step("rename"):
        db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    assert undo.undo() == "rename"
    assert rows(db)[0][1] == "Bob"
    assert undo.redo() == "rename"
    assert rows(db)[0][1] == "Ada"

    other = make()
    primary = db.primary(tmp_path / "outbox")
    with primary.record("users"):
        db.execute("UPDATE users SET age = 99 WHERE id = 2")
    replica = other.replica(tmp_path / "outbox")
    assert replica.pull() == 1
    assert other.execute("SELECT age FROM users WHERE id = 2").fetchone() == (99,)
