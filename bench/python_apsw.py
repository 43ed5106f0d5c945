"""Times changesets from Python beside apsw; prints the CSV of bench/changeset.c.

apsw carries its own SQLite, a newer one than the system's: what is measured is
what a user of each gets. All databases are in memory."""

import sys
import time
from collections.abc import Callable, Iterable

import apsw
import rowtide

PARTS = 100


def schema(columns: int) -> str:
    names = ", ".join(f"c{i}" for i in range(1, columns))
    return f"CREATE TABLE t(k INTEGER PRIMARY KEY, {names})"


def rows_of(columns: int, rows: range) -> Iterable[list[object]]:
    for row in rows:
        yield [row, *(f"name-{row}" if i % 3 == 1 else row * i for i in range(1, columns))]


def insert(columns: int) -> str:
    return f"INSERT INTO t VALUES({', '.join('?' * columns)})"


def capture_with_rowtide(columns: int, rows: range) -> bytes:
    db = rowtide.connect(":memory:", isolation_level=None)
    db.execute(schema(columns))
    with db.capture("t") as change:
        db.execute("BEGIN")
        db.executemany(insert(columns), rows_of(columns, rows))
        db.execute("COMMIT")
    data = bytes(change)
    db.close()
    return data


def capture_with_apsw(columns: int, rows: range) -> bytes:
    db = apsw.Connection(":memory:")
    db.execute(schema(columns))
    session = apsw.Session(db, "main")
    session.attach("t")
    with db:
        db.executemany(insert(columns), rows_of(columns, rows))
    data = session.changeset()
    session.close()
    db.close()
    return data


def read_with_rowtide(data: bytes) -> object:
    for change in rowtide.Changeset(data):
        row = change.new
    return row


def read_with_apsw(data: bytes) -> object:
    for change in apsw.Changeset.iter(data):
        row = change.new
    return row


def apply_with_rowtide(columns: int, data: bytes) -> None:
    db = rowtide.connect(":memory:")
    db.execute(schema(columns))
    db.apply(data)
    db.close()


def apply_with_apsw(columns: int, data: bytes) -> None:
    db = apsw.Connection(":memory:")
    db.execute(schema(columns))
    apsw.Changeset.apply(data, db)
    db.close()


def concat_with_rowtide(parts: list[bytes]) -> bytes:
    return bytes(rowtide.Changeset.concat([rowtide.Changeset(part) for part in parts]))


def concat_with_apsw(parts: list[bytes]) -> bytes:
    builder = apsw.ChangesetBuilder()
    for part in parts:
        builder.add(part)
    return builder.output()


def in_parts(columns: int, rows: int) -> list[bytes]:
    share = rows // PARTS
    return [
        capture_with_rowtide(columns, range(i * share, (i + 1) * share)) for i in range(PARTS)
    ]


def cases(columns: int, rows: int) -> Iterable[tuple[str, Callable, Callable]]:
    everything = range(rows)
    data = capture_with_rowtide(columns, everything)
    expected = [change.new for change in apsw.Changeset.iter(data)]
    assert [change.new for change in rowtide.Changeset(data)] == expected
    parts = in_parts(columns, rows)
    yield (
        "python-capture",
        lambda: capture_with_rowtide(columns, everything),
        lambda: capture_with_apsw(columns, everything),
    )
    yield "python-rows", lambda: read_with_rowtide(data), lambda: read_with_apsw(data)
    yield (
        "python-apply",
        lambda: apply_with_rowtide(columns, data),
        lambda: apply_with_apsw(columns, data),
    )
    yield (
        "python-invert",
        lambda: bytes(~rowtide.Changeset(data)),
        lambda: apsw.Changeset.invert(data),
    )
    yield (
        "python-concat",
        lambda: concat_with_rowtide(parts),
        lambda: concat_with_apsw(parts),
    )


def measure(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    rows, rounds = int(sys.argv[1]), int(sys.argv[2])
    for columns in (3, 10):
        for what, ours, theirs in cases(columns, rows):
            for _ in range(3 * rounds if what == "python-rows" else rounds):
                for who, run in (("apsw", theirs), ("rowtide", ours)):
                    seconds = measure(run)
                    print(f"{what},insert,integer,{columns},{rows},{who},{seconds:.6f},0")


main()
