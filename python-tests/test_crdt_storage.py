"""What is stored is what was written, whatever came in between."""

from __future__ import annotations

import contextlib

from crdt_peer import changes, ours


def test_rows_of_two_tables_in_turn() -> None:
    """Row 3 of a table comes behind row 2 of another one and row 1 of its own."""
    with contextlib.closing(ours(":memory:")) as db:
        for table in "ab":
            db.run(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY NOT NULL, v)")
            db.run("SELECT crsql_as_crr(?1)", table)
            db.run(f"INSERT INTO {table} VALUES (1, 'old'), (2, 'old'), (3, 'old')")
        db.run("UPDATE b SET v = 'b1' WHERE id = 1")
        db.run("UPDATE a SET v = 'a2' WHERE id = 2")
        db.run("UPDATE b SET v = 'b3' WHERE id = 3")
        assert [c.val for c in changes(db, "db_version > 2")] == ["b1", "a2", "b3"]
