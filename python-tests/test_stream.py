"""Sources and sinks: paths, bytes, changesets, readers and writers."""

import io
import os
import resource
import subprocess
import sys

import pytest
import rowtide
from conftest import rows
from rowtide import Changeset, stream


@pytest.fixture
def two(db):
    """Two changesets, the second made after the first."""
    with db.capture() as first:
        db.execute("UPDATE users SET age = 1 WHERE id = 1")
        db.execute("INSERT INTO orders VALUES (1, 1, 1.5)")
    with db.capture() as second:
        db.execute("UPDATE users SET age = 2")
    db.commit()
    return first.changeset, second.changeset


class Bytewise(io.RawIOBase):
    """Gives and takes one byte at a time."""

    def __init__(self, data=b""):
        self.data = bytearray(data)

    def read(self, size=-1):
        taken, self.data = self.data[:1], self.data[1:]
        return bytes(taken)

    def write(self, data):
        self.data += data[:1]
        return 1


def as_source(form, change, tmp_path):
    path = tmp_path / "source"
    change.write(path)
    return {
        "changeset": change, "bytes": bytes(change), "path": path, "str": str(path),
        "memoryview": memoryview(bytes(change)), "file": io.BytesIO(bytes(change)),
        "bytewise": Bytewise(bytes(change)),
    }[form]  # fmt: skip


FORMS = ["changeset", "bytes", "path", "str", "memoryview", "file", "bytewise"]


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_source(two, db, tmp_path, form):
    first, second = two

    def source():
        return as_source(form, first, tmp_path)

    assert list(stream.iterate(source())) == list(first)
    assert list(stream.iterate(source(), invert=True)) == list(~first)
    assert Changeset.read(source()) == first
    out = io.BytesIO()
    stream.invert(source(), out)
    assert out.getvalue() == bytes(~first)
    out = io.BytesIO()
    stream.filter(source(), "orders", out)
    assert out.getvalue() == bytes(first.filter("orders"))
    out = io.BytesIO()
    stream.concat([source(), second], out)
    assert out.getvalue() == bytes(first + second)


def test_every_kind_of_sink(two, tmp_path):
    first, _ = two
    path, raw = tmp_path / "sink", Bytewise()
    stream.invert(first, path)
    assert path.read_bytes() == bytes(~first)
    stream.invert(first, str(path))
    stream.invert(first, raw)
    assert bytes(raw.data) == bytes(~first)
    parts = []

    class Writer:
        def write(self, data):
            parts.append(data)

    stream.invert(first, Writer())
    assert b"".join(parts) == bytes(~first)
    with (tmp_path / "file").open("wb") as file:
        stream.invert(first, file)
    assert (tmp_path / "file").read_bytes() == bytes(~first)


def test_rebase(db, make):
    other = make()
    with db.capture() as local:
        db.execute("UPDATE users SET name = 'Local' WHERE id = 1")
    with other.capture() as remote:
        other.execute("UPDATE users SET name = 'Remote' WHERE id = 1")
    report = db.apply(remote, "replace")
    out = io.BytesIO()
    stream.rebase(local, report, out)
    assert out.getvalue() == bytes(local.rebase(report))
    again = io.BytesIO()
    stream.rebase(local, report.rebase, again)
    assert again.getvalue() == out.getvalue()


def test_apply_a_reader(two, replica):
    first, second = two
    replica.apply(Bytewise(bytes(first)))
    replica.apply(io.BytesIO(bytes(second)))
    assert [row[2] for row in rows(replica)] == [2, 2, 2]


class Own(Exception):
    pass


class Broken:
    """Works once, then raises."""

    def __init__(self, data=b""):
        self.data = data

    def read(self, size):
        if not self.data:
            raise Own("reader")
        data, self.data = self.data, b""
        return data

    def write(self, data):
        raise Own("writer")


def test_what_they_raise_comes_out(two, replica, tmp_path):
    first, _ = two
    before = rows(replica)
    with pytest.raises(Own, match="reader"):
        replica.apply(Broken(bytes(first)))
    assert rows(replica) == before and not replica.in_transaction
    with pytest.raises(Own, match="reader"):
        list(stream.iterate(Broken(bytes(first)[:20])))
    with pytest.raises(Own, match="writer"):
        stream.invert(first, Broken())
    with pytest.raises(Own, match="reader"):
        stream.invert(Broken(bytes(first)[:20]), tmp_path / "out")
    assert not (tmp_path / "out").exists(), "a file is complete or not there"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [None, "text", 5, b"x" * 1_000_000])
def test_readers_that_give_garbage(answer):
    class Reader:
        def read(self, size):
            return answer

    with pytest.raises((TypeError, ValueError)):
        Changeset.read(Reader())


@pytest.mark.parametrize("answer", [0, -1, 10**9])
def test_writers_that_lie(two, answer):
    class Writer:
        def write(self, data):
            return answer

    with pytest.raises(OSError, match="took"):
        stream.invert(two[0], Writer())


def test_other_things_are_refused(two):
    for thing in (None, 5, object()):
        with pytest.raises(TypeError):
            stream.iterate(thing)
        with pytest.raises(TypeError):
            stream.invert(two[0], thing)


def test_missing_files(two, tmp_path):
    with pytest.raises(OSError, match="missing"):
        stream.iterate(tmp_path / "missing")
    with pytest.raises(OSError):
        stream.invert(two[0], tmp_path / "no" / "place")
    with pytest.raises(OSError):
        stream.iterate(tmp_path)


def test_corrupt_when_it_is_reached(two):
    first, _ = two
    data = bytes(first)
    iterator = stream.iterate(io.BytesIO(data[:-1]))
    next(iterator)
    with pytest.raises(rowtide.CorruptError) as caught:
        list(iterator)
    assert caught.value.offset is not None and list(iterator) == []


def test_reader_that_uses_its_own_iterator(two):
    class Reader:
        def read(self, size):
            next(self.iterator)

    reader = Reader()
    reader.iterator = stream.iterate(reader)
    with pytest.raises(ValueError, match="running"):
        next(reader.iterator)


ROWS, WIDTH = 50_000, 2_000

MEMORY = f"""
import resource, sys, rowtide
from rowtide import stream

class Big:
    "A changeset of {ROWS * WIDTH // 10**6} MB, made as it is read."

    def __init__(self):
        builder = rowtide.Builder()
        builder.table("t", columns=2, primary_key=[0])
        builder.insert((0, b"x" * {WIDTH}))
        data = bytes(builder.finish())
        self.start = data.index(bytes([18]))
        self.pending, self.record, self.count = data[: self.start], data[self.start :], 0

    def read(self, size):
        while len(self.pending) < size and self.count < {ROWS}:
            key = self.count.to_bytes(8, "big")
            self.pending += self.record[:3] + key + self.record[11:]
            self.count += 1
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken

class Count:
    total = 0
    def write(self, data):
        self.total += len(data)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

db = rowtide.connect(sys.argv[1])
db.execute("PRAGMA cache_size = -2000")
db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, data)")
sum(1 for _ in stream.iterate(b""))
before, sink = peak(), Count()
assert sum(1 for _ in stream.iterate(Big())) == {ROWS}
stream.invert(Big(), sink)
assert sink.total > {ROWS * WIDTH}, sink.total
assert db.apply(Big()).applied == {ROWS}
print(peak() - before)
"""


@pytest.mark.skipif(not hasattr(resource, "getrusage"), reason="needs getrusage")
def test_memory_stays_bounded(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "big.db")],
        capture_output=True, text=True, timeout=120, env=os.environ,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 16, f"{result.stdout} MB for a stream of 100 MB"
