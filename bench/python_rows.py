"""Times rows of a changeset as Python tuples, beside apsw; prints the CSV of
bench/changeset.c. apsw carries its own SQLite: both read the same bytes."""

import sys
import time

import apsw
import rowtide


def changeset(columns: int, rows: int) -> bytes:
    db = rowtide.connect(":memory:", isolation_level=None)
    names = ", ".join(f"c{i}" for i in range(1, columns))
    db.execute(f"CREATE TABLE t(k INTEGER PRIMARY KEY, {names})")
    values = ", ".join("?" * columns)
    with db.capture("t") as change:
        db.execute("BEGIN")
        db.executemany(
            f"INSERT INTO t VALUES({values})",
            (
                [row, *(f"name-{row}" if i % 3 == 1 else row * i for i in range(1, columns))]
                for row in range(rows)
            ),
        )
        db.execute("COMMIT")
    return bytes(change)


def with_apsw(data: bytes) -> object:
    for change in apsw.Changeset.iter(data):
        row = change.new
    return row


def with_rowtide(data: bytes) -> object:
    for change in rowtide.Changeset(data):
        row = change.new
    return row


def main() -> None:
    rows, rounds = int(sys.argv[1]), int(sys.argv[2])
    for columns in (3, 10):
        data = changeset(columns, rows)
        expected = [change.new for change in apsw.Changeset.iter(data)]
        assert [change.new for change in rowtide.Changeset(data)] == expected
        for _ in range(3 * rounds):
            for who, run in (("apsw", with_apsw), ("rowtide", with_rowtide)):
                start = time.process_time()
                run(data)
                seconds = time.process_time() - start
                print(
                    f"python-rows,insert,integer,{columns},{rows},{who},{seconds:.6f},{len(data)}"
                )


main()
