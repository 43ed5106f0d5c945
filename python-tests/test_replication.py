"""One-way replication through a directory."""

import pytest
import rowtide
from conftest import USERS, rows


@pytest.fixture
def box(tmp_path):
    return tmp_path / "outbox"


@pytest.fixture
def primary(db, box):
    return db.primary(box)


def grow(db, primary, count):
    for _ in range(count):
        with primary.record("users") as record:
            db.execute("UPDATE users SET age = coalesce(age, 0) + 1")
    return record


def test_exactly_once(db, primary, make, box):
    record = grow(db, primary, 3)
    assert record.number == primary.position == 3
    assert len(list(box.glob("*.changeset"))) == 3
    other = make()
    replica = other.replica(box)
    assert replica.pull(limit=2) == 2 and replica.position == 2
    assert replica.pull() == 1 and replica.pull() == 0
    assert rows(other) == rows(db)
    assert repr(replica) == "<rowtide.Replica at 3>"
    assert repr(primary) == "<rowtide.Primary at 3>"


def test_a_replica_stops_and_resumes(db, primary, make, box, tmp_path):
    grow(db, primary, 2)
    other = make(path=tmp_path / "replica.db")
    other.replica(box).pull(limit=1)
    other.close()
    again = make("", tmp_path / "replica.db")
    assert again.replica(box).pull() == 1
    assert rows(again) == rows(db)


def test_gap_and_damage(db, primary, make, box):
    grow(db, primary, 3)
    files = sorted(box.glob("*.changeset"))
    other = make()
    replica = other.replica(box)
    kept = files[1].read_bytes()
    files[1].unlink()
    with pytest.raises(rowtide.GapError):
        replica.pull()
    assert replica.position == 1
    files[1].write_bytes(kept[:-1])
    with pytest.raises(rowtide.CorruptError):
        replica.pull()
    files[1].write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(rowtide.CorruptError):
        replica.pull()
    assert replica.position == 1
    files[1].write_bytes(kept)
    assert replica.pull() == 2 and rows(other) == rows(db)


def test_nothing_and_exceptions(db, primary, box):
    with primary.record() as record:
        pass
    assert record.number is None
    with pytest.raises(KeyError), primary.record():
        db.execute("DELETE FROM users")
        raise KeyError
    assert len(rows(db)) == 3 and primary.position == 0
    assert list(box.glob("*.changeset")) == []


def test_inside_the_callers_transaction(db, primary, box):
    db.execute("INSERT INTO orders VALUES (1, 1, 1.0)")
    grow(db, primary, 1)
    assert db.in_transaction and list(box.glob("*.changeset")) == []
    db.commit()
    assert primary.publish() == 1 and primary.publish() == 0


def test_append(db, primary, make, box, rename):
    assert primary.append(rename) == 1
    other = make()
    assert other.replica(box).pull() == 1
    assert rows(other)[0][1] == "Ada"


def test_conflicts(db, primary, make, box):
    grow(db, primary, 1)
    other = make(USERS + "; UPDATE users SET age = 50 WHERE id = 2")
    replica = other.replica(box)
    with pytest.raises(rowtide.ConflictError):
        replica.pull()
    assert replica.position == 0 and rows(other)[0][2] == 30
    with pytest.raises(ZeroDivisionError):
        replica.pull(on_conflict=lambda conflict: 1 / 0)
    assert replica.pull(on_conflict="omit", tables="users") == 1
    assert [row[2] for row in rows(other)] == [31, 50, 1]


def test_position_after_a_copy(db, primary, make, box):
    grow(db, primary, 2)
    other = make()
    db.backup(other)
    replica = other.replica(box)
    replica.position = 2
    grow(db, primary, 1)
    assert replica.pull() == 1 and rows(other) == rows(db)


def test_another_primary(db, primary, make, box):
    grow(db, primary, 1)
    with pytest.raises(rowtide.ExistsError):
        make().primary(box)


def test_pull_inside_a_transaction(primary, make, box):
    other = make()
    replica = other.replica(box)
    other.execute("UPDATE users SET age = 1")
    with pytest.raises(rowtide.MisuseError):
        replica.pull()


def test_close(db, box, make):
    with db.primary(box) as primary:
        pass
    with make().replica(box) as replica:
        pass
    positions = (lambda: primary.position, lambda: replica.position)
    for use in (primary.publish, replica.pull, *positions):
        with pytest.raises(rowtide.ClosedError):
            use()
    assert "closed" in repr(primary) and "closed" in repr(replica)
