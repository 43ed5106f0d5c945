"""Undo and redo."""

import pytest
import rowtide
from conftest import rows


@pytest.fixture
def undo(db):
    return db.undo_log()


def set_age(db, undo, age, label=""):
    with undo.step(label) as step:
        db.execute("UPDATE users SET age = ? WHERE id = 1", (age,))
    return step


def age(db):
    return rows(db)[0][2]


def test_back_and_forth(db, undo):
    first = set_age(db, undo, 1, "one")
    assert first.id == 1
    set_age(db, undo, 2, "two")
    assert (undo.undo(), age(db)) == ("two", 1)
    assert (undo.undo(), age(db)) == ("one", 30)
    assert undo.undo() is None
    assert repr(undo) == "<rowtide.UndoLog 0 to undo, 2 to redo>"
    assert (undo.redo(), age(db)) == ("one", 1)
    assert (undo.redo(), age(db)) == ("two", 2)
    assert undo.redo() is None
    assert [(s.label, s.undone) for s in undo.steps()] == [("one", False), ("two", False)]


def test_a_new_step_forgets_what_was_undone(db, undo):
    set_age(db, undo, 1)
    undo.undo()
    set_age(db, undo, 2)
    assert (undo.undoable, undo.redoable) == (1, 0)
    assert undo.undo() == "" and age(db) == 30


def test_nothing_and_exceptions(db, undo):
    with undo.step("nothing") as step:
        pass
    assert step.id is None
    with pytest.raises(KeyError), undo.step("fails"):
        db.execute("DELETE FROM users")
        raise KeyError
    assert len(rows(db)) == 3 and undo.undoable == 0


def test_chosen_tables(db, undo):
    with undo.step("users only", "users"):
        db.execute("UPDATE users SET age = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    undo.undo()
    assert age(db) == 30 and len(rows(db, "orders")) == 1


def test_limits(make):
    db = make()
    undo = db.undo_log(limit=2)
    for number in (1, 2, 3):
        set_age(db, undo, number, str(number))
    assert [s.label for s in undo.steps()] == ["2", "3"]
    assert next(undo.steps()).size > 0
    undo.clear()
    assert list(undo.steps()) == []


def test_reopened(make, tmp_path):
    db = make(path=tmp_path / "a.db")
    set_age(db, db.undo_log(), 1, "kept")
    db.close()
    again = make("", tmp_path / "a.db")
    assert again.undo_log().undo() == "kept"
    assert age(again) == 30


def test_changed_around_the_log(db, undo):
    set_age(db, undo, 1, "mine")
    db.execute("UPDATE users SET age = 77 WHERE id = 1")
    db.commit()
    with pytest.raises(rowtide.ConflictError):
        undo.undo()
    assert age(db) == 77 and undo.undoable == 1
    seen = []
    assert undo.undo(lambda conflict: seen.append(conflict) or "replace") == "mine"
    assert age(db) == 30 and seen[0].conflicting == (1, "Bob", 77)


def test_commit_inside(db, undo):
    with pytest.raises(rowtide.MisuseError, match="transaction"), undo.step("bad"):
        db.execute("UPDATE users SET age = 1")
        db.commit()
    assert undo.undoable == 0


def test_close(db):
    with db.undo_log() as undo:
        pass
    with pytest.raises(rowtide.ClosedError):
        undo.undo()
    with pytest.raises(rowtide.ClosedError):
        undo.step("x").__enter__()
    assert "closed" in repr(undo)
