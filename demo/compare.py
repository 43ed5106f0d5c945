"""Compares databases row by row with nothing but Python's sqlite3; the first
is the measure for all others. Exits 1 at the first difference."""

import sqlite3
import sys

IGNORED = ("sqlite_", "rowtide_")


def tables(db):
    names = (
        row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    )
    return sorted(name for name in names if not name.startswith(IGNORED))


def rows(db, table):
    quoted = '"' + table.replace('"', '""') + '"'
    # typeof() because 1 and 1.0 are equal in Python
    return sorted(
        (
            tuple((type(value).__name__, value) for value in row)
            for row in db.execute(f"SELECT * FROM {quoted}")
        ),
        key=repr,
    )


def main(measure, *others):
    expected = sqlite3.connect(measure)
    count = 0
    for other in others:
        found = sqlite3.connect(other)
        if tables(found) != tables(expected):
            sys.exit(f"{other}: its tables are not those of {measure}")
        for table in tables(expected):
            want = rows(expected, table)
            if rows(found, table) != want:
                sys.exit(f"{other}: table {table} is not as in {measure}")
            count += len(want)
    names = ", ".join(path.rsplit("/", 1)[-1] for path in others)
    print(
        f"equal row by row to {measure.rsplit('/', 1)[-1]}: {names} ({count:,} rows compared)"
    )


main(*sys.argv[1:])
