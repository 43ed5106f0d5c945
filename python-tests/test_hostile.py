"""Bytes from outside, leaks, and the GIL."""

import contextlib
import gc
import io
import random
import sys
import threading
import time

import pytest
import rowtide
from conftest import USERS, rows
from rowtide import Changeset, stream


@pytest.fixture
def data(db):
    with db.capture() as change:
        db.execute("INSERT INTO orders VALUES (1, 1, 1.5), (2, 2, NULL)")
        db.execute("UPDATE users SET age = x'0102', name = 'A longer name' WHERE id = 1")
        db.execute("DELETE FROM users WHERE id = 3")
    db.commit()
    return bytes(change)


def check(db, data):
    """Either an error before anything happens, or a changeset like any other."""
    before = db.total_changes, rows(db), rows(db, "orders")
    try:
        change = Changeset(data)
    except rowtide.CorruptError as error:
        assert 0 <= error.offset <= len(data)
        with pytest.raises(rowtide.CorruptError):
            list(stream.iterate(io.BytesIO(data)))
        with pytest.raises(rowtide.Error):
            db.apply(io.BytesIO(data))
        assert (rows(db), rows(db, "orders")) == before[1:]
        assert not db.in_transaction
        return False
    assert list(stream.iterate(io.BytesIO(data))) == list(change)
    assert list(Changeset.from_json(change.to_json())) == list(change)
    if not change.is_patchset:
        assert ~~change == change
    try:
        db.apply(change)
    except rowtide.Error:
        assert (rows(db), rows(db, "orders")) == before[1:]
    assert not db.in_transaction
    return True


def test_every_truncation(make, data):
    accepted = [size for size in range(len(data)) if check(make(), data[:size])]
    assert len(accepted) < 12, "only cuts between records can go unnoticed"


def test_bit_flips(make, data):
    chance = random.Random(2)
    for _ in range(300):
        bad = bytearray(data)
        for _ in range(chance.randint(1, 3)):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        check(make(), bytes(bad))


@pytest.mark.parametrize(
    "bad",
    [b"T", b"P", b"x", b"\0" * 100, b"T\xff\xff\xff\xff", b"T\x01\x01t", b"T\x00t\x00",
     b"T\x01\x00t\x00\x12\x00\x01" + b"\0" * 8, b"\xff" * 1000,
     bytes.fromhex("540401000000743100177e0072286565286565")],
    ids=lambda bad: bad[:6].hex(),
)  # fmt: skip
def test_garbage(make, bad):
    assert not check(make(), bad)


def test_garbage_as_json():
    for text in ("", "{", "[]", "null", '{"changes": 3}', "\0", "[" * 100_000, '"\\ud800"'):
        with pytest.raises(rowtide.Error):
            Changeset.from_json(text)
    with pytest.raises(rowtide.Error):
        Changeset.from_json(b"\xff\xfe")


def test_rebase_garbage(rename):
    chance = random.Random(3)
    for _ in range(200):
        with pytest.raises(rowtide.Error):
            rename.rebase(b"X" + chance.randbytes(chance.randint(0, 40)))


# -- Leaks


def use_everything():
    db = rowtide.connect(":memory:")
    db.executescript(USERS)
    with db.capture(filter=lambda table: True) as change:
        db.execute("UPDATE users SET name = 'Ada' || x'ff', age = 2.5")
    for op in change:
        _ = op.primary_key, repr(op), hash(op), op == op
    Changeset.build(change)
    for work in (
        lambda: db.apply(change, lambda conflict: "omit"),
        lambda: db.apply(change, lambda conflict: 1 / 0),
        lambda: db.apply(io.BytesIO(bytes(change))),
        lambda: Changeset(b"garbage"),
        lambda: stream.invert(change, io.BytesIO()),
        lambda: Changeset.from_json((change + ~change).to_json(db)),
        lambda: db.undo_log().undo(),
        lambda: list(db.audit_log().changes()),
        lambda: rowtide.adopt(db).execute("SELECT * FROM users").fetchall(),
        lambda: db.capture("nothing").__enter__(),
    ):
        with contextlib.suppress(rowtide.Error, ZeroDivisionError):
            work()
    db.close()


def test_nothing_leaks():
    for _ in range(5):
        use_everything()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(50):
        use_everything()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


def test_shared_objects_are_counted(rename):
    things = [None, rowtide.UNDEFINED, rowtide.ChangeKind.UPDATE, rowtide.Change]
    before = [sys.getrefcount(thing) for thing in things]
    for _ in range(1000):
        list(rename)
    after = [sys.getrefcount(thing) for thing in things]
    assert all(abs(a - b) < 20 for a, b in zip(after, before, strict=True))


# -- Threads


def test_other_threads_run_during_a_long_call():
    builder = rowtide.Builder()
    builder.table("t", columns=2, primary_key=[0])
    for i in range(60_000):
        builder.insert((i, f"value {i}"))
    change = builder.finish()
    db = rowtide.connect(":memory:")
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)")
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    start = time.monotonic()
    db.apply(change)
    end = time.monotonic()
    done.set()
    thread.join()
    db.close()
    during = [t for t in ticks if start < t < end]
    assert len(during) > 5, f"{len(during)} ticks in {end - start:.3f} s"


def test_changesets_are_shared_by_threads(data):
    change = Changeset(data)
    expected = list(change)
    wrong = []

    def work():
        for _ in range(100):
            if list(change) != expected or ~~change != change:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
