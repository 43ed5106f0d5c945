"""The JSON form loses nothing, whatever the values are."""

from __future__ import annotations

import json

import pytest
import rowtide
from hypothesis import given
from hypothesis import strategies as st

values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
)
rows = st.lists(st.tuples(values, values), min_size=1, max_size=8)


def recorded(
    before: list[tuple[object, ...]], after: list[tuple[object, ...]], **options: object
):
    """What turns one set of rows into another: inserts, updates and deletes."""
    db = rowtide.connect(":memory:")
    db.execute('CREATE TABLE "a \x1b ""b""" (id INTEGER PRIMARY KEY, x, y)')
    db.executemany('INSERT INTO "a \x1b ""b""" (x, y) VALUES (?, ?)', before)
    db.commit()
    with db.capture(**options) as change:
        db.execute('DELETE FROM "a \x1b ""b""" WHERE id > ?', (len(after),))
        for number, row in enumerate(after, 1):
            db.execute('REPLACE INTO "a \x1b ""b""" VALUES (?, ?, ?)', (number, *row))
    db.commit()
    return db, change.changeset


@given(rows, rows, st.booleans(), st.booleans())
def test_json_comes_back_as_the_same_bytes(before, after, patchset, compact):
    db, changeset = recorded(before, after, patchset=patchset)
    try:
        for names in (None, db):
            text = changeset.to_json(names, compact=compact)
            assert bytes(rowtide.Changeset.from_json(text)) == bytes(changeset)
            assert "\x1b" not in text
            # Through another program's JSON, with its order and escapes.
            other = json.dumps(json.loads(text), sort_keys=True)
            assert bytes(rowtide.Changeset.from_json(other)) == bytes(changeset)
    finally:
        db.close()


@given(rows, rows)
def test_sql_gives_the_same_rows(before, after):
    db, changeset = recorded(before, after)
    try:
        inverse = (~changeset).to_sql(db)
        with db.capture() as back:
            db.executescript(inverse)
        assert bytes(back.changeset + changeset) == b""
    finally:
        db.close()


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(data):
    with pytest.raises(rowtide.CorruptError):
        rowtide.Changeset.from_json(data)
